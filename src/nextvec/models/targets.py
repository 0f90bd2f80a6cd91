"""What a batch asks of a network: the targets, where they stand, and what there is to contrast them with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from nextvec.ahead import Ahead
from nextvec.heading import NextHeading


class TargetBatch(Protocol):
    """What a baseline is fitted on: `sequences.batches.Batch`, or anything with these tensors."""

    @property
    def x_BTD(self) -> Tensor: ...
    @property
    def mask_BT(self) -> Tensor: ...
    @property
    def breaks_BT(self) -> Tensor | None: ...
    @property
    def heading(self) -> NextHeading | None: ...
    @property
    def begins_BT(self) -> Tensor | None: ...
    @property
    def target_BTD(self) -> Tensor: ...
    @property
    def target_mask_BT(self) -> Tensor: ...


def ahead_of(batch: TargetBatch, *, begins: bool = False) -> Ahead | None:
    """What is told of a batch's targets: the heading that each stands under, and where that is to be known too, whether
    it `begins` a paragraph."""
    return Ahead.of(batch.begins_BT if begins else None, batch.heading)


class BatchTargets(Protocol):
    """The targets of a batch, and where in the corpus they stand."""

    @property
    def target_BTD(self) -> Tensor: ...
    @property
    def target_mask_BT(self) -> Tensor: ...
    @property
    def rows_BT(self) -> Tensor: ...
    @property
    def seen_from_B(self) -> Tensor: ...


class TrainingBatch(TargetBatch, BatchTargets, Protocol):
    """What a network is trained on."""

    @property
    def next_BT(self) -> Tensor | None: ...
    @property
    def bases(self) -> Mapping[str, Tensor]: ...


@dataclass(frozen=True, slots=True)
class Targets:
    """N targets, unit vectors (N, D), and where they stand, int64 (N,).

    `row` is the target's row in the corpus; `first` the first row that its prediction has seen: it saw all of
    first .. row - 1, and nothing else; `mask_BS` says where in the batch they are. `candidate` (M, D), `candidate_row`
    and `candidate_first` (M,) are the targets of the whole batch, every row once; a process has some of them as its
    own, and only them where no head contrasts. `share` is what its mean weighs in that of the batch: N / M, or 0 where
    another process has the same targets.
    """

    target: Tensor
    row: Tensor
    first: Tensor
    candidate: Tensor
    candidate_row: Tensor
    candidate_first: Tensor
    mask_BS: Tensor
    share: float = 1.0

    @classmethod
    def of(cls, own: TrainingBatch, whole: BatchTargets | None = None, share: float = 1.0) -> Targets:
        """The real targets of a process's `own` part of a `whole` batch (None: nothing contrasts with others)."""
        mine = _real_targets(own)
        return cls(*mine, *(mine if whole is None or whole is own else _real_targets(whole)), own.target_mask_BT, share)


def _real_targets(batch: BatchTargets) -> tuple[Tensor, Tensor, Tensor]:
    """Vectors, rows, and the first row that each prediction has seen."""
    mask_BS = batch.target_mask_BT
    first = batch.seen_from_B[:, None].expand_as(mask_BS)[mask_BS]
    return batch.target_BTD[mask_BS], batch.rows_BT[mask_BS], first
