"""Losses on unit vectors. Each is a module called with a `Targets`; what it must remember (an EMA) is a buffer and so
part of a checkpoint. Several processes that share a batch out come to the loss and the gradient of one that has it all,
up to rounding: each has the whole batch's targets to contrast with, for no gradient goes through them.

On unit vectors the mean-squared error averaged over D is (2 - 2 cos) / D: tiny, and of another unit than InfoNCE.
`balanced` therefore adds the two by the size of their gradients at the prediction, never by their values.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextvec.registry import Registry
from nextvec.sequences.batches import Batch
from nextvec.training.processes import norm_over_processes

LOSSES: Registry[type[nn.Module]] = Registry("losses", "nextvec.training")

RHO = 0.3
"""Share of the regression gradient's norm that `balanced` gives to the contrastive one."""
NO_GRADIENT = 1e-9
"""Gradients below this norm are rounding: every candidate was excluded, or is all but certain."""


@dataclass(frozen=True, slots=True)
class Targets:
    """N predictions and what they should have been: unit vectors (N, D), and where they stand, int64 (N,).

    `row` is the target's row in the corpus; `first` the first row that the prediction has seen: it saw all of
    first .. row - 1, and nothing else. `candidate` (M, D) and `candidate_row` (M,) are the targets of the whole batch,
    every row once; a process has some of them as its own. `share` is what its mean weighs in that of the batch: N / M,
    or 0 where another process has the same targets.
    """

    prediction: Tensor
    target: Tensor
    row: Tensor
    first: Tensor
    candidate: Tensor
    candidate_row: Tensor
    share: float = 1.0

    @classmethod
    def from_batch(cls, prediction_BSD: Tensor, own: Batch, whole: Batch | None = None, share: float = 1.0) -> Targets:
        """The real targets of a process's `own` part of a `whole` batch (None: it has all of it).

        `prediction_BSD` has the shape of its targets.
        """
        target, row = _real_targets(own)
        candidate, candidate_row = (target, row) if whole is None or whole is own else _real_targets(whole)
        mask_BS = own.target_mask_BT
        first = own.seen_from_B[:, None].expand_as(mask_BS)[mask_BS]
        return cls(prediction_BSD[mask_BS], target, row, first, candidate, candidate_row, share)


def _real_targets(batch: Batch) -> tuple[Tensor, Tensor]:
    return batch.target_BTD[batch.target_mask_BT], batch.rows_BT[batch.target_mask_BT]


@LOSSES.register("cosine")
class CosineLoss(nn.Module):
    """1 - cosine, mean over targets, [0, 2]."""

    def forward(self, targets: Targets) -> Tensor:
        return 1.0 - (targets.prediction * targets.target).sum(-1).mean()


@LOSSES.register("mse")
class MSELoss(nn.Module):
    """Mean-squared error, mean over targets and dimensions, [0, 4 / D]; equals (2 - 2 cosine) / D."""

    def forward(self, targets: Targets) -> Tensor:
        return F.mse_loss(targets.prediction, targets.target)


@LOSSES.register("infonce")
class InfoNCELoss(nn.Module):
    """Contrastive loss (van den Oord et al. 2018, arXiv 1807.03748) at temperature 0.07, in nats.

    Candidates are the whole batch's targets. Not negatives: targets that the prediction has seen (its context, and what
    its anchor has seen before that), and targets closer than cosine 0.95 to the true one.
    """

    temperature = 0.07
    duplicate = 0.95

    def forward(self, targets: Targets) -> Tensor:
        logits_NM = targets.prediction @ targets.candidate.T / self.temperature
        itself_NM = targets.row[:, None] == targets.candidate_row
        logits_NM = logits_NM.masked_fill(~(itself_NM | self.negatives(targets)), float("-inf"))
        return F.cross_entropy(logits_NM, itself_NM.int().argmax(dim=1))

    def negatives(self, targets: Targets) -> Tensor:
        """(N, M) bool: the candidates that each prediction is set against."""
        row_N1, first_N1, row_M = targets.row[:, None], targets.first[:, None], targets.candidate_row
        seen_NM = (first_N1 <= row_M) & (row_M < row_N1)
        duplicate_NM = targets.target @ targets.candidate.T > self.duplicate
        return ~(seen_NM | duplicate_NM | (row_N1 == row_M))


@LOSSES.register("balanced")
class BalancedLoss(nn.Module):
    """Cosine loss + s x InfoNCE; s keeps the contrastive gradient at the prediction at `rho` of the cosine one's norm.

    s is an exponential moving average (0.99) of the ratio of norms, clipped to [1e-3, 1e3]; the norms are those of the
    whole batch, so it is one in all processes. A batch without negatives has no contrastive gradient and leaves s as it
    is.
    """

    memory = 0.99
    scale: Tensor

    def __init__(self, rho: float = RHO) -> None:
        super().__init__()
        self.rho = rho
        self.regression, self.contrast = CosineLoss(), InfoNCELoss()
        self.register_buffer("scale", torch.tensor(float("nan")))

    def forward(self, targets: Targets) -> Tensor:
        regression, contrast = self.regression(targets), self.contrast(targets)
        if self.training and targets.prediction.requires_grad:
            self._update(targets, regression, contrast)
        return regression + self.scale.nan_to_num(0.0) * contrast

    def _update(self, targets: Targets, regression: Tensor, contrast: Tensor) -> None:
        norms = [_gradient_norm(part, targets) for part in (regression, contrast)]
        wanted = (self.rho * norms[0] / norms[1]).clamp(1e-3, 1e3)
        averaged = torch.where(self.scale.isnan(), wanted, self.memory * self.scale + (1 - self.memory) * wanted)
        self.scale = torch.where(norms[1] > NO_GRADIENT, averaged, self.scale)


def _gradient_norm(part: Tensor, targets: Targets) -> Tensor:
    """Of the whole batch's loss, at its predictions; `part` is the mean of this process's own."""
    gradient_ND = torch.autograd.grad(part, targets.prediction, retain_graph=True)[0]
    return norm_over_processes(targets.share * gradient_ND)
