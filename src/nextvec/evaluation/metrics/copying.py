"""Repetition: does a prediction resemble its own context more than the author's next chunk does?"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting


@METRICS.register("copying")
class Copying:
    """The context is the last `min_context` rows for every predictor, however many it looks at, so that all are
    measured alike. A ratio of means: a mean of ratios would be ruled by targets unlike their context."""

    figures: ClassVar[tuple[Figure, ...]] = (
        Figure(
            name="copy_ratio",
            meaning="mean greatest cosine of the prediction to its last context vectors, over that of the target; "
            "1 is as repetitive as the author",
            higher_is_better=None,
        ),
    )
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __init__(self, setting: Setting) -> None:
        self._reach = setting.min_context

    def measure(self, passage: Passage) -> dict[str, Part]:
        context_MKD = _last_rows(passage.vectors_ND, passage.first, self._reach)
        predicted, author = (_nearest(x, context_MKD) for x in (passage.predicted_MD, passage.target_MD))
        return {"copy_ratio": Part(predicted, author)} if author > 0 else {}


def _last_rows(vectors_ND: Tensor, first: int, reach: int) -> Tensor:
    """The `reach` rows before each target, (M, reach, D)."""
    targets_M = torch.arange(first, len(vectors_ND), device=vectors_ND.device)
    back_K = torch.arange(-reach, 0, device=vectors_ND.device)
    return vectors_ND[targets_M[:, None] + back_K]


def _nearest(x_MD: Tensor, context_MKD: Tensor) -> float:
    cosines_MK = torch.einsum("md,mkd->mk", x_MD, context_MKD)
    return float(cosines_MK.max(dim=1).values.cpu().double().sum())
