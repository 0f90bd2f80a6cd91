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

SIZES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Sizes of the correction that are tried on validation."""
CERTAINTIES = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
"""Lengths of the means beside the spreads that are tried there, 1 as trained."""
WIDEST = 3.0
"""The largest change of a logarithm of a variance or of a mean."""
AT_ONCE = 1024
"""Positions whose components are in memory at one time."""


class MixtureConfig(Config):
    components: int = Field(16, ge=1, description="normal distributions in the mixture")
    width: int = Field(256, ge=1, description="numbers that describe a component before it is computed")
    groups: int = Field(16, ge=1, description="groups of axes that change together")


@dataclass(frozen=True, slots=True)
class Components:
    """Of K components at N positions: logits of their weights (N, K), and of each group of axes (N, K, G) by how much
    its mean and its variance differ from the anchor's, in logarithms."""

    logit_NK: Tensor
    mean_NKG: Tensor
    variance_NKG: Tensor


@HEADS.register("mixture")
class MixtureHead(Head):
    """sum_k w_k ProjectedNormal(exp(l_k) m, exp(g_k)), in the axes of the anchor's covariance, where that is 1. m is
    the anchor's mean; w, and for each group of axes l and g, come from one small network that is told the state and a
    code of the component.

    Its last layer starts at zero, so all components are the anchor's distribution, and the codes, which differ, tell
    them apart from the first step on. Axes are in groups by their variance; dead ones, along which the anchor knows no
    vector, are left as they are. Without an anchor the axes are those of the vectors, and m is what the state reads as.
    """

    Config = MixtureConfig
    gives = frozenset({"point", "samples", "density"})

    def __init__(self, config: MixtureConfig, backbone: Backbone, anchor: Baseline | None) -> None:
        super().__init__(config, backbone, anchor)
        self.groups = min(config.groups, self.dim)
        self.readout = backbone.readout()
        self.describe = nn.Linear(self.dim, config.width)
        self.codes = nn.Parameter(torch.randn(config.components, config.width))
        self.compute = nn.Linear(config.width, 1 + 2 * self.groups)
        self.size: Tensor
        self.register_buffer("size", torch.ones(()))
        self.certainty: Tensor
        self.register_buffer("certainty", torch.ones(()))
        if anchor is not None:
            start_at_zero(self.compute)

    @classmethod
    def baseline(cls, anchor: AnchorName) -> str | None:
        return None if anchor == "none" else "gaussian"

    def _frame(self) -> Gaussian:
        return cast(Gaussian, self.anchor)

    def whiten(self, y_D: Tensor) -> Tensor:
        return y_D if self.anchor is None else self._frame().whiten(y_D)

    def colour(self, z_D: Tensor) -> Tensor:
        return z_D if self.anchor is None else self._frame().colour(z_D)

    @property
    def members_DG(self) -> Tensor:
        """1 where an axis is in a group, the dead ones in the last, which has no others."""
        group_D = torch.arange(self.dim, device=self.codes.device) * self.groups // self.dim
        if self.anchor is not None:
            group_D = torch.where(self._frame().alive, group_D, self.groups)
        return F.one_hot(group_D, self.groups + 1).float()

    def read(self, state: State) -> tuple[Tensor, Tensor]:
        """What is said of each component (N, K, 1 + 2 G), and whitened means (N, D), at one document's N positions."""
        told_ND = self.readout(state.hidden_BSM[0])
        said_NKO = self.compute(F.gelu(self.describe(told_ND)[:, None] + self.codes))
        return said_NKO.float(), told_ND.float() if state.base_BSE is None else state.base_BSE[0]

    def components(self, said_NKO: Tensor, size: float | Tensor) -> Components:
        """With corrections of that size; the dead axes are a last group, without any."""
        logit_NK1, *changes = said_NKO.split([1, self.groups, self.groups], dim=-1)
        mean_NKG, variance_NKG = (F.pad(size * WIDEST * (x / WIDEST).tanh(), (0, 1)) for x in changes)
        return Components(size * logit_NK1[..., 0], mean_NKG, variance_NKG)

    def weigh(self, components: Components, m_ND: Tensor, z_ND: Tensor, certainty: float | Tensor = 1.0) -> Tensor:
        """(N,) log density of whitened vectors z, in nats; (C, N) of C certainties (C, 1, 1)."""
        members_DG, c = self.members_DG, components
        products = ((part_ND @ members_DG)[:, None] for part_ND in (z_ND.square(), z_ND * m_ND, m_ND.square()))
        powers = (power * c.mean_NKG - c.variance_NKG for power in range(3))
        squared_NK, along_NK, length_NK = ((p * e.exp()).sum(-1) for p, e in zip(products, powers, strict=True))
        volume_NK = c.variance_NKG @ members_DG.sum(0) / 2
        if self.anchor is not None:
            volume_NK = volume_NK + self._frame().volume
        density_NK = log_density(squared_NK, certainty * along_NK, certainty**2 * length_NK, volume_NK, self.dim)
        return torch.logsumexp(c.logit_NK.log_softmax(-1) + density_NK, -1)

    def loss(self, state: State, targets: Targets) -> Tensor:
        """Minus the log density, in nats a dimension: of the order of other heads' losses, which share the trunk."""
        said_NKO, m_ND = self.read(state.at(targets.mask_BS))
        with torch.autocast(m_ND.device.type, enabled=False):
            density_N = self.weigh(self.components(said_NKO, 1.0), m_ND, self.whiten(targets.target))
            return -density_N.mean() / self.dim

    def calibrate(self, readings: Readings) -> float:
        """Mean log density, with size of the correction and length of the means where it is best."""
        totals_SC, count = torch.zeros(len(SIZES), len(CERTAINTIES), dtype=torch.float64), 0
        certainty_C11 = torch.tensor(CERTAINTIES, device=self.codes.device)[:, None, None]
        for state, batch in readings():
            target_ND = batch.target_BTD[batch.target_mask_BT].to(self.codes.device)
            for some, z_ND in _pieces(state.at(batch.target_mask_BT), self.whiten(target_ND)):
                said_NKO, m_ND = self.read(some)
                for total_C, size in zip(totals_SC, SIZES, strict=True):
                    density_CN = self.weigh(self.components(said_NKO, size), m_ND, z_ND, certainty_C11)
                    total_C += density_CN.cpu().double().sum(1)
            count += len(target_ND)
        if not count:
            raise TrainingError("there is no target to tune the mixture on. Give it longer documents.")
        row, column = divmod(int(totals_SC.argmax()), len(CERTAINTIES))
        self.size.fill_(SIZES[row])
        self.certainty.fill_(CERTAINTIES[column])
        return float(totals_SC.max()) / count

    @property
    def calibration(self) -> dict[str, float]:
        return {"size": round(float(self.size), 2), "certainty": round(float(self.certainty), 2)}

    def _tuned(self, state: State) -> tuple[Components, Tensor]:
        """Components, and the anchor's whitened means (N, D)."""
        said_NKO, m_ND = self.read(state)
        return self.components(said_NKO, self.size), self.certainty * m_ND

    def point(self, state: State) -> Tensor:
        """The direction of the components' mean."""
        pieces = (self._tuned(some) for some, _ in _pieces(state, state.hidden_BSM))
        mean_ND = torch.cat([self._mean(components, m_ND) for components, m_ND in pieces])
        return unit(self.colour(mean_ND)).unflatten(0, state.hidden_BSM.shape[:2])

    def _mean(self, components: Components, m_ND: Tensor) -> Tensor:
        length_NG = (components.logit_NK.softmax(-1)[..., None] * components.mean_NKG.exp()).sum(1)
        return length_NG @ self.members_DG.T * m_ND

    def log_density(self, state: State, y_BSD: Tensor) -> Tensor:
        pieces = _pieces(state, self.whiten(y_BSD.float()))
        return torch.cat([self.weigh(*self._tuned(some), z_ND) for some, z_ND in pieces]).view(y_BSD.shape[:2])

    def sample(self, state: State, n: int, generator: Generator) -> Tensor:
        pieces = (self._tuned(some) for some, _ in _pieces(state, state.hidden_BSM))
        drawn_nND = torch.cat([self._draw(*tuned, n, generator) for tuned in pieces], dim=1)
        return unit(self.colour(drawn_nND)).unflatten(1, state.hidden_BSM.shape[:2])

    def _draw(self, components: Components, m_ND: Tensor, n: int, generator: Generator) -> Tensor:
        """(n, N, D), whitened: first a component, then a vector of it."""
        N, D = m_ND.shape
        up_to_NK = components.logit_NK.softmax(-1).cumsum(-1)[:, :-1].contiguous()
        chance_Nn = torch.rand(N, n, generator=generator, device=generator.device).to(m_ND)
        chosen_Nn = torch.searchsorted(up_to_NK, chance_Nn)
        chosen_NnG = chosen_Nn[..., None].expand(-1, -1, self.groups + 1)
        mean_NnD, deviation_NnD = (
            changes_NKG.gather(1, chosen_NnG).exp() @ self.members_DG.T
            for changes_NKG in (components.mean_NKG, components.variance_NKG / 2)
        )
        noise_NnD = torch.randn(N, n, D, generator=generator, device=generator.device).to(m_ND)
        return (mean_NnD * m_ND[:, None] + deviation_NnD * noise_NnD).transpose(0, 1)


def _pieces(state: State, beside_BSX: Tensor) -> Iterator[tuple[State, Tensor]]:
    """All positions as documents of at most `AT_ONCE` of them, with their rows of something else."""
    hidden_NM, beside_NX = state.hidden_BSM.flatten(0, 1), beside_BSX.reshape(-1, beside_BSX.shape[-1])
    for first in range(0, len(hidden_NM), AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        base = None if state.base_BSE is None else state.base_BSE.flatten(0, 1)[rows][None]
        yield State(hidden_NM[rows][None], base), beside_NX[rows]
