"""The energy head: one step from noise to a vector, trained by the energy score of what it draws.

Shao et al. 2025, "Continuous Autoregressive Language Models" (CALM), on the unit sphere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from pydantic import Field
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.errors import TrainingError
from nextvec.models.backbone import Backbone
from nextvec.models.baseline import Baseline
from nextvec.models.head import HEADS, SIZES, Readings, State
from nextvec.models.predictor import unit
from nextvec.models.sampler import SamplingHead
from nextvec.models.targets import Targets

CLOSEST = 1e-6
"""Squared distances count as no less: the slope of a root has no limit at zero."""


class EnergyConfig(Config):
    width: int = Field(512, ge=1, description="size of the hidden layers")
    samples: int = Field(8, ge=2, description="draws a target in training")
    beta: float = Field(1.0, gt=0, lt=2, description="power of the distances in the energy score")


@HEADS.register("energy")
class EnergyHead(SamplingHead):
    """unit(what the anchor makes of stretch * noise + move / sqrt(D)), where a small MLP of state and noise says both.

    A move alone would have to learn for every direction of the noise that some targets are further out than others, as
    they are: a stretch is one number. The move and the stretch's logarithm have size 1 while it trains and the one that
    is best on validation afterwards, like the correction of the point head.
    """

    Config = EnergyConfig
    size: Tensor

    def __init__(self, config: EnergyConfig, backbone: Backbone, anchor: Baseline | None) -> None:
        super().__init__(config, backbone, anchor)
        W = config.width
        self.of_state, self.of_noise = nn.Linear(self.dim, W), nn.Linear(self.dim, W, bias=False)
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(W, W), nn.SiLU(), nn.Linear(W, self.dim + 1))
        self.register_buffer("size", torch.ones(()))
        self.start_there(self.mlp)

    def change(self, state: State, noise_KBSD: Tensor) -> Tensor:
        """(K, B, S, D + 1), at size 1: the move, and the logarithm of the stretch."""
        about_BSW = self.of_state(self.readout(state.hidden_BSM))
        changed: Tensor = self.mlp(about_BSW + self.of_noise(noise_KBSD)).float()
        return changed

    def changed(self, state: State, noise_KBSD: Tensor, change: Tensor) -> Tensor:
        """(K, B, S, D) unit vectors, after a change that has its size."""
        stretched_KBSD = self.around(state, noise_KBSD * change[..., -1:].exp())
        return unit(stretched_KBSD + change[..., :-1] / math.sqrt(self.dim))

    def draw(self, state: State, noise_KBSD: Tensor) -> Tensor:
        change = self.change(state, noise_KBSD)
        return self.changed(state, noise_KBSD, change if self.training else self.size * change)

    def loss(self, state: State, targets: Targets) -> Tensor:
        chosen, target_ND = state.at(targets.mask_BS), targets.target
        noise_K1ND = torch.randn(self.config.samples, 1, *target_ND.shape, device=target_ND.device)
        y_KND = self.draw(chosen, noise_K1ND)[:, 0]
        with torch.autocast(y_KND.device.type, enabled=False):
            return energy_scores(y_KND.float(), target_ND.float(), self.config.beta).mean()

    def calibrate(self, readings: Readings) -> float:
        """Minus the mean energy score, with the size of the change set to the one of `SIZES` where it is best."""
        totals, count = torch.zeros(len(SIZES), dtype=torch.float64, device="cpu"), 0
        generator = torch.Generator().manual_seed(0)
        for state, batch in readings():
            chosen, target_ND = state.at(batch.target_mask_BT), batch.target_BTD[batch.target_mask_BT]
            shape = (self.config.samples, *target_ND.shape)
            noise_KND = torch.randn(shape, generator=generator, device="cpu").to(target_ND)
            for i, y_KND in enumerate(self._at_sizes(chosen, noise_KND)):
                totals[i] += float(energy_scores(y_KND, target_ND, self.config.beta).double().sum())
            count += len(target_ND)
        if not count:
            raise TrainingError("there is no target to tune the draws on. Give it longer documents.")
        best = int(totals.argmin())
        self.size.fill_(SIZES[best])
        return -float(totals[best]) / count

    def _at_sizes(self, state: State, noise_KND: Tensor) -> Iterator[Tensor]:
        """Draws (K, N, D) at each of `SIZES`."""
        noise_K1ND = noise_KND[:, None]
        change = self.change(state, noise_K1ND)
        return (self.changed(state, noise_K1ND, size * change)[:, 0] for size in SIZES)

    @property
    def calibration(self) -> dict[str, float]:
        return {"size": round(float(self.size), 2)}


def energy_scores(y_KND: Tensor, target_ND: Tensor, beta: float) -> Tensor:
    """(N,) mean |y_i - y|^beta - mean |y_i - y_j|^beta / 2 over i != j, of unit vectors (Gneiting and Raftery 2007,
    "Strictly Proper Scoring Rules, Prediction, and Estimation", 4.3)."""
    K = len(y_KND)
    to_target_KN = _distances((y_KND * target_ND).sum(-1), beta)
    y_NKD = y_KND.transpose(0, 1)
    left, right = torch.triu_indices(K, K, 1, device=y_KND.device)
    between_NP = _distances((y_NKD @ y_NKD.mT)[:, left, right], beta)
    return to_target_KN.mean(0) - between_NP.mean(1) / 2


def _distances(cosines: Tensor, beta: float) -> Tensor:
    """To the power of beta, of unit vectors."""
    return (2 - 2 * cosines).clamp(min=CLOSEST) ** (beta / 2)
