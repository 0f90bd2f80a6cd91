"""By how much more each mean weighs where it is known whether the next chunk begins a paragraph.

A chunk that goes on with its paragraph is like the ones right before it, one that begins a paragraph like the document
so far. Scalar least squares for each of the two, less that for both together: a handful of numbers, which what was
regressed on the same targets before does not spoil.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from nextvec.models.scalar_weights import ScalarWeights
from nextvec.models.targets import TargetBatch
from nextvec.structure import BEGINS, CONTINUES

KINDS = (CONTINUES, BEGINS)


def weight_shifts(
    means: Callable[[TargetBatch], Tensor], train: Iterable[TargetBatch], device: torch.device
) -> Tensor | None:
    """(2, K) float64, of targets that go on with their paragraph and of those that begin one: the weights of `means`
    (B, T, K, D) for them, less those for all of both; None where there is no target of one kind."""
    sums = [ScalarWeights(device), ScalarWeights(device)]
    for batch in train:
        if batch.begins_BT is not None:
            means_BTKD = means(batch)
            for own, some_BT in zip(sums, _each_kind(batch, batch.begins_BT), strict=True):
                own.add(means_BTKD[some_BT], batch.target_BTD[some_BT])
    if not all(own.count for own in sums):
        return None
    both_K = (sums[0] + sums[1]).solve()
    return torch.stack([own.solve() - both_K for own in sums])


def constants(left_over: Callable[[TargetBatch], Tensor], train: Iterable[TargetBatch]) -> Tensor:
    """(2, D) float32: the mean of what is `left_over` (B, T, D) at targets of each kind, zero where there is none."""
    totals: list[Tensor] = []
    counts = [0, 0]
    for batch in train:
        if batch.begins_BT is not None:
            rest_BTD = left_over(batch)
            masks = list(_each_kind(batch, batch.begins_BT))
            own = [rest_BTD[some_BT].double().sum(0) for some_BT in masks]
            totals = [total_D + own_D for total_D, own_D in zip(totals, own, strict=True)] if totals else own
            counts = [count + int(some_BT.sum()) for count, some_BT in zip(counts, masks, strict=True)]
    return torch.stack([total_D / max(count, 1) for total_D, count in zip(totals, counts, strict=True)]).float()


def _each_kind(batch: TargetBatch, begins_BT: Tensor) -> Iterator[Tensor]:
    """(B, T) bool, the targets of each of `KINDS`."""
    return (batch.target_mask_BT & (begins_BT == kind) for kind in KINDS)
