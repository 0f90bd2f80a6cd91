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
    targets a document are drawn, by seed and document id; `ordered_context` is the figure on the same targets of the
    context as written. Paragraphs are hidden from both: what they are worth is nothing that the order is.
    """

    figures: ClassVar[tuple[Figure, ...]] = (
        Figure(name="shuffled_context", meaning="cosine when all the context is in random order, on sampled targets"),
        Figure(name="ordered_context", meaning="cosine with the context as written, on the same sampled targets"),
    )
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 2

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def measure(self, passage: Passage) -> dict[str, Part]:
        setting, end = self._setting, len(passage.vectors_ND)
        rows = sample_targets(setting.seed, passage.doc_id, passage.first, end, TARGETS_PER_DOCUMENT)
        contexts = [passage.vectors_ND[self._first(row) : row] for row in rows]
        shuffled = [context[self._permutation(row, len(context))] for row, context in zip(rows, contexts, strict=True)]
        target_BD = passage.vectors_ND[torch.as_tensor(rows, device=passage.vectors_ND.device)]
        return {
            name: Part.of(row_cosines(predict_last(setting.predict, sequences), target_BD))
            for name, sequences in (("shuffled_context", shuffled), ("ordered_context", contexts))
        }

    def _first(self, row: int) -> int:
        """Where the context of `row` begins."""
        return max(0, row - self._setting.context) if self._setting.context else 0

    def _permutation(self, row: int, length: int) -> torch.Tensor:
        return torch.as_tensor(np.random.default_rng([self._setting.seed, row]).permutation(length))
