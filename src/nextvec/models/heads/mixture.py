"""The mixture head: a mixture of projected normal distributions, with its exact density, that starts at `gaussian`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Generator, Tensor, nn

from nextvec.config import Config
from nextvec.errors import TrainingError
from nextvec.models.angular import log_density
from nextvec.models.backbone import Backbone
from nextvec.models.baseline import Baseline
from nextvec.models.baselines.gaussian import Gaussian
from nextvec.models.head import HEADS, Head, Readings, State, start_at_zero
from nextvec.models.predictor import AnchorName, unit
from nextvec.models.targets import Targets

SIZES = (0.0, 0.25, 0.5, 0.7, 0.85, 1.0)
"""Sizes of the correction that are tried on validation."""
CERTAINTIES = (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1)
"""Lengths of the means beside the spreads that are tried there, 1 as trained."""
WIDEST = 2.0
"""The largest change of a log variance."""
AT_ONCE = 2048
"""Positions whose components are in memory at one time."""


class MixtureConfig(Config):
    components: int = Field(8, ge=1, description="normal distributions in the mixture")
    width: int = Field(256, ge=1, description="numbers that describe a component before it is computed")
    groups: int = Field(16, ge=1, description="groups of axes whose variances change together")


@dataclass(frozen=True, slots=True)
class Components:
    """Of K components at N positions: logits of their weights (N, K), whitened means (N, K, D), and log variances
    (N, K, G), one a group of axes, of what has variance 1 in the anchor."""

    logit_NK: Tensor
    mean_NKD: Tensor
    variance_NKG: Tensor


@HEADS.register("mixture")
class MixtureHead(Head):
    """sum_k w_k ProjectedNormal(m + d_k, exp(g_k)), in the axes of the anchor's covariance, where that is 1: m is the
    anchor's mean, w, d and g come from one small network that is told the state and a learned code of the component.

    Its last layer starts at zero, so all components are the anchor's distribution, and the codes, which differ, tell
    them apart from the first step on. Axes are in groups by their variance; dead ones, along which the anchor knows no
    vector, are left as they are. Without an anchor the axes are those of the vectors, and m is zero.
    """

    Config = MixtureConfig
    gives = frozenset({"point", "samples", "density"})

    def __init__(self, config: MixtureConfig, backbone: Backbone, anchor: Baseline | None) -> None:
        super().__init__(config, backbone, anchor)
        self.groups = min(config.groups, self.dim) + 1
        self.readout = backbone.readout()
        self.describe = nn.Linear(self.dim, config.width)
        self.codes = nn.Parameter(torch.randn(config.components, config.width))
        self.compute = nn.Linear(config.width, self.dim + self.groups)
        self.size: Tensor
        self.register_buffer("size", torch.ones(()))
        self.certainty: Tensor
        self.register_buffer("certainty", torch.ones(()))
        if anchor is not None:
            start_at_zero(self.compute)

    @classmethod
    def baseline(cls, anchor: AnchorName) -> str | None:
        return None if anchor == "none" else "gaussian"

    def base(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        return self._frame().expect(x_BTD, breaks_BT)

    def _frame(self) -> Gaussian:
        return cast(Gaussian, self.anchor)

    def whiten(self, y_D: Tensor) -> Tensor:
        return y_D if self.anchor is None else self._frame().whiten(y_D)

    def colour(self, z_D: Tensor) -> Tensor:
        return z_D if self.anchor is None else self._frame().colour(z_D)

    @property
    def members_DG(self) -> Tensor:
        """1 where an axis is in a group, the dead ones in the last."""
        axis_D = torch.arange(self.dim, device=self.codes.device)
        group_D = axis_D * (self.groups - 1) // self.dim
        if self.anchor is not None:
            group_D = torch.where(self._frame().alive, group_D, self.groups - 1)
        return F.one_hot(group_D, self.groups).float()

    def components(self, state: State, size: float | Tensor = 1.0) -> Components:
        """At the N positions of one document, with a correction of that size."""
        told_NW = self.describe(self.readout(state.hidden_BSM[0]))
        out_NKO = self.compute(F.gelu(told_NW[:, None] + self.codes)).float()
        logit_NK1, move_NKD, variance_NKG = (size * out_NKO).split([1, self.dim, self.groups - 1], dim=-1)
        move_NKD = move_NKD * (1 - self.members_DG[:, -1])
        mean_NKD = move_NKD if state.base_BSE is None else state.base_BSE[0][:, None] + move_NKD
        return Components(logit_NK1[..., 0], mean_NKD, F.pad(WIDEST * (variance_NKG / WIDEST).tanh(), (0, 1)))

    def weigh(self, components: Components, z_ND: Tensor, certainty: float | Tensor = 1.0) -> Tensor:
        """(N,) log density of whitened vectors, in nats; (C, N) of C certainties (C, 1, 1)."""
        members_DG, precision_NKG = self.members_DG, (-components.variance_NKG).exp()
        parts = (z_ND.square()[:, None], z_ND[:, None] * components.mean_NKD, components.mean_NKD.square())
        squared_NK, along_NK, length_NK = ((part @ members_DG * precision_NKG).sum(-1) for part in parts)
        volume_NK = components.variance_NKG @ members_DG.sum(0) / 2
        if self.anchor is not None:
            volume_NK = volume_NK + self._frame().volume
        density_NK = log_density(squared_NK, certainty * along_NK, certainty**2 * length_NK, volume_NK, self.dim)
        return torch.logsumexp(components.logit_NK.log_softmax(-1) + density_NK, -1)

    def loss(self, state: State, targets: Targets) -> Tensor:
        components = self.components(state.at(targets.mask_BS))
        with torch.autocast(components.mean_NKD.device.type, enabled=False):
            return -self.weigh(components, self.whiten(targets.target)).mean()

    def calibrate(self, readings: Readings) -> float:
        """Mean log density, with size of the correction and length of the means where it is best."""
        totals, count = torch.zeros(len(SIZES), len(CERTAINTIES), dtype=torch.float64), 0
        certainty_C11 = torch.tensor(CERTAINTIES, device=self.codes.device)[:, None, None]
        for state, batch in readings():
            target_ND = batch.target_BTD[batch.target_mask_BT].to(self.codes.device)
            for some, z_ND in _pieces(state.at(batch.target_mask_BT), self.whiten(target_ND)):
                for row, size in enumerate(SIZES):
                    density_CN = self.weigh(self.components(some, size), z_ND, certainty_C11)
                    totals[row] += density_CN.double().sum(1).cpu()
            count += len(target_ND)
        if not count:
            raise TrainingError("there is no target to tune the mixture on. Give it longer documents.")
        row, column = divmod(int(totals.argmax()), len(CERTAINTIES))
        self.size.fill_(SIZES[row])
        self.certainty.fill_(CERTAINTIES[column])
        return float(totals.max()) / count

    @property
    def calibration(self) -> dict[str, float]:
        return {"size": round(float(self.size), 2), "certainty": round(float(self.certainty), 2)}

    def point(self, state: State) -> Tensor:
        """The direction of the mean."""
        found = [self._mean(self.components(some, self.size)) for some, _ in _pieces(state, state.hidden_BSM)]
        return unit(self.colour(torch.cat(found))).unflatten(0, state.hidden_BSM.shape[:2])

    def _mean(self, components: Components) -> Tensor:
        """(N, D), whitened."""
        return (components.logit_NK.softmax(-1)[..., None] * components.mean_NKD).sum(1)

    def log_density(self, state: State, y_BSD: Tensor) -> Tensor:
        pieces = _pieces(state, self.whiten(y_BSD.float()))
        found = [self.weigh(self.components(some, self.size), z_ND, self.certainty) for some, z_ND in pieces]
        return torch.cat(found).view(y_BSD.shape[:2])

    def sample(self, state: State, n: int, generator: Generator) -> Tensor:
        pieces = _pieces(state, state.hidden_BSM)
        found = [self._draw(self.components(some, self.size), n, generator) for some, _ in pieces]
        return unit(self.colour(torch.cat(found, dim=1))).unflatten(1, state.hidden_BSM.shape[:2])

    def _draw(self, components: Components, n: int, generator: Generator) -> Tensor:
        """(n, N, D), whitened: first a component, then a vector of it."""
        N, _, D = components.mean_NKD.shape
        device = components.mean_NKD.device
        up_to_NK = components.logit_NK.softmax(-1).cumsum(-1)
        chance_Nn = torch.rand(N, n, generator=generator, device=device)
        chosen_Nn = torch.searchsorted(up_to_NK[:, :-1].contiguous(), chance_Nn)
        at_NnD = chosen_Nn[..., None].expand(N, n, D)
        spread_NKD = (components.variance_NKG @ self.members_DG.T / 2).exp()
        noise_NnD = torch.randn(N, n, D, generator=generator, device=device)
        mean_NnD, spread_NnD = (whole_NKD.gather(1, at_NnD) for whole_NKD in (components.mean_NKD, spread_NKD))
        return (self.certainty * mean_NnD + spread_NnD * noise_NnD).transpose(0, 1)


def _pieces(state: State, beside_BSX: Tensor) -> Iterator[tuple[State, Tensor]]:
    """All positions as documents of at most `AT_ONCE` of them, with their rows of something else."""
    hidden_NM, beside_NX = state.hidden_BSM.flatten(0, 1), beside_BSX.reshape(-1, beside_BSX.shape[-1])
    for first in range(0, len(hidden_NM), AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        base = None if state.base_BSE is None else state.base_BSE.flatten(0, 1)[rows][None]
        yield State(hidden_NM[rows][None], base), beside_NX[rows]
