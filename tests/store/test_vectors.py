from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nextvec.errors import DataError, IntegrityError, MismatchError, NotFoundError, UsageError
from nextvec.store.vectors import Corpus, corpus_names, open_snapshot
from nextvec.workspace import Workspace


def test_a_corpus_gives_back_what_was_stored(kit, workspace):
    corpus = kit.corpus(workspace)
    first, second = kit.encoded("a", 3, seed=1), kit.encoded("b", 2, seed=2)
    corpus.append([first, second])

    snapshot = open_snapshot(workspace, "c")

    assert snapshot.vectors.dtype == np.float16
    np.testing.assert_array_equal(snapshot.vectors[:3], first.vectors.astype(np.float16))
    np.testing.assert_array_equal(snapshot.vectors[3:], second.vectors.astype(np.float16))
    assert snapshot.offsets.tolist() == [0, 3, 5]
    assert snapshot.lengths.tolist() == [3, 2]
    assert snapshot.doc_index.tolist() == [0, 0, 0, 1, 1]
    assert [record.doc_id for record in snapshot.documents] == ["a", "b"]
    assert snapshot.documents[1].title == "Title b"
    assert snapshot.documents[1].licence == "CC0"
    assert snapshot.encoder == kit.spec
    assert snapshot.chunker == {"name": "lines"}
    assert snapshot.split == kit.split
    assert snapshot.texts([4, 0, 0]) == ["b line 1", "a line 0", "a line 0"]


def test_float32_is_kept_exactly_on_request(kit, workspace):
    encoded = kit.encoded("a")
    corpus = kit.corpus(workspace, dtype="float32")
    corpus.append([encoded])
    np.testing.assert_array_equal(corpus.snapshot().vectors, encoded.vectors)


def test_an_append_is_one_version(kit, workspace):
    corpus = kit.corpus(workspace)
    start = corpus.version
    assert corpus.append([kit.encoded("a"), kit.encoded("b")]) == start + 1
    assert corpus.append([kit.encoded("c")]) == start + 2
    assert corpus.append([]) == start + 2


def test_a_generation_reads_the_same_after_growth(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("a")])
    corpus.tag("small")
    before = open_snapshot(workspace, "c@small")
    corpus.append([kit.encoded("b", seed=5)])
    after = open_snapshot(workspace, "c@small")

    assert before.label == "c@small"
    assert before.fingerprint == after.fingerprint
    np.testing.assert_array_equal(before.vectors, after.vectors)
    assert len(open_snapshot(workspace, "c")) == 6
    assert open_snapshot(workspace, "c").label == "c"
    assert after.texts([2]) == ["a line 2"]


def test_a_version_reads_by_its_number(kit, workspace):
    corpus = kit.corpus(workspace)
    version = corpus.append([kit.encoded("a")])
    corpus.append([kit.encoded("b")])
    assert len(corpus.snapshot(version)) == 3
    assert corpus.snapshot(version).label == "c"
    assert corpus.info(version).documents == 1
    with pytest.raises(NotFoundError, match="no version 9, only 1 to 3"):
        corpus.snapshot(9)


def test_a_version_without_a_tag_has_a_name(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("a")])
    corpus.append([kit.encoded("b")])
    snapshot = open_snapshot(workspace, "c@v2")
    assert (len(snapshot), snapshot.label, snapshot.tag, snapshot.version) == (3, "c@v2", None, 2)
    assert snapshot.fingerprint == corpus.snapshot(2).fingerprint
    assert corpus.info("v2").documents == 1
    assert open_snapshot(workspace, "c").label == "c"
    with pytest.raises(NotFoundError, match="no version 9, only 1 to 3"):
        open_snapshot(workspace, "c@v9")
    for name in ("2", "v0", "v02", "V2"):
        with pytest.raises(NotFoundError, match=rf"no tag '{name}'.*the newest c@v3"):
            open_snapshot(workspace, f"c@{name}")


def test_a_tag_is_no_version_number_but_an_old_one_goes_first(kit, workspace):
    corpus = kit.corpus(workspace)
    with pytest.raises(UsageError, match="'v3' names a version of a corpus by its number"):
        corpus.tag("v3")
    corpus.append([kit.encoded("a")])
    corpus._dataset.tags.create("v3", 2)  # as an older nextvec let it be
    corpus.append([kit.encoded("b")])
    snapshot = open_snapshot(workspace, "c@v3")
    assert (snapshot.version, snapshot.tag, snapshot.label) == (2, "v3", "c@v3")


