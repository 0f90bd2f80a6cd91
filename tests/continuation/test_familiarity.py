"""Whether a corpus knows anything like a text: beside what is usual for its held-out documents."""

from dataclasses import replace

import numpy as np
import pytest

from nextvec.continuation import familiarity
from nextvec.continuation.familiarity import Familiarity, Usual, doubt, nearest_cosines
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import MismatchError
from nextvec.records import read_json, write_json
from nextvec.retrieval.index import build_index
from nextvec.retrieval.neighbours import rows_of
from nextvec.sequences.splits import split_snapshot
from nextvec.store.snapshot import Snapshot

D, DOCUMENTS, CHUNKS = 16, 400, 6


def corpus(documents: int = DOCUMENTS, chunks: int = CHUNKS) -> Snapshot:
    """Vectors around the first axes: the last four are in nobody's text."""
    random = np.random.default_rng(3)
    vectors = random.normal(size=(documents * chunks, D)) * (np.arange(D) < D - 4)
    return Snapshot.from_arrays(
        "known",
        (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
        np.arange(documents + 1) * chunks,
        [f"d{number}" for number in range(documents)],
        encoder=EncoderSpec(name="fake", dim=D),
    )


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return corpus()


def test_held_out_passages_are_known_but_for_a_few(snapshot: Snapshot) -> None:
    index, split = build_index(snapshot), split_snapshot(snapshot)
    usual = Usual.of(snapshot, index)
    untrained = ~rows_of(snapshot.offsets, split.train)
    for length in (1, 2, 4):
        told = [
            usual.judge(nearest_cosines(index, snapshot.vectors[start : start + length], untrained))
            for start in snapshot.offsets[split.test]
        ]
        assert np.mean([each is not None and each.known for each in told]) > 0.85


def test_what_lies_elsewhere_is_not_known(snapshot: Snapshot) -> None:
    index = build_index(snapshot)
    usual = Usual.of(snapshot, index)
    for length in (1, 3, 9):
        told = usual.judge(nearest_cosines(index, np.eye(D, dtype=np.float32)[[-1] * length], None))
        assert told is not None
        assert not told.known
        assert told.nearest == pytest.approx(0, abs=1e-6)
        assert told.least < told.usual
        assert told.to_dict()["known"] is False


def test_more_chunks_are_judged_more_strictly(snapshot: Snapshot) -> None:
    usual = Usual.of(snapshot, build_index(snapshot))
    assert len(usual.least) == familiarity.LONGEST
    assert usual.least[0] < usual.least[-1]
    assert np.ptp(usual.usual) < 0.05


def test_the_last_chunks_count(snapshot: Snapshot) -> None:
    usual = Usual.of(snapshot, build_index(snapshot))
    assert usual.judge(np.array([0.0, 0.0, *[0.9] * familiarity.LONGEST])) == usual.judge(np.array([0.9] * 4))


def test_documents_shorter_than_a_passage_say_what_they_can() -> None:
    short = corpus(chunks=2)
    usual = Usual.of(short, build_index(short))
    assert len(usual.usual) == 2
    told = usual.judge(np.array([0.1, 0.9, 0.9]))
    assert told is not None
    assert told.nearest == pytest.approx(0.9)


def test_few_held_out_documents_say_nothing() -> None:
    few = corpus(documents=100)
    usual = Usual.of(few, build_index(few))
    assert usual.judge(np.array([0.0])) is None
    assert doubt(None, "few") == "Whether few knows such texts cannot be told: it takes 24 held-out documents or more"


def test_a_known_text_is_not_commented_and_a_strange_one_is() -> None:
    assert doubt(Familiarity(nearest=0.5, usual=0.6, least=0.4), "mine") == ""
    told = doubt(Familiarity(nearest=0.25, usual=0.6, least=0.4), "mine")
    assert told.startswith("mine knows nothing like this text")
    assert told.endswith("cosine 0.25; for held-out texts of the corpus that is 0.60, seldom below 0.40")


def test_it_is_kept_and_found_anew_when_damaged(snapshot: Snapshot, tmp_path, monkeypatch) -> None:
    kept = replace(snapshot, cache=tmp_path)
    index = build_index(kept)
    found = Usual.of(kept, index)
    (path,) = (tmp_path / "familiarity").iterdir()
    with monkeypatch.context() as patched:
        patched.setattr(familiarity, "nearest_cosines", None)
        assert Usual.of(kept, index) == found
    write_json(path, {})
    assert Usual.of(kept, index) == found
    assert read_json(path)["usual"] == list(found.usual)


def test_where_nothing_is_found_all_is_far(snapshot: Snapshot) -> None:
    nothing = np.ones(len(snapshot), dtype=bool)
    assert nearest_cosines(build_index(snapshot), snapshot.vectors[:2], nothing).tolist() == [-1, -1]


def test_an_index_of_another_corpus_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(MismatchError, match="index"):
        Usual.of(snapshot, build_index(corpus(documents=100)))
