"""Collapse: predictions that all lie near one point have no spread."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting


@METRICS.register("spread")
class Spread:
    """Total variance, the trace of the covariance over all targets, of predictions over that of targets.

    A document's part is its sum of squared distances to the mean over all documents, known at the end. With unit
    vectors, sum |x - c|^2 = n (1 + |c|^2) - 2 c . sum x, so the sums of vectors suffice.
    """

    figures: ClassVar[tuple[Figure, ...]] = (
        Figure(
            name="spread",
            meaning="total variance of predictions over total variance of targets; near 0 is a collapse to one point",
            higher_is_better=None,
            low=0.0,
        ),
    )
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __init__(self, setting: Setting) -> None:
        self._predicted: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._counts: list[int] = []

    def measure(self, passage: Passage) -> dict[str, Part]:
        self._predicted.append(passage.predicted_MD.cpu().sum(dim=0, dtype=torch.float64))
        self._targets.append(passage.target_MD.cpu().sum(dim=0, dtype=torch.float64))
        self._counts.append(len(passage.predicted_MD))
        return {}

    def settle(self) -> dict[str, list[Part]]:
        counts = torch.tensor(self._counts, dtype=torch.float64, device="cpu")
        predicted, targets = (_squared_distances(torch.stack(s), counts) for s in (self._predicted, self._targets))
        return {"spread": [Part(p, t) for p, t in zip(predicted.tolist(), targets.tolist(), strict=True)]}


def _squared_distances(sums: Tensor, counts: Tensor) -> Tensor:
    """(documents,) sums of squared distances to the mean over all, from (documents, D) sums of unit vectors."""
    centre = sums.sum(dim=0) / counts.sum()
    distances = counts * (1 + centre @ centre) - 2 * sums @ centre
    return distances.clamp(min=0.0)
