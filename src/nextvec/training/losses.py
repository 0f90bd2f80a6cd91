"""Losses on unit vectors. Each is a module called with a `Targets`; what it must remember (an EMA) is a buffer and so
part of a checkpoint.

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

LOSSES: Registry[type[nn.Module]] = Registry("losses", "nextvec.training")

RHO = 0.3
"""Share of the regression gradient's norm that `balanced` gives to the contrastive one."""
NO_GRADIENT = 1e-9
"""Gradients below this norm are rounding: every candidate was excluded, or is all but certain."""


@dataclass(frozen=True, slots=True)
class Targets:
    """N predictions and what they should have been: unit vectors (N, D), and where they stand, int64 (N,).

    `row` is the target's row in the corpus; `first` the first row that the prediction has seen: it saw all of
    first .. row - 1, and nothing else.
    """

    prediction: Tensor
    target: Tensor
    row: Tensor
    first: Tensor

    @classmethod
    def from_batch(cls, prediction_BSD: Tensor, batch: Batch) -> Targets:
        """The real targets of a batch; `prediction_BSD` has the shape of its targets."""
        mask_BS, T, S = batch.target_mask_BT, batch.x_BTD.shape[1], batch.target_BTD.shape[1]
        seen_S = torch.arange(T - S + 1, T + 1, device=mask_BS.device)
        first_BS = batch.rows_BT - seen_S
        return cls(prediction_BSD[mask_BS], batch.target_BTD[mask_BS], batch.rows_BT[mask_BS], first_BS[mask_BS])


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

    Candidates are the batch's targets. Not negatives: targets that the prediction has seen (its context), and targets
    closer than cosine 0.95 to the true one.
    """

    temperature = 0.07
    duplicate = 0.95

    def forward(self, targets: Targets) -> Tensor:
        logits_NN = targets.prediction @ targets.target.T / self.temperature
        row_N, first_N1 = targets.row, targets.first[:, None]
        seen_NN = (first_N1 <= row_N) & (row_N < row_N[:, None])
        duplicate_NN = targets.target @ targets.target.T > self.duplicate
        itself_NN = torch.eye(len(logits_NN), dtype=torch.bool, device=logits_NN.device)
        logits_NN = logits_NN.masked_fill((seen_NN | duplicate_NN) & ~itself_NN, float("-inf"))
        return F.cross_entropy(logits_NN, torch.arange(len(logits_NN), device=logits_NN.device))


@LOSSES.register("balanced")
class BalancedLoss(nn.Module):
    """Cosine loss + s x InfoNCE; s keeps the contrastive gradient at the prediction at `rho` of the cosine one's norm.

    s is an exponential moving average (0.99) of the ratio of norms, clipped to [1e-3, 1e3]. A batch without negatives
    has no contrastive gradient and leaves s as it is.
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
            self._update(targets.prediction, regression, contrast)
        return regression + self.scale.nan_to_num(0.0) * contrast

    def _update(self, prediction: Tensor, regression: Tensor, contrast: Tensor) -> None:
        norms = [torch.autograd.grad(part, prediction, retain_graph=True)[0].norm() for part in (regression, contrast)]
        wanted = (self.rho * norms[0] / norms[1]).clamp(1e-3, 1e3)
        averaged = torch.where(self.scale.isnan(), wanted, self.memory * self.scale + (1 - self.memory) * wanted)
        self.scale = torch.where(norms[1] > NO_GRADIENT, averaged, self.scale)
