"""The diffusion head: noise is taken away step by step, told of the context and, to exaggerate it, also not.

The latent diffusion of Large Concept Models (LCM team 2024, arXiv 2412.08821, 2.3.4) with the trunk as the tower that
reads the context. T times, angle a quarter of a turn at T and 0 at 0.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from nextvec.errors import UsageError
from nextvec.models.carrying import CarryingConfig, CarryingHead
from nextvec.models.head import HEADS, State
from nextvec.models.predictor import unit


class DiffusionConfig(CarryingConfig):
    times: int = Field(100, ge=1, description="levels of noise in training")
    steps: int = Field(10, ge=1, description="steps from noise to a vector; at most as many as times")
    drop: float = Field(0.15, ge=0, lt=1, description="share of targets that are learnt without the context")
    guidance: float = Field(1.0, ge=0, description="by how much the context is exaggerated; 1: not at all")
    rescale: float = Field(0.7, ge=0, le=1, description="how far what guidance gives is brought back to its spread")

    @model_validator(mode="after")
    def _steps_are_times(self) -> Self:
        if self.steps > self.times:
            raise UsageError(f"steps = {self.steps} of {self.times} times: there can be {self.times} at most")
        return self

    @model_validator(mode="after")
    def _guidance_is_learnt(self) -> Self:
        if self.guidance != 1 and not self.drop:
            raise UsageError(
                f"guidance = {self.guidance} needs a head that learnt without context: set drop, or guidance=1"
            )
        return self


@HEADS.register("diffusion")
class DiffusionHead(CarryingHead):
    """Of residuals x of the anchor, in its standard deviations: x_t = cos(angle) x + sin(angle) noise.

    The network says what x is beside cos(angle) x_t, the best guess where residuals are as normal as the anchor says.
    The cosine schedule ends in noise alone (zero terminal signal), and steps trail from there (Lin et al. 2023, "Common
    Diffusion Noise Schedules and Sample Steps are Flawed", arXiv 2305.08891).

    Two towers attend across positions in the reference; here the state, which has read all of them, is what the
    denoiser is told, so that a step needs the last state alone. Without a context the anchor's mean stays. There is no
    density: guidance draws from a distribution that no one can write down.
    """

    Config = DiffusionConfig

    def denoise(self, about_BSD: Tensor, x_KBSD: Tensor, angle: Tensor) -> Tensor:
        """(K, B, S, D) what x is beside cos(angle) x_t, at size 1."""
        return self.net(x_KBSD, angle / (math.pi / 2), about_BSD).float()

    def on_the_way(self, state: State, target_ND: Tensor, noise_ND: Tensor, time_N: Tensor) -> tuple[Tensor, Tensor]:
        angle_N = self.angle((time_N * self.config.times).ceil().clamp(min=1))
        cos_N1, sin_N1 = angle_N.cos()[:, None], angle_N.sin()[:, None]
        x_ND = self.residual(state, target_ND)
        noisy_ND = cos_N1 * x_ND + sin_N1 * noise_ND
        about_1ND = self._dropped(self.readout(state.hidden_BSM))
        said_ND = self.denoise(about_1ND, noisy_ND[None, None], angle_N[None])[0, 0]
        return said_ND / math.sqrt(self.dim), (x_ND - cos_N1 * noisy_ND) / math.sqrt(self.dim)

    def _dropped(self, about_1ND: Tensor) -> Tensor:
        if not self.training:
            return about_1ND
        return about_1ND * (torch.rand_like(about_1ND[..., :1]) >= self.config.drop)

    def angle(self, time: Tensor) -> Tensor:
        return time * (math.pi / 2 / self.config.times)

    def times(self) -> list[int]:
        """From T to 0, evenly and trailing, `steps` + 1 of them."""
        steps, times = self.config.steps, self.config.times
        return [round(times * (steps - step) / steps) for step in range(steps + 1)]

    def draw(self, state: State, noise_KBSD: Tensor) -> Tensor:
        """DDIM's step is cos(turn) x + sin(turn) / sin(angle) * what the network says (Song et al. 2020, arXiv
        2010.02502). Here x itself is kept instead: its exact way where the network says nothing, so that what the
        anchor draws does not shrink; for small turns the two are one.
        """
        about_BSD, x_KBSD = self.readout(state.hidden_BSM), noise_KBSD
        angles = self.angle(torch.tensor(self.times(), dtype=torch.float32, device=noise_KBSD.device))
        for angle, after in pairwise(angles):
            x_KBSD = x_KBSD + (angle - after).sin() / angle.sin() * self._guided(about_BSD, x_KBSD, angle)
        return unit(self.around(state, x_KBSD))

    def _guided(self, about_BSD: Tensor, x_KBSD: Tensor, angle: Tensor) -> Tensor:
        """What the network says, the context exaggerated (Ho and Salimans 2022, arXiv 2207.12598), x as spread as
        before as far as `rescale` says (Lin et al., 3.4)."""
        size, kept_KBSD = 1.0 if self.training else self.size, angle.cos() * x_KBSD
        told_KBSD = kept_KBSD + size * self.denoise(about_BSD, x_KBSD, angle)
        if self.config.guidance == 1:
            return told_KBSD - kept_KBSD
        alone_KBSD = kept_KBSD + size * self.denoise(torch.zeros_like(about_BSD), x_KBSD, angle)
        guided_KBSD = alone_KBSD + self.config.guidance * (told_KBSD - alone_KBSD)
        spread = told_KBSD.std(-1, keepdim=True) / guided_KBSD.std(-1, keepdim=True).clamp(min=1e-6)
        return (1 + self.config.rescale * (spread - 1)) * guided_KBSD - kept_KBSD
