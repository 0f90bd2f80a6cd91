"""Heads that carry noise to a vector in steps, by a network that is told how far it has come.

N targets, D embedding size.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from pydantic import Field
from torch import Tensor

from nextvec.config import Config
from nextvec.errors import TrainingError
from nextvec.models.adaptive import AdaptiveMLP
from nextvec.models.backbone import Backbone
from nextvec.models.baseline import Baseline
from nextvec.models.head import Readings, State
from nextvec.models.sampler import SamplingHead
from nextvec.models.targets import Targets


class CarryingConfig(Config):
    width: int = Field(512, ge=1, description="size of the hidden layers")
    blocks: int = Field(3, ge=1)


class CarryingHead(SamplingHead):
    """Its network learns, by least squares, what noise on its way to a target needs beside what the anchor says.

    What the network says has size 1 while it trains; afterwards the one, 0..1, that explains validation best.
    """

    size: Tensor

    def __init__(self, config: CarryingConfig, backbone: Backbone, anchor: Baseline | None) -> None:
        super().__init__(config, backbone, anchor)
        self.net = AdaptiveMLP(self.dim, config.width, config.blocks)
        self.register_buffer("size", torch.ones(()))
        self.start_there(self.net)

    @abstractmethod
    def on_the_way(self, state: State, target_ND: Tensor, noise_ND: Tensor, time_N: Tensor) -> tuple[Tensor, Tensor]:
        """What the network says at size 1 and what it should say, (N, D), of norms of order 1, a time, 0..1, on the way
        from noise to the targets."""

    def loss(self, state: State, targets: Targets) -> Tensor:
        noise_ND, time_N = torch.randn_like(targets.target), torch.rand_like(targets.target[:, 0])
        said_ND, wanted_ND = self.on_the_way(state.at(targets.mask_BS), targets.target, noise_ND, time_N)
        with torch.autocast(wanted_ND.device.type, enabled=False):
            return (said_ND - wanted_ND).square().sum(-1).mean()

    def calibrate(self, readings: Readings) -> float:
        """Minus the mean squared error of what the network says, at the size where it is least."""
        sums, count, generator = torch.zeros(3, dtype=torch.float64, device="cpu"), 0, torch.Generator().manual_seed(0)
        for state, batch in readings():
            target_ND = batch.target_BTD[batch.target_mask_BT]
            noise_ND = torch.randn(target_ND.shape, generator=generator, device="cpu").to(target_ND)
            time_N = torch.rand(len(target_ND), generator=generator, device="cpu").to(target_ND)
            said_ND, wanted_ND = self.on_the_way(state.at(batch.target_mask_BT), target_ND, noise_ND, time_N)
            pairs = (said_ND, said_ND), (said_ND, wanted_ND), (wanted_ND, wanted_ND)
            sums += torch.stack([(left * right).sum().double().cpu() for left, right in pairs])
            count += len(target_ND)
        if not count:
            raise TrainingError("there is no target to tune the draws on. Give it longer documents.")
        size = float((sums[1] / sums[0].clamp(min=1e-12)).clamp(0.0, 1.0))
        self.size.fill_(size)
        return -float(size**2 * sums[0] - 2 * size * sums[1] + sums[2]) / count

    @property
    def calibration(self) -> dict[str, float]:
        return {"size": round(float(self.size), 2)}