def test_an_unused_corpus_is_made_anew_and_a_used_one_is_not(kit, workspace):
    corpus, other = kit.corpus(workspace), Corpus.open(workspace, "c")
    corpus.remake(replace(corpus.metadata, chunker={"name": "other"}))
    with pytest.raises(MismatchError, match="made anew by another process"):
        other.append([kit.encoded("a")])
    corpus.append([kit.encoded("a")])
    assert open_snapshot(workspace, "c").chunker == {"name": "other"}
    with pytest.raises(MismatchError, match="is in use by now"):
        corpus.remake(other.metadata)


def test_an_older_version_can_be_given_a_tag(kit, workspace):
    corpus = kit.corpus(workspace)
    older = corpus.version
    corpus.append([kit.encoded("later")])
    assert corpus.tag("before", f"v{older}") == older
    assert corpus.tag("now") == corpus.version == older + 1
    with pytest.raises(NotFoundError, match="no version 99"):
        corpus.tag("never", "v99")
    assert list(corpus.tags()) == ["before", "now"]


def test_a_tag_never_moves(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("a")])
    assert corpus.tag("small") == corpus.tag("small")
    corpus.append([kit.encoded("b")])
    with pytest.raises(UsageError, match="tag 'small' already, on version 2"):
        corpus.tag("small")
    corpus.tag("large")
    assert list(corpus.tags()) == ["small", "large"]


def test_unknown_names_are_errors_that_list_the_known(kit, workspace):
    kit.corpus(workspace, "wiki").tag("small")
    with pytest.raises(NotFoundError, match=r"no corpus 'wikki'.*Known: wiki"):
        Corpus.open(workspace, "wikki")
    with pytest.raises(NotFoundError, match=r"no tag 'large'.*Known: small"):
        open_snapshot(workspace, "wiki@large")


def test_a_corpus_is_created_once(kit, workspace):
    kit.corpus(workspace)
    with pytest.raises(UsageError, match="'c' exists already"):
        kit.corpus(workspace)


def test_a_folder_left_by_a_killed_creation_is_no_corpus(kit, workspace):
    folder = workspace.corpus("c")
    for part in ("data", "_versions", "_transactions"):
        (folder / part).mkdir(parents=True)
    (folder / "_transactions" / "0-x.txn").write_bytes(b"half")
    assert corpus_names(workspace) == []
    with pytest.raises(NotFoundError):
        Corpus.open(workspace, "c")

    kit.corpus(workspace).append([kit.encoded("a")])
    assert len(open_snapshot(workspace, "c")) == 3


def test_files_left_by_a_killed_append_are_ignored(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("a")])
    (workspace.corpus("c") / "data" / "half.lance").write_bytes(b"half a file")
    (workspace.corpus("c") / "_versions" / "18446744073709551611.manifest#1").write_bytes(b"half")
    Corpus.open(workspace, "c").append([kit.encoded("b")])
    assert open_snapshot(workspace, "c").offsets.tolist() == [0, 3, 6]


def test_a_dataset_of_somebody_else_is_refused(workspace):
    import lance
    import pyarrow as pa

    workspace.corpora.mkdir(parents=True)
    lance.write_dataset(pa.table({"x": [1]}), workspace.corpus("c"))
    with pytest.raises(IntegrityError, match="without nextvec's metadata"):
        Corpus.open(workspace, "c")


def test_a_damaged_manifest_is_an_integrity_error(kit, workspace):
    kit.corpus(workspace)
    for manifest in workspace.corpus("c").glob("_versions/*.manifest"):
        manifest.write_bytes(b"damaged")
    with pytest.raises(IntegrityError, match="cannot be read as a corpus"):
        Corpus.open(workspace, "c")


