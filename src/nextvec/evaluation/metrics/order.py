"""Does the predictor use the order of its context? The predictor itself, on permuted context."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting, predict_last, row_cosines, sample_targets

TARGETS_PER_DOCUMENT = 4


@METRICS.register("order")
class Order:
    """Every vector the predictor may see before a target (its last `context` ones, or all so far) is put in a random
    order, the same for every predictor of that context. Each target needs a sequence of its own, so at most four
    targets a document are drawn, by seed and document id; `ordered_context` is the plain figure on the same targets.
    """

    figures: ClassVar[tuple[Figure, ...]] = (
        Figure(name="shuffled_context", meaning="cosine when all the context is in random order, on sampled targets"),
        Figure(name="ordered_context", meaning="cosine with the context as written, on the same sampled targets"),
    )
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def measure(self, passage: Passage) -> dict[str, Part]:
        setting, end = self._setting, len(passage.vectors_ND)
        rows = sample_targets(setting.seed, passage.doc_id, passage.first, end, TARGETS_PER_DOCUMENT)
        index_B = torch.as_tensor(rows, device=passage.vectors_ND.device)
        shuffled_BD = predict_last(setting.predict, [passage.vectors_ND[self._shuffled(row)] for row in rows])
        ordered_BD = passage.predicted_MD[index_B - passage.first]
        target_BD = passage.vectors_ND[index_B]
        return {
            "shuffled_context": Part.of(row_cosines(shuffled_BD, target_BD)),
            "ordered_context": Part.of(row_cosines(ordered_BD, target_BD)),
        }

    def _shuffled(self, row: int) -> torch.Tensor:
        """Positions of the context of `row`, permuted."""
        first = max(0, row - self._setting.context) if self._setting.context else 0
        rng = np.random.default_rng([self._setting.seed, row])
        return torch.as_tensor(first + rng.permutation(row - first))
