from __future__ import annotations

import numpy as np
import pytest

from nextvec.sequences.sharing import Holdings, Sharing


def holdings(seed: int) -> Holdings:
    random = np.random.default_rng(seed)
    return Holdings.of(random.integers(0, 40, 120).astype(np.uint64), np.sort(random.integers(0, 30, 120)))


def slow_pairs(left: Holdings, right: Holdings) -> list[tuple[int, int]]:
    """One for each key in common."""
    sides = [list(zip(side.keys.tolist(), side.owners.tolist(), strict=True)) for side in (left, right)]
    return [(i, j) for key, i in sides[0] for other, j in sides[1] if key == other]


@pytest.mark.parametrize("block", [1, 7, 1_000_000])
def test_pairs_equal_the_slow_twin(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr("nextvec.sequences.sharing._BLOCK_PAIRS", block)
    left, right = holdings(0), holdings(1)
    sharing = Sharing.of(left, right)
    found = {pair for lefts, rights in sharing.pairs() for pair in zip(lefts.tolist(), rights.tolist(), strict=True)}
    assert found == set(slow_pairs(left, right))
    assert sharing.total == len(slow_pairs(left, right))


def test_every_combination_once_in_order() -> None:
    held = Holdings.of(np.array([5, 3, 5, 3], np.uint64), np.array([0, 0, 0, 1]))
    assert held.keys.tolist() == [3, 3, 5]
    assert held.owners.tolist() == [0, 1, 0]
    parts = (
        Holdings.of(np.array([5, 3], np.uint64), np.array([0, 0])),
        Holdings.of(np.array([3], np.uint64), np.array([1])),
    )
    assert [part.tolist() for part in Holdings.joined(parts)] == [part.tolist() for part in held]


def test_known_are_those_that_the_other_holds() -> None:
    left, right = holdings(0), Holdings.of(np.array([2, 39, 99], np.uint64), np.zeros(3, np.int64))
    assert set(left.known_to(right).keys.tolist()) == set(left.keys.tolist()) & {2, 39}
    assert len(left.known_to(Holdings.joined([])).keys) == 0
    assert Sharing.of(left, Holdings.joined([])).total == 0
