"""The flow head: a velocity on the sphere carries what the anchor draws to what comes next.

Rectified flow (Liu et al. 2022, arXiv 2209.03003) along great circles, the straight lines of the sphere (Chen and
Lipman 2023, "Flow Matching on General Geometries", arXiv 2302.03660). Since it never leaves the sphere its draws have a
density on it. P probes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor

from nextvec.models.carrying import CarryingConfig, CarryingHead
from nextvec.models.head import HEADS, State
from nextvec.models.predictor import unit
from nextvec.models.sampler import VECTORS_AT_ONCE

SMALLEST_SINE = 1e-4
"""Of the angle between two ends: below it they are one, or opposite, and no way between them is the shortest."""

Velocity = Callable[[Tensor, float], Tensor]
"""Of unit vectors (K, B, S, D) at a time, 0..1."""


class FlowConfig(CarryingConfig):
    steps: int = Field(10, ge=1, description="midpoint steps from noise to a vector, and back for a density")
    probes: int = Field(8, ge=1, description="directions that a density measures the flow's spreading in")


@HEADS.register("flow")
class FlowHead(CarryingHead):
    """dy/dt = size * velocity(y, t, state), from what the anchor draws at t = 0 to a draw at t = 1.

    The size is 1 while it trains; afterwards it is the one, 0..1, that explains validation's velocities best.
    """

    Config = FlowConfig
    gives = frozenset({"point", "samples", "density"})

    def velocity(self, about_BSD: Tensor, y_KBSD: Tensor, time: Tensor) -> Tensor:
        """(K, B, S, D), at size 1, tangents of the sphere at the unit vectors y."""
        root = math.sqrt(self.dim)
        free_KBSD = self.net(y_KBSD * root, time, about_BSD).float() / root
        return free_KBSD - (free_KBSD * y_KBSD).sum(-1, keepdim=True) * y_KBSD

    def _field(self, state: State) -> Velocity:
        about_BSD = self.readout(state.hidden_BSM)
        size = 1.0 if self.training else self.size
        return lambda y_KBSD, time: size * self.velocity(about_BSD, y_KBSD, y_KBSD.new_tensor(time))

    def draw(self, state: State, noise_KBSD: Tensor) -> Tensor:
        y_KBSD, field, h = self.start(state, noise_KBSD), self._field(state), 1 / self.config.steps
        for step in range(self.config.steps):
            middle_KBSD = unit(y_KBSD + h / 2 * field(y_KBSD, step * h))
            y_KBSD = unit(y_KBSD + h * field(middle_KBSD, (step + 0.5) * h))
        return y_KBSD

    def log_density(self, state: State, y_BSD: Tensor) -> Tensor:
        """That of the anchor's draw that flows to y, less how much the flow spreads what is around it on the way.

        The change of variables is that of the equation itself, so it is exact up to the steps of the integration, and
        in how much it spreads up to the probes: with as many as dimensions that is exact, with fewer an estimate
        without bias (Hutchinson's, with orthogonal probes), whose own chance is one for all positions.
        """
        whole = torch.ones(y_BSD.shape[:2], dtype=torch.bool, device=y_BSD.device)
        at_once = max(1, VECTORS_AT_ONCE // self.config.probes)
        state, y_ND = state.at(whole), y_BSD.float().flatten(0, 1)
        pieces = [self._log_density(state.at(some_1N), y_ND[some_1N[0]][None]) for some_1N in _pieces(y_ND, at_once)]
        return torch.cat(pieces, dim=1).view(y_BSD.shape[:2])

    def _log_density(self, state: State, y_1ND: Tensor) -> Tensor:
        field, h = self._field(state), 1 / self.config.steps
        spread_1N, y_1ND = torch.zeros_like(y_1ND[..., 0]), unit(y_1ND)
        for step in reversed(range(self.config.steps)):
            middle_1ND = unit(y_1ND - h / 2 * field(y_1ND[None], (step + 1) * h)[0])
            velocity_1ND, divergence_1N = self._divergence(field, middle_1ND, step)
            y_1ND, spread_1N = unit(y_1ND - h * velocity_1ND), spread_1N + h * divergence_1N
        return self.start_density(state, y_1ND) - spread_1N

    def _divergence(self, field: Velocity, y_BSD: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Velocities in the middle of a step, and their divergence on the sphere (B, S): the trace of the derivative of
        y -> velocity(unit(y)), to which the direction across the sphere gives nothing."""
        probes_P11D = orthogonal(self.config.probes, self.dim, seed=step).to(y_BSD)[:, None, None]
        with torch.enable_grad():
            y_BSD = y_BSD.detach().requires_grad_()
            velocity_BSD = field(unit(y_BSD)[None], (step + 0.5) / self.config.steps)[0]
            asked_PBSD = probes_P11D.expand(-1, *velocity_BSD.shape)
            (slope_PBSD,) = torch.autograd.grad(velocity_BSD, y_BSD, asked_PBSD, is_grads_batched=True)
        return velocity_BSD.detach(), self.dim * (slope_PBSD * probes_P11D).sum(-1).mean(0)

    def on_the_way(self, state: State, target_ND: Tensor, noise_ND: Tensor, time_N: Tensor) -> tuple[Tensor, Tensor]:
        """Velocities (N, D) on the way from what the noise becomes to the targets: the head's, and the true ones."""
        start_ND = self.start(state, noise_ND[None, None])[0, 0]
        y_ND, wanted_ND = great_circle(start_ND, target_ND.float(), time_N[:, None])
        flowing_ND = self.velocity(self.readout(state.hidden_BSM), y_ND[None, None], time_N[None])[0, 0]
        return flowing_ND, wanted_ND


def great_circle(start_ND: Tensor, end_ND: Tensor, time_N1: Tensor) -> tuple[Tensor, Tensor]:
    """Where one is at a time, 0..1, on the shortest way between unit vectors at constant speed, and that velocity."""
    cosine_N1 = (start_ND * end_ND).sum(-1, keepdim=True).clamp(-1.0, 1.0)
    angle_N1 = cosine_N1.acos()
    sine_N1 = angle_N1.sin().clamp(min=SMALLEST_SINE)
    left_N1, right_N1 = (1 - time_N1) * angle_N1, time_N1 * angle_N1
    y_ND = unit((left_N1.sin() * start_ND + right_N1.sin() * end_ND) / sine_N1)
    velocity_ND = angle_N1 * (right_N1.cos() * end_ND - left_N1.cos() * start_ND) / sine_N1
    return y_ND, velocity_ND


def orthogonal(count: int, dim: int, seed: int) -> Tensor:
    """(P, D) unit vectors at right angles, P = min(count, D), always the same for a seed."""
    normal_DP = torch.randn(dim, min(count, dim), generator=torch.Generator().manual_seed(seed), device="cpu")
    return torch.linalg.qr(normal_DP).Q.T


def _pieces(y_ND: Tensor, at_once: int) -> list[Tensor]:
    """Masks (1, N) of at most `at_once` positions that are all of them together."""
    place_N = torch.arange(len(y_ND), device=y_ND.device)
    return [(place_N // at_once == piece)[None] for piece in range(math.ceil(len(y_ND) / at_once))]
