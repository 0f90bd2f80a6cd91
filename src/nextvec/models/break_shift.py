"""By how much more each mean weighs where it is known whether the next chunk begins a paragraph.

A chunk that goes on with its paragraph is like the ones right before it, one that begins a paragraph like the document
so far. Scalar least squares for each of the two, less that for both together: a handful of numbers, which what was
regressed on the same targets before does not spoil.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from nextvec.models.scalar_weights import ScalarWeights
from nextvec.models.targets import TargetBatch
from nextvec.structure import BEGINS, CONTINUES

SIZES = (0.25, 0.5, 0.75, 1.0)
"""Of the shift that are tried on validation."""


def weight_shifts(
    means: Callable[[TargetBatch], Tensor], wanted: Callable[[TargetBatch], Tensor], train: Iterable[TargetBatch]
) -> Tensor | None:
    """(2, K) float64, of targets that go on with their paragraph and of those that begin one: the weights of `means`
    (B, T, K, D) for `wanted` (B, T, D), less those for all of them; None where there is no target of one kind."""
    sums: dict[int, ScalarWeights] = {}
    for batch in train:
        if batch.begins_BT is None:
            continue
        means_BTKD, wanted_BTD = means(batch), wanted(batch)
        for begins in (CONTINUES, BEGINS):
            some_BT = batch.target_mask_BT & (batch.begins_BT == begins)
            own = sums.setdefault(begins, ScalarWeights.of(means_BTKD.shape[2], means_BTKD.device))
            own.add(means_BTKD[some_BT], wanted_BTD[some_BT])
    if not sums or not all(own.count for own in sums.values()):
        return None
    whole_K = (sums[CONTINUES] + sums[BEGINS]).solve()
    return torch.stack([sums[begins].solve() - whole_K for begins in (CONTINUES, BEGINS)])
