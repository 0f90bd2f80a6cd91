"""Chunks behind an answer, and masks over documents."""

import numpy as np
import pytest

from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import MismatchError
from nextvec.retrieval.index import ExactIndex, build_index
from nextvec.retrieval.neighbours import nearest_chunks, rows_of
from nextvec.store.snapshot import Snapshot


@pytest.fixture
def snapshot() -> Snapshot:
    return Snapshot.from_arrays(
        "axes",
        np.eye(5, dtype=np.float32),
        np.array([0, 2, 5]),
        ["first", "second"],
        encoder=EncoderSpec(name="fake", dim=5),
        texts=["zero", "one", "two", "three", "four"],
    )


def test_chunks_come_with_text_and_place(snapshot: Snapshot) -> None:
    query = np.array([[0, 0, 0.6, 0.8, 0]], dtype=np.float32)
    best, second = nearest_chunks(snapshot, build_index(snapshot), query, k=2)[0]
    assert (best.text, best.document, best.position, best.row) == ("three", "second", 1, 3)
    assert best.similarity == pytest.approx(0.8)
    assert second.text == "two"


def test_one_list_for_each_vector_and_no_more_than_there_is(snapshot: Snapshot) -> None:
    found = nearest_chunks(snapshot, build_index(snapshot), np.eye(5, dtype=np.float32), k=9)
    assert [chunks[0].text for chunks in found] == ["zero", "one", "two", "three", "four"]
    assert {len(chunks) for chunks in found} == {5}


def test_excluded_documents_give_no_chunk(snapshot: Snapshot) -> None:
    mask = rows_of(snapshot.offsets, [1])
    assert mask.tolist() == [False, False, True, True, True]
    found = nearest_chunks(snapshot, build_index(snapshot), np.eye(5, dtype=np.float32), k=3, excluded=mask)
    assert {chunk.document for chunks in found for chunk in chunks} == {"first"}
    assert {len(chunks) for chunks in found} == {2}


def test_an_index_of_something_else_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(MismatchError, match="bare vectors, the snapshot is axes"):
        nearest_chunks(snapshot, ExactIndex(snapshot.vectors), np.eye(5, dtype=np.float32))
