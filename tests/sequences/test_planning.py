"""What batches are made of is planned as well as by looking at every plan there is, and as by going one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nextvec.sequences.planning import BATCH_COST, POOLS_AT_ONCE, Sequences, by_length, cheapest_cuts, part_of, shuffled


def test_cheapest_cuts_equal_brute_force() -> None:
    lengths, capacity = np.sort(np.random.default_rng(2).integers(1, 20, 10)), 40

    def cost(cuts: tuple[int, ...]) -> float:
        edges = [0, *cuts, len(lengths)]
        spans = list(itertools.pairwise(edges))
        sizes = [(end - first) * int(lengths[end - 1]) for first, end in spans]
        allowed = all(size <= capacity or end - first == 1 for size, (first, end) in zip(sizes, spans, strict=True))
        return sum(sizes) + len(sizes) * BATCH_COST * capacity if allowed else float("inf")

    every = [cuts for r in range(len(lengths)) for cuts in itertools.combinations(range(1, len(lengths)), r)]
    assert cost(tuple(cheapest_cuts([lengths], capacity)[0])) == pytest.approx(min(map(cost, every)))


def one_by_one(lengths: list[int], capacity: int) -> list[int]:
    """The slow twin of `cheapest_cuts`: one pool, one sequence after another, one start of its batch after another."""
    cost, start = [0.0], [0]
    for end, longest in enumerate(lengths, start=1):
        firsts = range(max(0, end - max(1, capacity // longest)), end)
        after = [cost[first] + (end - first) * longest for first in firsts]
        cost.append(min(after) + BATCH_COST * capacity)
        start.append(firsts[after.index(min(after))])
    cuts, first = [], start[-1]
    while first > 0:
        cuts.append(first)
        first = start[first]
    return cuts[::-1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("capacity", [1, 16, 128])
def test_pools_are_cut_in_step_as_one_by_one(seed: int, capacity: int) -> None:
    random = np.random.default_rng(seed)
    pools = [np.sort(random.integers(1, 40, random.integers(1, 60))) for _ in range(7)]
    assert cheapest_cuts(pools, capacity) == [one_by_one(pool.tolist(), capacity) for pool in pools]


def test_more_pools_than_are_cut_at_once_are_cut() -> None:
    lengths = np.random.default_rng(0).integers(1, 9, 3 * POOLS_AT_ONCE)
    pools = np.array_split(np.arange(len(lengths)), POOLS_AT_ONCE + 1)
    batches = by_length(lengths, pools, 8)
    alone = [batch for pool in pools for batch in by_length(lengths, [pool], 8)]
    assert [batch.tolist() for batch in batches] == [batch.tolist() for batch in alone]
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))


def test_no_batch_is_empty_where_every_sequence_is_longer_than_a_batch() -> None:
    batches = shuffled(np.full(3, 1000), 1, np.random.default_rng(0))
    assert sorted(batch.tolist() for batch in batches) == [[0], [1], [2]]


def test_a_part_is_as_wide_as_the_batch() -> None:
    first, length = np.array([0, 10, 20]), np.array([1, 2, 4])
    whole = Sequences(first, length, first, width=4)
    part = part_of(whole, 1, 2, contrast=True)
    assert part.own.index.tolist() == [[10, 11, 12, 12, 12]]
    assert part.own.target_rows.tolist() == [[11, 12, -1, -1]]
    assert part.share == 2 / 7
    assert part.index.tolist() == [10, 11, 12, 12, 12, 1, 1, 1, 1, 11, 12, 12, 12, 21, 22, 23, 24]


def test_where_there_are_too_few_sequences_the_first_one_stands_in() -> None:
    whole = Sequences(np.array([3]), np.array([2]), np.array([3]), width=2)
    part = part_of(whole, 1, 2, contrast=False)
    assert (part.own.index.tolist(), part.share) == ([[3, 4, 5]], 0)
