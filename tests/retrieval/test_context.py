"""Context filling: own chunks first, only empty slots filled, nothing twice."""

import numpy as np
import pytest

from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import MismatchError, UsageError
from nextvec.retrieval.context import FillConfig, fill_context
from nextvec.retrieval.index import ExactIndex, build_index
from nextvec.store.snapshot import Snapshot


def snapshot_of(vectors: np.ndarray, offsets: list[int]) -> Snapshot:
    return Snapshot.from_arrays(
        "fake",
        vectors.astype(np.float32),
        np.array(offsets),
        [f"d{number}" for number in range(len(offsets) - 1)],
        encoder=EncoderSpec(name="fake", dim=vectors.shape[1]),
    )


def mixed(*weights: float) -> np.ndarray:
    vector = np.array(weights, dtype=np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def snapshot() -> Snapshot:
    """Two documents; row 1 and row 4 are about axis 0, their predecessors about something else."""
    rows = [mixed(0, 1, 0, 0), mixed(0.9, 0.4, 0, 0), mixed(0, 0, 1, 0), mixed(0, 0, 0, 1), mixed(0.8, 0, 0, 0.6)]
    return snapshot_of(np.stack(rows), [0, 3, 5])


def test_a_full_context_is_left_alone(snapshot: Snapshot) -> None:
    own = np.eye(4, dtype=np.float32)[:3]
    for slots in (2, 3):
        filled = fill_context(own, slots, snapshot, build_index(snapshot))
        np.testing.assert_array_equal(filled.vectors, own)
        assert (filled.own, filled.empty, filled.duplicates, len(filled.rows)) == (3, 0, 0, 0)


def test_missing_slots_get_nearest_chunks_and_predecessors_before_the_own_ones(snapshot: Snapshot) -> None:
    own = mixed(1, 0, 0, 0)[None]
    filled = fill_context(own, 5, snapshot, build_index(snapshot), config=FillConfig(nearest=2, relevance=1))
    assert filled.rows.tolist() == [3, 4, 0, 1]
    np.testing.assert_array_equal(filled.vectors, np.concatenate([snapshot.vectors[[3, 4, 0, 1]], own]))
    np.testing.assert_allclose(filled.relevances, filled.vectors[:4] @ own[0])
    assert (filled.own, filled.empty) == (1, 0)


def test_a_first_chunk_brings_no_predecessor_from_another_document(snapshot: Snapshot) -> None:
    filled = fill_context(mixed(0, 0.3, 0, 1)[None], 5, snapshot, build_index(snapshot), config=FillConfig(nearest=1))
    assert filled.rows.tolist() == [3]
    assert filled.empty == 3


def test_duplicates_of_own_and_of_chosen_chunks_are_dropped() -> None:
    near = mixed(0.9, 0.4, 0)
    snapshot = snapshot_of(np.stack([mixed(1, 0, 0), near, near, mixed(0.7, 0, 0.7)]), [0, 1, 2, 3, 4])
    filled = fill_context(mixed(1, 0, 0)[None], 4, snapshot, build_index(snapshot))
    assert filled.rows.tolist() == [3, 1]
    assert (filled.duplicates, filled.empty) == (2, 1)


def test_relevance_trades_closeness_for_variety() -> None:
    rows = np.stack([mixed(1, 0, 0.1), mixed(1, 0, 0.3), mixed(1, 0, -0.9)])
    snapshot = snapshot_of(rows, [0, 1, 2, 3])
    own, query = mixed(0, 1, 0)[None], mixed(1, 0, 0)

    def chosen(relevance: float) -> set[int]:
        config = FillConfig(relevance=relevance)
        return set(fill_context(own, 3, snapshot, build_index(snapshot), query=query, config=config).rows.tolist())

    assert chosen(0.7) == {0, 1}
    assert chosen(0.3) == {0, 2}


def test_the_own_chunks_direct_the_search_unless_a_query_does(snapshot: Snapshot) -> None:
    own, config = mixed(0, 1, 0, 0)[None], FillConfig(nearest=1, duplicate=0.9)
    index = build_index(snapshot)
    assert fill_context(own, 2, snapshot, index, config=config).rows.tolist() == []
    assert fill_context(own, 2, snapshot, index, config=config, query=mixed(0, 0, 1, 0)).rows.tolist() == [2]


def test_excluded_rows_come_back_neither_as_nearest_nor_as_predecessor(snapshot: Snapshot) -> None:
    excluded = np.array([True, False, False, True, False])
    filled = fill_context(mixed(1, 0, 0, 0)[None], 5, snapshot, build_index(snapshot), excluded=excluded)
    assert set(filled.rows.tolist()) == {1, 2, 4}


def test_what_does_not_fit_is_refused(snapshot: Snapshot) -> None:
    index = build_index(snapshot)
    with pytest.raises(UsageError, match="at least one chunk"):
        fill_context(np.empty((0, 4), np.float32), 5, snapshot, index)
    with pytest.raises(MismatchError, match=r"needs \(chunks, 4\)"):
        fill_context(np.ones((1, 3), np.float32), 5, snapshot, index)
    with pytest.raises(MismatchError, match="Build the index"):
        fill_context(np.ones((1, 4), np.float32), 5, snapshot, ExactIndex(snapshot.vectors))
