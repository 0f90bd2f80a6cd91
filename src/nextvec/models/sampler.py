"""What heads that draw have in common: the distribution they start at, and a point made of what they draw.

B documents, S positions, D embedding size, K draws.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, cast

import torch
from torch import Generator, Tensor

from nextvec.models.backbone import Backbone
from nextvec.models.baseline import Baseline
from nextvec.models.baselines.gaussian import Gaussian
from nextvec.models.head import Head, State, start_at_zero
from nextvec.models.predictor import AnchorName, unit

POINT_PAIRS = 8
"""Pairs of opposite draws that a point is the mean of."""
VECTORS_AT_ONCE = 16_384
"""Drawn together, which bounds memory."""


class SamplingHead(Head, ABC):
    """A head that turns noise into vectors: at first into those that its anchor draws from the same noise.

    Anchored it starts at `gaussian`, that is ridge-mix and the covariance of what it leaves over; without an anchor its
    noise is uniform on the sphere. `start` is where noise is without the head, `draw` where the head moves it. What it
    knows of the state is the architecture's readout.
    """

    gives = frozenset({"point", "samples"})
    contrasts = False

    def __init__(self, config: Any, backbone: Backbone, anchor: Baseline | None) -> None:
        super().__init__(config, backbone, anchor)
        self.readout = backbone.readout()

    @classmethod
    def baseline(cls, anchor: AnchorName) -> str | None:
        return None if anchor == "none" else "gaussian"

    def colour(self, z_D: Tensor) -> Tensor:
        """(..., D), not normalised: what is counted in standard deviations, as vectors."""
        return z_D if self.anchor is None else cast(Gaussian, self.anchor).colour(z_D)

    def residual(self, state: State, y_ND: Tensor) -> Tensor:
        """(N, D), of unit vectors, at one document's N positions: what noise `around` would make them of, if it did not
        matter how long vectors are."""
        if self.anchor is None or state.base_BSE is None:
            return y_ND.float() * math.sqrt(self.dim)
        return cast(Gaussian, self.anchor).whiten(y_ND.float()) - state.base_BSE[0].float()

    def around(self, state: State, noise_KBSD: Tensor) -> Tensor:
        """(K, B, S, D), not normalised: what the anchor makes of standard normal noise."""
        return self.colour(noise_KBSD if state.base_BSE is None else state.base_BSE.float() + noise_KBSD)

    def start(self, state: State, noise_KBSD: Tensor) -> Tensor:
        """(K, B, S, D) unit vectors."""
        return unit(self.around(state, noise_KBSD))

    def start_density(self, state: State, y_BSD: Tensor) -> Tensor:
        """(B, S) nats of unit vectors y among them, against the uniform distribution."""
        if self.anchor is None or state.base_BSE is None:
            return torch.zeros_like(y_BSD[..., 0])
        return self.anchor.log_density(state.base_BSE.float(), y_BSD)

    @abstractmethod
    def draw(self, state: State, noise_KBSD: Tensor) -> Tensor:
        """(K, B, S, D) unit vectors, one for each standard normal noise."""

    def sample(self, state: State, n: int, generator: Generator) -> Tensor:
        shape, device = (*state.hidden_BSM.shape[:2], self.dim), state.hidden_BSM.device
        noise = torch.randn(n, *shape, generator=generator, device=generator.device).to(device)
        at_once = max(1, VECTORS_AT_ONCE // (shape[0] * shape[1]))
        return torch.cat([self.draw(state, some_KBSD) for some_KBSD in noise.split(at_once)])

    def point(self, state: State) -> Tensor:
        """Where the mean of what it draws points, from the same few draws everywhere.

        The anchor's own mean is known, so only how far the head moves its draws on average is measured: where it moves
        none, the point is the anchor's.
        """
        noise_KBSD = opposites(POINT_PAIRS, self.dim).to(state.hidden_BSM.device)
        start_KBSD = self.start(state, noise_KBSD)
        moved_BSD = (self.draw(state, noise_KBSD) - start_KBSD).mean(0)
        if state.base_BSE is None:
            return unit(moved_BSD)
        centre_BSD = unit(self.colour(state.base_BSE.float()))
        return unit((start_KBSD * centre_BSD).sum(-1).mean(0)[..., None] * centre_BSD + moved_BSD)

    def start_there(self, module: torch.nn.Module) -> None:
        """Let what moves the noise begin at zero, if there is something to begin at."""
        if self.anchor is not None:
            start_at_zero(module)


def opposites(pairs: int, dim: int) -> Tensor:
    """(2 pairs, 1, 1, D) standard normal noise whose mean is zero, always the same."""
    half_K11D = torch.randn(pairs, 1, 1, dim, generator=torch.Generator().manual_seed(0), device="cpu")
    return torch.cat([half_K11D, -half_K11D])
