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

MOVES, SHAPES = (0.0, 0.25, 0.5, 0.75, 1.0), (0.5, 0.75, 1.0)
"""Sizes of what is learnt that are tried on validation: of the means' moves, and of weights and variances."""
CERTAINTIES = (0.9, 0.95, 1.0, 1.05, 1.1)
"""Lengths of the means beside the spreads that are tried there, 1 as trained."""
STEP = 0.3
"""How far a mean moves, in standard deviations, where the network says 1."""
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
        self.sizes: Tensor
        self.register_buffer("sizes", torch.ones(2))
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

    def learnt(self, state: State) -> Tensor:
        """(N, K, 1 + D + G - 1) what the network says of each component, at the N positions of one document."""
        told_NW = self.describe(self.readout(state.hidden_BSM[0]))
        out_NKO: Tensor = self.compute(F.gelu(told_NW[:, None] + self.codes))
        return out_NKO.float()

    def components(self, learnt_NKO: Tensor, state: State, sizes: Tensor) -> Components:
        """With moves and shapes of these two sizes."""
        moves, shape = sizes
        logit_NK1, move_NKD, variance_NKG = learnt_NKO.split([1, self.dim, self.groups - 1], dim=-1)
        mean_NKD = moves * STEP * move_NKD * (1 - self.members_DG[:, -1])
        if state.base_BSE is not None:
            mean_NKD = state.base_BSE[0][:, None] + mean_NKD
        variance_NKG = shape * WIDEST * (variance_NKG / WIDEST).tanh()
        return Components(shape * logit_NK1[..., 0], mean_NKD, F.pad(variance_NKG, (0, 1)))

    def expected(self, state: State) -> Components:
        """As it was tuned."""
        return self.components(self.learnt(state), state, self.sizes)

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
        chosen = state.at(targets.mask_BS)
        components = self.components(self.learnt(chosen), chosen, torch.ones_like(self.sizes))
        with torch.autocast(components.mean_NKD.device.type, enabled=False):
            return -self.weigh(components, self.whiten(targets.target)).mean()

    def calibrate(self, readings: Readings) -> float:
        """Mean log density, with the sizes and the length of the means where it is best."""
        device, count = self.codes.device, 0
        sizes_S2 = torch.cartesian_prod(torch.tensor(MOVES), torch.tensor(SHAPES)).to(device)
        certainty_C11 = torch.tensor(CERTAINTIES, device=device)[:, None, None]
        totals_SC = torch.zeros(len(sizes_S2), len(CERTAINTIES), dtype=torch.float64)
        for state, batch in readings():
            target_ND = batch.target_BTD[batch.target_mask_BT].to(device)
            for some, z_ND in _pieces(state.at(batch.target_mask_BT), self.whiten(target_ND)):
                learnt_NKO = self.learnt(some)
                for total_C, sizes in zip(totals_SC, sizes_S2, strict=True):
                    density_CN = self.weigh(self.components(learnt_NKO, some, sizes), z_ND, certainty_C11)
                    total_C += density_CN.double().sum(1).cpu()
            count += len(target_ND)
        if not count:
            raise TrainingError("there is no target to tune the mixture on. Give it longer documents.")
        row, column = divmod(int(totals_SC.argmax()), len(CERTAINTIES))
        self.sizes.copy_(sizes_S2[row])
        self.certainty.fill_(CERTAINTIES[column])
        return float(totals_SC.max()) / count

    @property
    def calibration(self) -> dict[str, float]:
        found = {"moves": self.sizes[0], "shape": self.sizes[1], "certainty": self.certainty}
        return {name: round(float(value), 2) for name, value in found.items()}

    def point(self, state: State) -> Tensor:
        """The direction of the mean."""
        found = [self._mean(self.expected(some)) for some, _ in _pieces(state, state.hidden_BSM)]
        return unit(self.colour(torch.cat(found))).unflatten(0, state.hidden_BSM.shape[:2])

    def _mean(self, components: Components) -> Tensor:
        """(N, D), whitened."""
        return (components.logit_NK.softmax(-1)[..., None] * components.mean_NKD).sum(1)

    def log_density(self, state: State, y_BSD: Tensor) -> Tensor:
        pieces = _pieces(state, self.whiten(y_BSD.float()))
        found = [self.weigh(self.expected(some), z_ND, self.certainty) for some, z_ND in pieces]
        return torch.cat(found).view(y_BSD.shape[:2])

    def sample(self, state: State, n: int, generator: Generator) -> Tensor:
        pieces = _pieces(state, state.hidden_BSM)
        found = [self._draw(self.expected(some), n, generator) for some, _ in pieces]
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
