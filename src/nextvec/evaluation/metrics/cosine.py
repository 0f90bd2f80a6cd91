"""How close predictions are to the truth: raw, and after removing the direction that all text embeddings share."""

from __future__ import annotations

from typing import ClassVar

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting, row_cosines, unit_rows


@METRICS.register("cosine")
class Cosine:
    figures: ClassVar[tuple[Figure, ...]] = (
        Figure(name="cosine", meaning="mean cosine of prediction and target", low=-1.0, high=1.0),
        Figure(
            name="cosine_centred",
            meaning="the same after subtracting the mean training vector from both and normalising again",
            low=-1.0,
            high=1.0,
        ),
    )
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __init__(self, setting: Setting) -> None:
        self._mean_D = setting.train_mean_D

    def measure(self, passage: Passage) -> dict[str, Part]:
        raw_M = row_cosines(passage.predicted_MD, passage.target_MD)
        predicted_MD, target_MD = (unit_rows(x - self._mean_D) for x in (passage.predicted_MD, passage.target_MD))
        return {"cosine": Part.of(raw_M), "cosine_centred": Part.of(row_cosines(predicted_MD, target_MD))}
