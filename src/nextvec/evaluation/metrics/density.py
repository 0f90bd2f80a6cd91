"""How probable does a forecast say the target is?"""

from __future__ import annotations

from typing import ClassVar

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting


@METRICS.register("density")
class Density:
    figures: ClassVar[tuple[Figure, ...]] = (
        Figure(
            name="log_density",
            meaning="mean log density of the target in nats a vector, against the uniform distribution, which has 0",
            optional=True,
            judges="density",
        ),
    )
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __init__(self, setting: Setting) -> None:
        pass

    def measure(self, passage: Passage) -> dict[str, Part]:
        return {} if passage.density is None else {"log_density": Part.of(passage.density())}
