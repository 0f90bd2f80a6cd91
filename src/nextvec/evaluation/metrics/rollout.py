"""How long a predictor stays on course when it reads its own predictions."""

from __future__ import annotations

from typing import ClassVar

import torch

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting, predict_last, row_cosines, sample_targets

STEPS = 5
STARTS_PER_DOCUMENT = 4


@METRICS.register("rollout")
class Rollout:
    """From at most four starts a document, drawn by seed and document id, the prediction is appended to the context
    and the next one made, five times. Every start has five true vectors ahead, so all horizons share their starts."""

    figures: ClassVar[tuple[Figure, ...]] = tuple(
        Figure(name=f"rollout@{h}", meaning=f"cosine to the true vector {h} ahead when predictions are fed back")
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
        return self._roll(passage, starts) if starts else {}

    def _roll(self, passage: Passage, starts: list[int]) -> dict[str, Part]:
        sequences = [self._visible(passage.vectors_ND[:start]) for start in starts]
        parts = {}
        for step in range(STEPS):
            predicted_BD = predict_last(self._setting.predict, sequences)
            target_BD = passage.vectors_ND[[start + step for start in starts]]
            parts[f"rollout@{step + 1}"] = Part.of(row_cosines(predicted_BD, target_BD))
            fed = zip(sequences, predicted_BD, strict=True)
            sequences = [self._visible(torch.cat([seen, new[None]])) for seen, new in fed]
        return parts

    def _visible(self, sequence_TD: torch.Tensor) -> torch.Tensor:
        """What the predictor looks at: fewer rows cost less and change nothing."""
        return sequence_TD[-self._setting.context :] if self._setting.context else sequence_TD
