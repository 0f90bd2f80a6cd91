"""Does the predictor use the order of its context? The predictor itself, on permuted context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting, predict_last, row_cosines, sample_targets

MOST_TARGETS = 4
"""Of a document."""
BATCH_POSITIONS = 8_192
"""Vectors of context that are read at a time."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The contexts of a document's targets, in random order and as written, and the targets (M, D)."""

    shuffled: list[Tensor]
    ordered: list[Tensor]
    target_MD: Tensor

    @property
    def positions(self) -> int:
        return 2 * sum(map(len, self.ordered))


@METRICS.register("order")
class Order:
    """Every vector the predictor may see before a target (its last `context` ones, or all so far) is put in a random
    order, the same for every predictor of that context. Each target needs a sequence of its own, so at most four
    targets a document are drawn, by seed and document id; `ordered_context` is the figure on the same targets of the
    context as written. Paragraphs are hidden from both: what they are worth is nothing that the order is.
    """

    figures: ClassVar[tuple[Figure, ...]] = (
        Figure(
            name="shuffled_context",
            meaning="cosine when all the context is in random order, on sampled targets",
            low=-1.0,
            high=1.0,
        ),
        Figure(
            name="ordered_context",
            meaning="cosine with the context as written, on the same sampled targets",
            low=-1.0,
            high=1.0,
        ),
    )
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 2

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._waiting: list[_Asked] = []
        self._parts: dict[str, list[Part]] = {"shuffled_context": [], "ordered_context": []}

    def measure(self, passage: Passage) -> dict[str, Part]:
        """Documents wait for others: a few short sequences at a time would keep no processor busy."""
        rows = sample_targets(self._setting.seed, passage.doc_id, passage.first, len(passage.vectors_ND), MOST_TARGETS)
        contexts = [passage.vectors_ND[self._first(row) : row] for row in rows]
        shuffled = [context[self._permutation(row, len(context))] for row, context in zip(rows, contexts, strict=True)]
        target_MD = passage.vectors_ND[torch.as_tensor(rows, device=passage.vectors_ND.device)]
        self._waiting.append(_Asked(shuffled, contexts, target_MD))
        if sum(asked.positions for asked in self._waiting) >= BATCH_POSITIONS:
            self._answer()
        return {}

    def settle(self) -> dict[str, list[Part]]:
        self._answer()
        return self._parts

    def _answer(self) -> None:
        """Predict what all that wait have asked."""
        waiting, self._waiting = self._waiting, []
        sequences = [context for asked in waiting for context in (*asked.shuffled, *asked.ordered)]
        counts = [len(asked.ordered) for asked in waiting for _ in self._parts]
        predicted = iter(predict_last(self._setting.predictor, sequences).split(counts) if waiting else ())
        for asked in waiting:
            for parts in self._parts.values():
                parts.append(Part.of(row_cosines(next(predicted), asked.target_MD)))

    def _first(self, row: int) -> int:
        """Where the context of `row` begins."""
        return max(0, row - self._setting.context) if self._setting.context else 0

    def _permutation(self, row: int, length: int) -> Tensor:
        return torch.as_tensor(np.random.default_rng([self._setting.seed, row]).permutation(length))
