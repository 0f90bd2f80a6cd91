"""A query for what is new: `contrast`, with what its document has said already taken out.

A document's own chunks are the pool, and what it said some time ago hardly ever comes again; nor does anything like it
say much about what does. So the query is projected, not entirely, onto the complement of the context's vectors
(`innovations`): the covariance of "any of this document" has the document's own scatter in it. That what is retrieved
must be novel as well as relevant is Carbonell and Goldstein's idea (1998, maximal marginal relevance).

Where no candidate has been said, that takes too much: what the document is about is in its context's vectors, and what
comes next is about it still. Some of the topic is added there (`lean_after`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nextvec.ahead import Ahead
from nextvec.models.baseline import BASELINES, Baseline, Batches
from nextvec.models.baselines.contrast import Contrast
from nextvec.models.baselines.ridge import EwmaMix
from nextvec.models.innovations import innovations, without
from nextvec.models.memory import Kept, parts_of
from nextvec.models.pool import RECENT, best_lean, least_log_loss
from nextvec.models.predictor import unit
from nextvec.models.targets import TargetBatch, ahead_of

STRENGTHS = (0.01, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Of the projection, s: of a direction that one vector had, 1 / (1 + s) is left."""
LEANS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Nats of a candidate that is the topic itself, where all candidates lie ahead."""


@BASELINES.register("novelty")
class Novelty(Baseline):
    """scale * P q: q the query of `contrast`, P without the context's vectors but the last `RECENT`, which are no
    candidates.

    Strength and scale have the least log loss of validation targets in their documents: its scores are log odds in
    nats, up to a constant. It keeps D numbers a position, for ever. Among what lies ahead `weight` times the topic of
    `ewma-mix` is added: with it the reciprocal rank of validation targets is highest there.
    """

    name = "novelty"
    ranks_by = "query"
    extends = ("contrast", "ewma-mix")
    reads_structure = True
    leans = True
    strength: Tensor
    scale: Tensor
    weight: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.contrast, self.mix = Contrast(dim), EwmaMix(dim)
        self.register_buffer("strength", torch.tensor(STRENGTHS[0]))
        self.register_buffer("scale", torch.tensor(1.0))
        self.register_buffer("weight", torch.tensor(0.0))

    def adopt(self, fitted: Baseline) -> None:
        own = self.contrast if fitted.name == self.contrast.name else self.mix
        own.load_state_dict(fitted.state_dict())

    def fit(self, train: Batches, validation: Batches) -> None:
        def rank(batch: TargetBatch) -> Tensor:
            return self.rank_after(batch.x_BTD, batch.breaks_BT, None, ahead_of(batch))

        found = []
        for strength in STRENGTHS:
            self.strength.fill_(strength)
            found.append((*least_log_loss(rank, validation), strength))
        _, scale, strength = min(found)
        self.scale.fill_(scale)
        self.strength.fill_(strength)
        self.weight.fill_(best_lean(rank, self._topic, LEANS, validation))

    def _topic(self, batch: TargetBatch) -> Tensor:
        return self.mix.topic_after(batch.x_BTD, batch.breaks_BT, None, ahead_of(batch))

    @property
    def reads_next(self) -> bool:
        return self.contrast.reads_next

    def forward(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        return self.point_after(x_BTD, breaks_BT, None)

    def rank(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        return self.rank_after(x_BTD, breaks_BT, None)

    def point_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        return unit(self.rank_after(x_BTD, breaks_BT, kept, ahead))

    def rank_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        of_contrast, known_BPD, _ = parts_of(kept, 3)
        query_BTD = self.contrast.rank_after(x_BTD, breaks_BT, of_contrast, ahead)
        return self.scale * without(query_BTD, innovations(x_BTD, float(self.strength), known_BPD), RECENT)

    def lean_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        *_, of_mix = parts_of(kept, 3)
        return self.weight * self.mix.topic_after(x_BTD, breaks_BT, of_mix, ahead)

    def remember(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept) -> Kept:
        of_contrast, known_BPD, of_mix = parts_of(kept, 3)
        return (
            self.contrast.remember(x_BTD, breaks_BT, of_contrast),
            innovations(x_BTD, float(self.strength), known_BPD),
            self.mix.remember(x_BTD, breaks_BT, of_mix),
        )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """What was saved before it leaned does not lean; what is trained without its anchor leaves it as it is."""
        if any(name.startswith(prefix) for name in state_dict) and f"{prefix}weight" not in state_dict:
            state_dict[f"{prefix}weight"] = torch.zeros_like(self.weight)
            state_dict |= {f"{prefix}mix.{name}": buffer for name, buffer in self.mix.state_dict().items()}
        super()._load_from_state_dict(state_dict, prefix, *rest)
