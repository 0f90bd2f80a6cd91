"""Losses of unit predictions (N, D). Each is a module called with them and their `Targets`; what it must remember (an
EMA) is a buffer and so part of a checkpoint. Several processes that share a batch out come to the loss and the gradient
of one that has it all, up to rounding: each has the whole batch's targets to contrast with, for no gradient goes
through them. A loss that looks at no candidates says `contrasts = False`, and they are not gathered for it.

On unit vectors the mean-squared error averaged over D is (2 - 2 cos) / D: tiny, and of another unit than InfoNCE.
`balanced` therefore adds the two by the size of their gradients at the prediction, never by their values.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextvec.models.processes import norm_over_processes
from nextvec.models.targets import Targets
from nextvec.registry import Registry

LOSSES: Registry[type[nn.Module]] = Registry("losses", "nextvec.models")

RHO = 0.3
"""Share of the regression gradient's norm that `balanced` gives to the contrastive one."""
DUPLICATE = 0.95
"""Candidates with a larger cosine to the target are no negatives."""
NO_GRADIENT = 1e-9
"""Gradients below this norm are rounding: every candidate was excluded, or is all but certain."""


@LOSSES.register("cosine")
class CosineLoss(nn.Module):
    """1 - cosine, mean over targets, [0, 2]."""

    contrasts = False

    def forward(self, prediction_ND: Tensor, targets: Targets) -> Tensor:
        return 1.0 - (prediction_ND * targets.target).sum(-1).mean()


@LOSSES.register("mse")
class MSELoss(nn.Module):
    """Mean-squared error, mean over targets and dimensions, [0, 4 / D]; equals (2 - 2 cosine) / D."""

    contrasts = False

    def forward(self, prediction_ND: Tensor, targets: Targets) -> Tensor:
        return F.mse_loss(prediction_ND, targets.target)


@LOSSES.register("infonce")
class InfoNCELoss(nn.Module):
    """Contrastive loss (van den Oord et al. 2018, arXiv 1807.03748) at temperature 0.07, in nats.

    Candidates are the whole batch's targets. Not negatives: targets that the prediction has seen (its context, and what
    its anchor has seen before that), and targets closer than cosine 0.95 to the true one.
    """

    temperature = 0.07

    def forward(self, prediction_ND: Tensor, targets: Targets) -> Tensor:
        logits_NM = prediction_ND @ targets.candidate.T / self.temperature
        return contrastive(logits_NM, self.negatives(targets), targets)

    def negatives(self, targets: Targets) -> Tensor:
        """(N, M) bool: the candidates that each prediction is set against."""
        row_N1, first_N1, row_M = targets.row[:, None], targets.first[:, None], targets.candidate_row
        seen_NM = (first_N1 <= row_M) & (row_M < row_N1)
        return ~(seen_NM | duplicates(targets) | (row_N1 == row_M))


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

    def forward(self, prediction_ND: Tensor, targets: Targets) -> Tensor:
        regression, contrast = self.regression(prediction_ND, targets), self.contrast(prediction_ND, targets)
        if self.training and prediction_ND.requires_grad:
            self._update(prediction_ND, targets.share, regression, contrast)
        return regression + self.scale.nan_to_num(0.0) * contrast

    def _update(self, prediction_ND: Tensor, share: float, regression: Tensor, contrast: Tensor) -> None:
        norms = [_gradient_norm(part, prediction_ND, share) for part in (regression, contrast)]
        wanted = (self.rho * norms[0] / norms[1]).clamp(1e-3, 1e3)
        averaged = torch.where(self.scale.isnan(), wanted, self.memory * self.scale + (1 - self.memory) * wanted)
        self.scale = torch.where(norms[1] > NO_GRADIENT, averaged, self.scale)


def _gradient_norm(part: Tensor, prediction_ND: Tensor, share: float) -> Tensor:
    """Of the whole batch's loss, at its predictions; `part` is the mean of this process's own."""
    gradient_ND = torch.autograd.grad(part, prediction_ND, retain_graph=True)[0]
    return norm_over_processes(share * gradient_ND)


def duplicates(targets: Targets) -> Tensor:
    """(N, M) bool: the candidates that are too close to each target to be set against it."""
    return targets.target @ targets.candidate.T > DUPLICATE


def contrastive(logits_NM: Tensor, negative_NM: Tensor, targets: Targets) -> Tensor:
    """-log softmax of each target among its negatives and itself, mean over targets, in nats."""
    itself_NM = targets.row[:, None] == targets.candidate_row
    logits_NM = logits_NM.masked_fill(~(itself_NM | negative_NM), float("-inf"))
    return F.cross_entropy(logits_NM, itself_NM.int().argmax(dim=1))
