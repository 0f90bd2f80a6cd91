"""The point head: one unit vector, the base moved by what the backbone reads out of its state."""

from __future__ import annotations

import math

from torch import Tensor, nn

from nextvec.errors import UsageError
from nextvec.models.predictor import unit


class PointHead(nn.Module):
    """unit(base + readout(state) / sqrt(D)).

    A unit vector's components are of order 1/sqrt(D). Without the factor a few steps of Adam, which moves every weight
    by about its learning rate, would throw the prediction off its base.

    Args:
        readout: maps (..., M) to (..., D) and ends with a Linear.
        from_zero: start that Linear at zero, so that an untrained network predicts its base.

    Raises UsageError for a readout without a Linear.
    """

    def __init__(self, readout: nn.Module, *, from_zero: bool) -> None:
        super().__init__()
        self.readout = readout
        if from_zero:
            _zero_last_linear(readout)

    def forward(self, state_BTM: Tensor, base_BTD: Tensor | None) -> Tensor:
        move_BTD = self.readout(state_BTM).float()
        move_BTD = move_BTD / math.sqrt(move_BTD.shape[-1])
        return unit(move_BTD if base_BTD is None else base_BTD + move_BTD)


def _zero_last_linear(readout: nn.Module) -> None:
    linears = [module for module in readout.modules() if isinstance(module, nn.Linear)]
    if not linears:
        raise UsageError(f"the readout {type(readout).__name__} has no Linear to start at zero; end it with one")
    for parameter in linears[-1].parameters():
        nn.init.zeros_(parameter)
