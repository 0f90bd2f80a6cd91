"""The mixture head: a mixture of projected normal distributions, with its exact density, on top of `scale-mixture`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Generator, Tensor, nn

from nextvec.config import Config
from nextvec.errors import TrainingError
from nextvec.models import mixing
from nextvec.models.backbone import Backbone
from nextvec.models.baseline import Baseline
from nextvec.models.baselines.scale_mixture import ScaleMixture
from nextvec.models.familiarity import Familiarity
from nextvec.models.head import HEADS, Head, Readings, State, start_at_zero
from nextvec.models.mixing import KINDS, Components, components, grouped, groups_of, products, weigh
from nextvec.models.predictor import AnchorName, unit
from nextvec.models.targets import Targets

SIZES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Sizes of the correction that are tried on validation."""
CERTAINTIES = (0.9, 0.95, 1.0, 1.05, 1.1)
"""Lengths of the means beside the spreads that are tried there, 1 as trained."""
WIDEST = 3.0
"""The largest change of a logarithm of a variance or of a mean."""
AT_ONCE = 1024
"""Positions whose components are in memory at one time."""


class MixtureConfig(Config):
    width: int = Field(256, ge=1, description="numbers that describe a component before it is computed")


@HEADS.register("mixture")
class MixtureHead(Head):
    """The components of the anchor (`mixing`), and by how much each of their weights, means and variances differs after
    this context: said by one small network that is told the state and a code of the component.

    Its last layer starts at zero, so it starts at the anchor's distribution. Without an anchor the axes are those of
    the vectors, all components begin alike, and m is what the state reads as; the codes, which differ, tell them apart
    from the first step on.

    What it says of means is worth less the less familiar the context is (`Familiarity`, 1 while it trains): of recipes,
    which a model of three other kinds of text had never seen, it made samples worse. What it says of variances and of
    weights is of use there too.
    """

    Config = MixtureConfig
    gives = frozenset({"point", "samples", "density"})
    contrasts = False

    def __init__(self, config: MixtureConfig, backbone: Backbone, anchor: Baseline | None) -> None:
        super().__init__(config, backbone, anchor)
        self.readout = backbone.readout()
        self.describe = nn.Linear(self.dim, config.width)
        self.codes = nn.Parameter(torch.randn(KINDS, config.width))
        self.compute = nn.Linear(config.width, 1 + 2 * groups_of(self.dim))
        self.size: Tensor
        self.register_buffer("size", torch.ones(()))
        self.certainty: Tensor
        self.register_buffer("certainty", torch.ones(()))
        self.familiarity = None if anchor is None else Familiarity(self.dim)
        if anchor is not None:
            start_at_zero(self.compute)

    @classmethod
    def baseline(cls, anchor: AnchorName) -> str | None:
        return None if anchor == "none" else "scale-mixture"

    def _frame(self) -> ScaleMixture:
        return cast(ScaleMixture, self.anchor)

    def whiten(self, y_D: Tensor) -> Tensor:
        return y_D if self.anchor is None else self._frame().whiten(y_D)

    def colour(self, z_D: Tensor) -> Tensor:
        return z_D if self.anchor is None else self._frame().colour(z_D)

    @property
    def members_DG(self) -> Tensor:
        every_D = torch.ones(self.dim, dtype=torch.bool, device=self.codes.device)
        return grouped(every_D) if self.anchor is None else self._frame().members_DG

    def acquaint(self, seen: Iterable[Tensor], held_out: Iterable[Tensor]) -> None:
        if self.familiarity is not None:
            self.familiarity.fit(seen, held_out)

    def read(self, state: State) -> tuple[Tensor, Tensor]:
        """What is said of each component (N, K, 1 + 2 groups), and whitened means (N, D), of one document."""
        told_ND = self.readout(state.hidden_BSM[0])
        said_NKO = self.compute(F.gelu(self.describe(told_ND)[:, None] + self.codes))
        return said_NKO.float(), told_ND.float() if state.base_BSE is None else state.base_BSE[0]

    def correction(self, state: State) -> Tensor:
        """(B, S, K (1 + 2 groups)) all that is said."""
        said = torch.cat([self.read(some)[0] for some, _ in _pieces(state, state.hidden_BSM)])
        return said.flatten(1).unflatten(0, state.hidden_BSM.shape[:2])

    def components(self, said_NKO: Tensor, m_ND: Tensor, size: float, certainty: float = 1.0) -> Components:
        """With corrections of that size, and means that much longer; both as far as m is familiar."""
        groups = (said_NKO.shape[-1] - 1) // 2
        logit_NK1, *changes = said_NKO.split([1, groups, groups], dim=-1)
        mean_NKG, variance_NKG = (size * WIDEST * (x / WIDEST).tanh() for x in changes)
        mean_NKG = self._trusted(mean_NKG + math.log(certainty), m_ND)
        told = size * logit_NK1[..., 0], mean_NKG, variance_NKG
        if self.anchor is not None:
            learnt = self._frame().logit, self._frame().mean_change, self._frame().variance_change
            told = told[0] + learnt[0], told[1] + learnt[1], told[2] + learnt[2]
        return components(*told, self.members_DG)

    def _trusted(self, mean_NKG: Tensor, m_ND: Tensor) -> Tensor:
        if self.familiarity is None or self.training:
            return mean_NKG
        return self.familiarity(m_ND)[..., None] * mean_NKG

    def weigh(self, components: Components, m_ND: Tensor, z_ND: Tensor) -> Tensor:
        """(N,) log density of whitened vectors z, in nats."""
        volume = 0.0 if self.anchor is None else self._frame().volume
        return weigh(components, products(z_ND, m_ND, self.members_DG), self.members_DG, volume)

    def loss(self, state: State, targets: Targets) -> Tensor:
        """Minus the log density, in nats a dimension: of the order of other heads' losses, which share the trunk."""
        said_NKO, m_ND = self.read(state.at(targets.mask_BS))
        with torch.autocast(m_ND.device.type, enabled=False):
            density_N = self.weigh(self.components(said_NKO, m_ND, 1.0), m_ND, self.whiten(targets.target))
            return -density_N.mean() / self.dim

    def calibrate(self, readings: Readings) -> float:
        """Mean log density, with size of the correction and length of the means where it is best."""
        tried, count = list(itertools.product(SIZES, CERTAINTIES)), 0
        totals = torch.zeros(len(tried), dtype=torch.float64, device="cpu")
        for state, batch in readings():
            target_ND = batch.target_BTD[batch.target_mask_BT].to(self.codes.device)
            for some, z_ND in _pieces(state.at(batch.target_mask_BT), self.whiten(target_ND)):
                said_NKO, m_ND = self.read(some)
                for i, pair in enumerate(tried):
                    totals[i] += float(self.weigh(self.components(said_NKO, m_ND, *pair), m_ND, z_ND).double().sum())
            count += len(target_ND)
        if not count:
            raise TrainingError("there is no target to tune the mixture on. Give it longer documents.")
        size, certainty = tried[int(totals.argmax())]
        self.size.fill_(size)
        self.certainty.fill_(certainty)
        return float(totals.max()) / count

    @property
    def calibration(self) -> dict[str, float]:
        return {"size": round(float(self.size), 2), "certainty": round(float(self.certainty), 2)}

    def _tuned(self, state: State) -> tuple[Components, Tensor]:
        """Components, and the anchor's whitened means (N, D)."""
        said_NKO, m_ND = self.read(state)
        return self.components(said_NKO, m_ND, float(self.size), float(self.certainty)), m_ND

    def point(self, state: State) -> Tensor:
        """The direction of the components' mean."""
        pieces = (self._tuned(some) for some, _ in _pieces(state, state.hidden_BSM))
        mean_ND = torch.cat([mixing.mean(*tuned, self.members_DG) for tuned in pieces])
        return unit(self.colour(mean_ND)).unflatten(0, state.hidden_BSM.shape[:2])

    def log_density(self, state: State, y_BSD: Tensor) -> Tensor:
        pieces = _pieces(state, self.whiten(y_BSD.float()))
        return torch.cat([self.weigh(*self._tuned(some), z_ND) for some, z_ND in pieces]).view(y_BSD.shape[:2])

    def sample(self, state: State, n: int, generator: Generator) -> Tensor:
        pieces = (self._tuned(some) for some, _ in _pieces(state, state.hidden_BSM))
        drawn_nND = torch.cat([mixing.draw(*tuned, self.members_DG, n, generator) for tuned in pieces], dim=1)
        return unit(self.colour(drawn_nND)).unflatten(1, state.hidden_BSM.shape[:2])


def _pieces(state: State, beside_BSX: Tensor) -> Iterator[tuple[State, Tensor]]:
    """All positions as documents of at most `AT_ONCE` of them, with their rows of something else."""
    hidden_NM, beside_NX = state.hidden_BSM.flatten(0, 1), beside_BSX.reshape(-1, beside_BSX.shape[-1])
    for first in range(0, len(hidden_NM), AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        base = None if state.base_BSE is None else state.base_BSE.flatten(0, 1)[rows][None]
        yield State(hidden_NM[rows][None], base), beside_NX[rows]
