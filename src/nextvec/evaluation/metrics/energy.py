"""How good is the distribution that a forecast draws from? Its energy score: proper, and samples are enough."""

from __future__ import annotations

from typing import ClassVar

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting


@METRICS.register("energy")
class Energy:
    """With samples y_i and target y: mean |y_i - y| - mean |y_i - y_j| / 2 over i != j, which is unbiased for any
    number of samples. No forecast has a lower expected score than the distribution that y comes from (Gneiting and
    Raftery 2007, "Strictly Proper Scoring Rules, Prediction, and Estimation", 4.3)."""

    figures: ClassVar[tuple[Figure, ...]] = (
        Figure(
            name="energy_score",
            meaning="mean distance of samples to the target, less half of that between two samples",
            higher_is_better=False,
            low=-2.0,
            high=2.0,
            optional=True,
            judges="samples",
        ),
    )
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __init__(self, setting: Setting) -> None:
        pass

    def measure(self, passage: Passage) -> dict[str, Part]:
        drawn = passage.drawn
        if drawn is None:
            return {}
        K = drawn.to_target_MK.shape[1]
        between_M = drawn.among_MKK.sum(dim=(1, 2)) / (K * (K - 1))
        return {"energy_score": Part.of(drawn.to_target_MK.mean(dim=1) - between_M / 2)}
