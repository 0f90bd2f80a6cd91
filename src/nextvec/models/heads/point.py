"""The point head: one unit vector, the base moved by what the backbone reads out of its state."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nextvec.errors import UsageError
from nextvec.models.predictor import unit


class PointHead(nn.Module):
    """unit(base + size * readout(state) / sqrt(D)).

    A unit vector's components are of order 1/sqrt(D). Without the factor a few steps of Adam, which moves every weight
    by about its learning rate, would throw the prediction off its base. The size of a correction that starts from zero
    is 1 while it trains and tuned on validation afterwards, like the penalty of a ridge regression: a network that has
    learnt as much noise as signal still improves on its base when it moves a third of the way. Other heads have none.

    Args:
        readout: maps (..., M) to (..., D) and ends with a Linear.
        from_zero: start that Linear at zero, so that an untrained network predicts its base.

    Raises UsageError for a readout without a Linear.
    """

    def __init__(self, readout: nn.Module, *, from_zero: bool) -> None:
        super().__init__()
        self.readout = readout
        self.size: Tensor | None
        self.register_buffer("size", torch.ones(()) if from_zero else None)
        if from_zero:
            _zero_last_linear(readout)

    def move(self, state_BTM: Tensor) -> Tensor:
        """The correction at size 1, (B, T, D), not normalised."""
        move_BTD = self.readout(state_BTM).float()
        return move_BTD / math.sqrt(move_BTD.shape[-1])

    def forward(self, state_BTM: Tensor, base_BTD: Tensor | None) -> Tensor:
        move_BTD = self.move(state_BTM)
        if self.size is not None and not self.training:
            move_BTD = self.size * move_BTD
        return unit(move_BTD if base_BTD is None else base_BTD + move_BTD)


def _zero_last_linear(readout: nn.Module) -> None:
    linears = [module for module in readout.modules() if isinstance(module, nn.Linear)]
    if not linears:
        raise UsageError(f"the readout {type(readout).__name__} has no Linear to start at zero; end it with one")
    for parameter in linears[-1].parameters():
        nn.init.zeros_(parameter)