def test_a_path_that_the_locale_does_not_know_is_no_damage(kit, tmp_path):
    """Python reads names as half surrogate pairs there; what is stored under them must not be called damaged."""
    kit.corpus(Workspace(tmp_path / "wö rk"))
    known = Path(os.fsencode(tmp_path / "wö rk").decode("ascii", "surrogateescape"))
    with pytest.raises(UsageError, match="letters that this locale does not know, set PYTHONUTF8=1"):
        Corpus.open(Workspace(known), "c")


@pytest.mark.parametrize(
    ("value", "what"), [(np.nan, "is not finite"), (np.inf, "is not finite"), (0.0, "is zero"), (3.0, "norm 1")]
)
def test_bad_vectors_are_refused_by_name(kit, workspace, value, what):
    corpus = kit.corpus(workspace)
    bad = kit.encoded("bad")
    bad.vectors[1] = value
    with pytest.raises(DataError, match=rf"document 'bad': the vector of chunk 1 .*{what}"):
        corpus.append([kit.encoded("good"), bad])
    assert len(corpus.snapshot()) == 0


def test_wrong_shapes_are_refused(kit, workspace):
    with pytest.raises(DataError, match=r"document 'a': vectors \(3, 4\) for 3 chunks, expected \(chunks, 8\)"):
        kit.corpus(workspace).append([kit.encoded("a", dim=4)])


def test_an_id_is_stored_once(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("a")])
    with pytest.raises(DataError, match="holds a document 'a' already"):
        Corpus.open(workspace, "c").append([kit.encoded("b"), kit.encoded("a")])
    with pytest.raises(DataError, match="holds a document 'b' already"):
        corpus.append([kit.encoded("b"), kit.encoded("b")])
    assert list(corpus.known_documents()) == ["a"]


def test_duplicate_chunks_are_kept(kit, workspace):
    corpus = kit.corpus(workspace)
    encoded = kit.encoded("a")
    encoded.vectors[1] = encoded.vectors[0]
    corpus.append([encoded])
    assert len(corpus.snapshot()) == 3


def test_two_objects_of_one_corpus_see_each_others_documents(kit, workspace):
    left, right = kit.corpus(workspace), Corpus.open(workspace, "c")
    left.append([kit.encoded("a")])
    right.append([kit.encoded("b")])
    left.append([kit.encoded("c")])
    snapshot = open_snapshot(workspace, "c")
    assert [record.doc_id for record in snapshot.documents] == ["a", "b", "c"]
    assert snapshot.offsets.tolist() == [0, 3, 6, 9]


def test_the_fingerprint_is_of_the_content_not_of_the_commits(kit, workspace):
    one, two, other = (kit.corpus(workspace, name) for name in ("one", "two", "other"))
    documents = [kit.encoded("a", seed=1), kit.encoded("b", seed=2)]
    one.append(documents)
    for document in documents:
        two.append([document])
    other.append([documents[0], kit.encoded("b", seed=3)])

    assert one.snapshot().fingerprint == two.snapshot().fingerprint
    assert one.snapshot().fingerprint != other.snapshot().fingerprint


def test_info_tells_what_a_version_holds(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("a"), kit.encoded("b", 2)])
    corpus.tag("small")
    corpus.append([kit.encoded("c")])
    info = corpus.info("small")
    assert (info.documents, info.chunks, info.version) == (2, 5, 2)
    assert corpus.info().documents == 3
    assert info.to_dict()["encoder"]["fingerprint"] == kit.spec.fingerprint
    assert info.tags == {"small": 2}
    assert info.to_dict()["breaks"] == {"begins": 0, "unknown": 5}


@pytest.mark.parametrize("split", [{"salt": "x"}, {"salt": "x", "test": 200, "validation": 200}])
def test_a_split_is_checked_when_a_corpus_is_made(kit, workspace, split):
    with pytest.raises(UsageError, match="split"):
        Corpus.create(workspace, "c", encoder=kit.spec, chunker={}, split=split)


def test_an_unknown_dtype_names_the_nearest(kit, workspace):
    with pytest.raises(UsageError, match="Did you mean 'float16'"):
        kit.corpus(workspace, dtype="float61")


def test_nothing_is_cleaned_up_by_itself(kit, workspace):
    corpus = kit.corpus(workspace)
    for number in range(25):
        corpus.append([kit.encoded(f"d{number}", 2)])
    assert len(list(workspace.corpus("c").glob("_versions/*.manifest"))) == 26
