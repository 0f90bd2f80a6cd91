"""What a batch is made of is planned as well as by looking at every plan there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nextvec.sequences.planning import BATCH_COST, cheapest_cuts


def test_cheapest_cuts_equal_brute_force() -> None:
    lengths, capacity = sorted(np.random.default_rng(2).integers(1, 20, 10).tolist()), 40

    def cost(cuts: tuple[int, ...]) -> float:
        edges = [0, *cuts, len(lengths)]
        spans = list(itertools.pairwise(edges))
        sizes = [(end - first) * lengths[end - 1] for first, end in spans]
        allowed = all(size <= capacity or end - first == 1 for size, (first, end) in zip(sizes, spans, strict=True))
        return sum(sizes) + len(sizes) * BATCH_COST * capacity if allowed else float("inf")

    every = [cuts for r in range(len(lengths)) for cuts in itertools.combinations(range(1, len(lengths)), r)]
    assert cost(tuple(cheapest_cuts(lengths, capacity))) == pytest.approx(min(map(cost, every)))
