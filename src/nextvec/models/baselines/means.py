"""Means of the past: of all training targets, of the document so far, decayed, or of the last vector alone."""

from __future__ import annotations

import torch
from torch import Tensor

from nextvec.models.averaging import AveragingBaseline
from nextvec.models.baseline import BASELINES, Baseline, Batches, mean_cosine
from nextvec.models.decay import decayed_means
from nextvec.models.predictor import unit

DECAY_GRID = (0.0, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.99)


@BASELINES.register("global-mean")
class GlobalMean(Baseline):
    """Always the mean of the training targets."""

    name = "global-mean"
    context = 1
    mean: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.register_buffer("mean", torch.zeros(dim))

    def fit(self, train: Batches, validation: Batches) -> None:
        total = torch.zeros_like(self.mean, dtype=torch.float64)
        for batch in train():
            total += batch.target_BTD[batch.target_mask_BT].double().sum(0)
        self.mean = unit(total).float()

    def forward(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        return self.mean.to(x_BTD).expand_as(x_BTD)


@BASELINES.register("copy-last")
class CopyLast(Baseline):
    """The last vector again."""

    name = "copy-last"
    context = 1

    def forward(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        return unit(x_BTD)


@BASELINES.register("context-mean")
class ContextMean(AveragingBaseline):
    """The mean of the document so far."""

    name = "context-mean"
    decays = (1.0,)

    def of_means(self, means_BTKD: Tensor) -> Tensor:
        return means_BTKD[:, :, 0]


@BASELINES.register("ewma")
class Ewma(AveragingBaseline):
    """One exponentially decayed mean; the decay is the one of `DECAY_GRID` with the highest validation cosine."""

    name = "ewma"
    decay: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.register_buffer("decay", torch.tensor(0.9))

    def fit(self, train: Batches, validation: Batches) -> None:
        def score(decay: float) -> float:
            return mean_cosine(lambda x_BTD, mask_BT, breaks_BT: decayed_means(x_BTD, (decay,))[:, :, 0], validation)

        self.decay.fill_(max(DECAY_GRID, key=score))

    @property
    def decays(self) -> tuple[float, ...]:
        return (float(self.decay),)

    def of_means(self, means_BTKD: Tensor) -> Tensor:
        return means_BTKD[:, :, 0]
