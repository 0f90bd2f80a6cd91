"""How long a predictor stays on course when it reads its own predictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting, row_cosines, sample_targets
from nextvec.models.predictor import Forecast, Memory, Predictor

STEPS = 5
STARTS_PER_DOCUMENT = 4


@METRICS.register("rollout")
class Rollout:
    """From at most four starts a document, drawn by seed and document id, the prediction is appended to the context
    and the next one made, five times. Every start has five true vectors ahead, so all horizons share their starts."""

    figures: ClassVar[tuple[Figure, ...]] = tuple(
        Figure(
            name=f"rollout@{h}",
            meaning=f"cosine to the true vector {h} ahead when predictions are fed back",
            low=-1.0,
            high=1.0,
        )
        for h in range(1, STEPS + 1)
    )
    costly: ClassVar[bool] = True
    version: ClassVar[int] = 1

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def measure(self, passage: Passage) -> dict[str, Part]:
        last_start = len(passage.vectors_ND) - STEPS
        starts = sample_targets(
            self._setting.seed, passage.doc_id, passage.first, last_start + 1, STARTS_PER_DOCUMENT
        ).tolist()
        if not starts:
            return {}
        cosines_CH = torch.stack(list(self._cosines(passage.vectors_ND, starts)))
        return {f"rollout@{step + 1}": Part.of(cosines_CH[:, step]) for step in range(STEPS)}

    @torch.no_grad()
    def _cosines(self, vectors_ND: Tensor, starts: list[int]) -> Iterator[Tensor]:
        """(STEPS,) of each start, ascending; the document is read once, and every start goes on from what was read."""
        predictor, read = self._setting.predictor, 0
        memory = predictor.start(1)
        for start in starts:
            forecast, memory = predictor.read(vectors_ND[None, read:start], memory)
            yield row_cosines(self._roll(predictor, forecast, memory), vectors_ND[start : start + STEPS])
            read = start

    def _roll(self, predictor: Predictor, forecast: Forecast, memory: Memory) -> Tensor:
        """(STEPS, D) predictions, each but the first made from the ones before it too."""
        predicted = [forecast.point[:, 0]]
        for _ in range(STEPS - 1):
            forecast, memory = predictor.step(predicted[-1], memory)
            predicted.append(forecast.point[:, 0])
        return torch.cat(predicted)
