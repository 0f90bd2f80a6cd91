"""Do samples vary as much as what the author could have written does?"""

from __future__ import annotations

from typing import ClassVar

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting


@METRICS.register("diversity")
class Diversity:
    """A ratio of means: where samples are drawn from what the target comes from, both are the same distance from any
    point on average."""

    figures: ClassVar[tuple[Figure, ...]] = (
        Figure(
            name="sample_diversity",
            meaning="mean squared distance of samples to the point, over that of the target; 1 is as varied as the "
            "author, 0 is the same answer every time",
            higher_is_better=None,
            low=0.0,
            optional=True,
            judges="samples",
        ),
    )
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __init__(self, setting: Setting) -> None:
        pass

    def measure(self, passage: Passage) -> dict[str, Part]:
        if passage.drawn is None:
            return {}
        samples_M = passage.drawn.to_point_MK.square().mean(dim=1)
        author_M = (passage.target_MD - passage.predicted_MD).square().sum(dim=1)
        return {"sample_diversity": Part(*(float(x.double().sum()) for x in (samples_M, author_M)))}
