"""What steps of training came to, left on their device until it is wanted: asking for it makes the device wait."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Measured(NamedTuple):
    """Of one step: its number from 0, its targets, their mean loss, and the norm of the gradient before clipping."""

    step: int
    targets: int
    loss: float
    norm: float


class Meter:
    """Keeps figures of steps in the order in which they come."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, int]] = []
        self._figures: list[Tensor] = []

    def add(self, step: int, targets: int, loss: Tensor, norm: Tensor) -> None:
        """Both () tensors."""
        self._steps.append((step, targets))
        self._figures += [loss.detach().float(), norm.detach().float()]

    def read(self) -> list[Measured]:
        """Those since the last reading, brought over at once."""
        steps, figures = self._steps, self._figures
        self._steps, self._figures = [], []
        values = torch.stack(figures).view(-1, 2).tolist() if figures else []
        return [Measured(*step, *pair) for step, pair in zip(steps, values, strict=True)]
