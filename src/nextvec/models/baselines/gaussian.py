"""The simplest distribution over what comes next: a Gaussian around ridge-mix's mean, projected onto the sphere."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from nextvec.ahead import Ahead
from nextvec.models.angular import log_density
from nextvec.models.baseline import BASELINES, Batches
from nextvec.models.baselines.ridge import RidgeMix
from nextvec.models.memory import Kept
from nextvec.models.predictor import unit
from nextvec.models.targets import ahead_of

SHRINKAGES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Of the covariance: the share of it that is replaced by its mean eigenvalue. Never less than a thousandth: MiniLM has
dimensions in which all vectors are zero, and in those a density can be made as large as one likes."""
CERTAINTIES = tuple(round(1.05**power, 3) for power in range(-14, 15))
"""How long the mean is beside the residuals, 1 as in training. One number: a direction has no other scale."""
_SMALLEST = 1e-9


@BASELINES.register("gaussian")
class Gaussian(RidgeMix):
    """y = unit(mu + e): mu is what ridge-mix expects before it is normalised (its length says how sure it is), e normal
    with the shrunk covariance of the training residuals.

    Its point is ridge-mix's. Shrinkage and certainty are those with the highest log density of validation targets. One
    covariance serves positions with and without structure: their residuals differ by a hundredth. `alive` says along
    which axes vectors vary by more than what shrinking adds.
    """

    name = "gaussian"
    draws = True
    extends = ("ridge-mix",)
    shrinkage: Tensor
    certainty: Tensor
    axes: Tensor
    spread: Tensor
    alive: Tensor

    def __init__(self, dim: int, *, is_twin: bool = False) -> None:
        super().__init__(dim, is_twin=is_twin)
        if not is_twin:
            self.register_buffer("shrinkage", torch.tensor(1.0))
            self.register_buffer("certainty", torch.tensor(1.0))
            self.register_buffer("axes", torch.eye(dim))
            self.register_buffer("spread", torch.ones(dim))
            self.register_buffer("alive", torch.ones(dim, dtype=torch.bool))

    def fit(self, train: Batches, validation: Batches) -> None:
        variance_D, axes_DD = self._residuals(train)
        self.axes, best = axes_DD.float(), -float("inf")
        for shrinkage, row in zip(SHRINKAGES, self._scores(variance_D, validation), strict=True):
            for certainty, score in zip(CERTAINTIES, row, strict=True):
                if score > best:
                    best = score
                    self.shrinkage.fill_(shrinkage)
                    self.certainty.fill_(certainty)
        shrunk_D = shrunk(variance_D, float(self.shrinkage))
        self.spread, self.alive = shrunk_D.sqrt().float(), variance_D > shrunk_D / 2

    def _residuals(self, train: Batches) -> tuple[Tensor, Tensor]:
        """Eigenvalues (D,), the largest first, and eigenvectors (D, D), in columns, of the residuals' covariance."""
        total_DD, count = torch.zeros_like(self.axes, dtype=torch.float64), 0
        for batch in train():
            residual_BTD = batch.target_BTD - self.mean_after(batch.x_BTD, batch.breaks_BT, ahead=ahead_of(batch))
            residual_ND = residual_BTD[batch.target_mask_BT]
            total_DD += residual_ND.T @ residual_ND
            count += len(residual_ND)
        variance_D, axes_DD = torch.linalg.eigh(total_DD / count)
        return variance_D.flip(0), axes_DD.flip(1)

    def _scores(self, variance_D: Tensor, validation: Batches) -> list[list[float]]:
        """Mean log density of validation targets, for every shrinkage and certainty."""
        spreads = torch.stack([shrunk(variance_D, shrinkage) for shrinkage in SHRINKAGES])
        weights_DR, volume_R = (1 / spreads.T).float(), spreads.log().sum(1).float() / 2
        totals, count = spreads.new_zeros(len(SHRINKAGES), len(CERTAINTIES)), 0
        for batch in validation():
            mean_BTD = self.mean_after(batch.x_BTD, batch.breaks_BT, ahead=ahead_of(batch))
            mask_BT = batch.target_mask_BT
            y_ND, mean_ND = (v_BTD[mask_BT] @ self.axes for v_BTD in (batch.target_BTD, mean_BTD))
            parts = [product_ND @ weights_DR for product_ND in (y_ND.square(), y_ND * mean_ND, mean_ND.square())]
            for column, certainty in enumerate(CERTAINTIES):
                squared_NR, along_NR, length_NR = parts[0], parts[1] * certainty, parts[2] * certainty**2
                density_NR = log_density(squared_NR, along_NR, length_NR, volume_R, self.dim)
                totals[:, column] += density_NR.double().sum(0)
            count += len(y_ND)
        return (totals / count).tolist()

    def mean_after(
        self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept = None, ahead: Ahead | None = None
    ) -> Tensor:
        """(B, T, D): the mean before it is projected onto the sphere."""
        return self.direction_after(x_BTD, breaks_BT, kept, ahead)

    def base_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        """(B, T, D) the whitened mean, as long as the certainty says: all that its distributions depend on."""
        return self.whiten(float(self.certainty) * self.mean_after(x_BTD, breaks_BT, kept, ahead))

    def whiten(self, v_D: Tensor) -> Tensor:
        """(..., D) in the axes of the residuals, the largest first, each in units of its standard deviation."""
        return v_D @ self.axes.to(v_D) / self.spread.to(v_D)

    def colour(self, z_D: Tensor) -> Tensor:
        """What `whiten` makes z of."""
        return (z_D * self.spread.to(z_D)) @ self.axes.to(z_D).T

    @property
    def volume(self) -> Tensor:
        """() log of the standard deviations' product."""
        return self.spread.log().sum()

    def sample(self, base_BSD: Tensor, n: int, generator: Generator) -> Tensor:
        noise_nBSD = torch.randn(n, *base_BSD.shape, generator=generator, device=generator.device)
        return unit(self.colour(base_BSD + noise_nBSD.to(base_BSD)))

    def log_density(self, base_BSD: Tensor, y_BSD: Tensor) -> Tensor:
        z_BSD = self.whiten(y_BSD.float())
        squared_BS, along_BS = z_BSD.square().sum(-1), (z_BSD * base_BSD).sum(-1)
        return log_density(squared_BS, along_BS, base_BSD.square().sum(-1), self.volume, self.dim)


def shrunk(variance_D: Tensor, shrinkage: float) -> Tensor:
    """(D,) eigenvalues with a share of them replaced by their mean; none is zero."""
    return ((1 - shrinkage) * variance_D + shrinkage * variance_D.mean()).clamp(min=_SMALLEST)
