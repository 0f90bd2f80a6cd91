"""Lance's index: recall, exclusion, a cache that is never stale, and the choice of it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nextvec.corpus.document import Chunk, Document
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import UsageError
from nextvec.retrieval import index as index_module
from nextvec.retrieval import on_disk
from nextvec.retrieval.index import build_index, recall_against_exact
from nextvec.retrieval.on_disk import OnDiskConfig, OnDiskIndex
from nextvec.storage import Place
from nextvec.store.encoded import EncodedDocument
from nextvec.store.metadata import DEFAULT_SPLIT
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus, open_snapshot
from nextvec.workspace import Workspace

DIM, DOCUMENTS, LENGTH = 32, 60, 50


def documents_of(vectors):
    for number, rows in enumerate(vectors.reshape(-1, LENGTH, DIM)):
        texts = [f"{number} {i}" for i in range(LENGTH)]
        document = Document(id=f"d{number}", title="", text=" ".join(texts), source="test", licence="")
        chunks = [Chunk(text=text, position=i, start=0, end=1) for i, text in enumerate(texts)]
        yield EncodedDocument(document=document, chunks=chunks, vectors=rows)


def new_corpus(place):
    spec = EncoderSpec(name="fake", dim=DIM)
    return Corpus.create(place, "c", encoder=spec, chunker={"name": "lines"}, split=DEFAULT_SPLIT)


def clustered(seed=0, size=DOCUMENTS * LENGTH):
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(7).standard_normal((60, DIM))
    rows = centres[generator.integers(60, size=size)] + 0.4 * generator.standard_normal((size, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A corpus in three parts, as three ingests leave it."""
    place = Workspace(tmp_path_factory.mktemp("on-disk"))
    corpus = Corpus.create(
        place, "c", encoder=EncoderSpec(name="fake", dim=DIM), chunker={"name": "lines"}, split=DEFAULT_SPLIT
    )
    documents = list(documents_of(clustered()))
    for first in (0, 10, 35):
        corpus.append(documents[first : {0: 10, 10: 35, 35: DOCUMENTS}[first]])
    corpus.tag("t")
    return place


@pytest.fixture
def snapshot(grown):
    return open_snapshot(grown, "c@t")


@pytest.fixture(scope="module")
def index(grown):
    return OnDiskIndex.of(open_snapshot(grown, "c@t"), OnDiskConfig(), grown)


def test_finds_nearly_all_that_the_exact_index_finds(index, snapshot):
    exact, queries = build_index(snapshot, "exact"), clustered(1, 50)
    assert recall_against_exact(index, exact, queries) >= 0.98
    assert index.recall >= OnDiskConfig().recall
    found, true = index.search(queries, 1), exact.search(queries, 1)
    same = found.rows == true.rows
    np.testing.assert_allclose(found.scores[same], true.scores[same], atol=1e-6)


def test_rows_are_those_of_the_snapshot_in_every_part(index, snapshot):
    asked = snapshot.vectors[::97].astype(np.float32)
    np.testing.assert_array_equal(index.search(asked, 1).rows[:, 0], np.arange(0, len(snapshot), 97))


def test_excluded_rows_never_come_and_enough_others_do(index, snapshot):
    query = snapshot.vectors[:1].astype(np.float32)
    excluded = np.ones(len(snapshot), dtype=bool)
    excluded[[5, 700, 2_999]] = False
    found = index.search(query, 5, excluded)
    assert sorted(found.rows[0].tolist()) == [-1, -1, 5, 700, 2_999]
    assert np.isneginf(found.scores[0, 3:]).all()


def test_it_is_kept_and_built_again_only_for_what_does_not_fit(grown, index, snapshot, monkeypatch):
    built = []
    build = on_disk._build
    monkeypatch.setattr(on_disk, "_build", lambda *given: built.append(1) or build(*given))
    again = OnDiskIndex.of(snapshot, OnDiskConfig(), grown)
    assert (built, again.spec, again.recall) == ([], index.spec, index.recall)
    OnDiskIndex.of(snapshot, OnDiskConfig(probes=2), grown)
    assert built == []
    OnDiskIndex.of(snapshot, OnDiskConfig(lists=3, probes=3), grown)
    assert built == [1]


def test_it_survives_a_compaction_of_its_corpus(tmp_path):
    place = Workspace(tmp_path)
    corpus = Corpus.create(
        place, "c", encoder=EncoderSpec(name="fake", dim=DIM), chunker={"name": "lines"}, split=DEFAULT_SPLIT
    )
    for document in list(documents_of(clustered()))[:12]:
        corpus.append([document])
    before = build_index(open_snapshot(place, "c"), "lance", place).search(clustered(1, 5), 8)
    corpus.compact()
    after = build_index(open_snapshot(place, "c"), "lance", place).search(clustered(1, 5), 8)
    np.testing.assert_array_equal(before.rows, after.rows)


def test_a_corpus_in_a_bucket_is_searched_and_nothing_written_there(bucket, snapshot):
    """Lance made its clone in the bucket, beside the workspace, and looked for it on this machine."""
    place = Workspace(bucket)
    new_corpus(place).append(list(documents_of(clustered())))
    before = Place(bucket.rpartition("/")[0], "").below().keys()
    for _ in range(2):
        found = build_index(open_snapshot(place, "c"), "lance", place).search(clustered()[::97], 1)
        np.testing.assert_array_equal(found.rows[:, 0], np.arange(0, len(snapshot), 97))
    assert Place(bucket.rpartition("/")[0], "").below().keys() == before
    assert not list(place.cache.glob("indexes/*/data"))


def test_two_that_build_at_once_build_once(grown, snapshot, tmp_path, monkeypatch):
    """The second one replaced what the first had opened, and its searches failed."""
    built, place = [], Workspace(tmp_path)
    build = on_disk._build
    monkeypatch.setattr(on_disk, "_build", lambda *given: built.append(1) or build(*given))
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda _: OnDiskIndex.of(snapshot, OnDiskConfig(probes=9), place), range(3)))
    assert built == [1]
    assert all(index.search(clustered()[:1], 1).rows.tolist() == [[0]] for index in made)


def test_one_that_is_searched_stays_while_another_is_built(tmp_path):
    """As by a server, while the corpus grows under its name."""
    place = Workspace(tmp_path)
    corpus, documents = new_corpus(place), list(documents_of(clustered()))
    corpus.append(documents[:10])
    served = build_index(open_snapshot(place, "c"), "lance", place)
    corpus.append(documents[10:])
    grown = build_index(open_snapshot(place, "c"), "lance", place)
    for index in (served, grown):
        assert index.search(clustered()[:1], 1).rows.tolist() == [[0]]


def test_without_a_workspace_nothing_is_left(snapshot, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    index = build_index(snapshot, "lance")
    assert index.search(clustered(1, 1), 3).rows.shape == (1, 3)
    assert list(tmp_path.iterdir())
    del index
    assert not list(tmp_path.iterdir())


def test_a_snapshot_in_memory_is_refused():
    rows = clustered(size=300)
    held = Snapshot.from_arrays("held", rows, np.array([0, 300]), ["d"], encoder=EncoderSpec(name="f", dim=DIM))
    with pytest.raises(UsageError, match="is in memory"):
        build_index(held, "lance")


def test_auto_searches_on_disk_what_memory_does_not_hold(snapshot, grown, monkeypatch):
    monkeypatch.setattr(index_module, "free_memory", lambda device: 1_000)
    assert build_index(snapshot, workspace=grown).spec.kind == "lance"
