"""A sample is the beginnings of some documents, exactly as they are stored, and leaves no trace."""

import numpy as np

from nextvec.store.sample import sample_snapshot


def test_a_large_enough_sample_is_the_corpus(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("a", 3, seed=1), kit.encoded("b", 2, seed=2)])
    whole, sample = corpus.snapshot(), sample_snapshot(corpus, corpus.version, tag="t")
    np.testing.assert_array_equal(sample.vectors, whole.vectors)
    np.testing.assert_array_equal(sample.offsets, whole.offsets)
    assert sample.documents == whole.documents
    assert sample.texts(range(5)) == whole.texts(range(5))
    assert (sample.label, sample.version) == ("c@t", whole.version)
    assert (sample.encoder, sample.chunker, sample.split) == (whole.encoder, whole.chunker, whole.split)


def test_a_sample_is_the_first_chunks_of_whole_documents(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded(f"d{n}", 4 + n, seed=n) for n in range(12)])
    sample = sample_snapshot(corpus, corpus.version, documents=5, chunks=6)
    names = [record.doc_id for record in sample.documents]
    assert len(set(names)) == 5
    assert sample.lengths.tolist() == [min(6, 4 + int(name[1:])) for name in names]
    assert sample.texts(sample.offsets[:-1]) == [f"{name} line 0" for name in names]
    assert sample_snapshot(corpus, corpus.version, documents=5, chunks=6).fingerprint == sample.fingerprint
    assert sample_snapshot(corpus, corpus.version, documents=5, chunks=6, seed=1).fingerprint != sample.fingerprint


def test_an_older_version_is_sampled_as_it_was(kit, workspace):
    corpus = kit.corpus(workspace)
    older = corpus.append([kit.encoded("a", 3)])
    corpus.append([kit.encoded("b", 2)])
    assert [record.doc_id for record in sample_snapshot(corpus, older).documents] == ["a"]


def test_nothing_is_written(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("a", 3)])
    before = sorted(workspace.root.rglob("*"))
    sample_snapshot(corpus, corpus.version)
    assert sorted(workspace.root.rglob("*")) == before


def test_an_empty_corpus_has_an_empty_sample(kit, workspace):
    corpus = kit.corpus(workspace)
    sample = sample_snapshot(corpus, corpus.version)
    assert (len(sample), sample.documents, sample.dim) == (0, [], kit.spec.dim)
