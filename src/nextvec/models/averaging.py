"""Baselines that see the past as decayed means alone, so that a sum a decay is all that they keep of it."""

from __future__ import annotations

from abc import abstractmethod
from typing import cast

from torch import Tensor

from nextvec.ahead import Ahead
from nextvec.models.baseline import Baseline
from nextvec.models.decay import continued_means
from nextvec.models.memory import Kept


class AveragingBaseline(Baseline):
    @property
    @abstractmethod
    def decays(self) -> tuple[float, ...]:
        """Of the K means, 0..1."""

    @abstractmethod
    def of_means(self, means_BTKD: Tensor) -> Tensor:
        """Unit predictions y_BTD from `decayed_means`."""

    def forward(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        return self.point_after(x_BTD, breaks_BT, None)

    def point_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        return self.of_means(self._continued(x_BTD, kept)[0])

    def remember(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept) -> Kept:
        return self._continued(x_BTD, kept)[1]

    def _continued(self, x_BTD: Tensor, kept: Kept) -> tuple[Tensor, Tensor]:
        return continued_means(x_BTD, cast("Tensor | None", kept), self.decays)
