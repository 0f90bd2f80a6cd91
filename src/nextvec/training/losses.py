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

LOSSES: Registry[type[nn.Module]] = Registry("losses", "nextvec.training")


@dataclass(frozen=True, slots=True)
class Targets:
    """N predictions and what they should have been: unit vectors (N, D), and where they stand, int64 (N,).

    `sequence` numbers the document (or window) inside the batch, `position` the target inside that.
    """

    prediction: Tensor
    target: Tensor
    sequence: Tensor
    position: Tensor

    @classmethod
    def from_batch(cls, prediction_BTD: Tensor, target_BTD: Tensor, mask_BT: Tensor) -> Targets:
        sequence, position = mask_BT.nonzero(as_tuple=True)
        return cls(prediction_BTD[mask_BT], target_BTD[mask_BT], sequence, position)


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

    Candidates are the batch's targets. Not negatives: targets that the prediction's own document already showed it
    (its context), and targets closer than cosine 0.95 to the true one.
    """

    temperature = 0.07
    duplicate = 0.95

    def forward(self, targets: Targets) -> Tensor:
        logits_NN = targets.prediction @ targets.target.T / self.temperature
        same_NN = targets.sequence[:, None] == targets.sequence[None, :]
        seen_NN = same_NN & (targets.position[None, :] < targets.position[:, None])
        duplicate_NN = targets.target @ targets.target.T > self.duplicate
        itself_NN = torch.eye(len(logits_NN), dtype=torch.bool, device=logits_NN.device)
        logits_NN = logits_NN.masked_fill((seen_NN | duplicate_NN) & ~itself_NN, float("-inf"))
        return F.cross_entropy(logits_NN, torch.arange(len(logits_NN), device=logits_NN.device))


@LOSSES.register("balanced")
class BalancedLoss(nn.Module):
    """Cosine loss + s x InfoNCE; s keeps the contrastive gradient at the prediction at `rho` of the cosine one's norm.

    s is an exponential moving average (0.99) of the ratio of norms, clipped to [1e-3, 1e3].
    """

    memory = 0.99

    def __init__(self, rho: float = 0.3) -> None:
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
        wanted = (self.rho * norms[0] / norms[1].clamp(min=1e-12)).clamp(1e-3, 1e3)
        fresh = bool(self.scale.isnan())
        self.scale = wanted if fresh else self.memory * self.scale + (1 - self.memory) * wanted
