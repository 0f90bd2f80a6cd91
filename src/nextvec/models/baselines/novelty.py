"""A query for what is new: `contrast`, with what its document has said already taken out.

A document's own chunks are the pool, and what it said some time ago hardly ever comes again; nor does anything like it
say much about what does. So the query is projected, not entirely, onto the complement of the context's vectors
(`innovations`): the covariance of "any of this document" has the document's own scatter in it. That what is retrieved
must be novel as well as relevant is Carbonell and Goldstein's idea (1998, maximal marginal relevance).
"""

from __future__ import annotations

import torch
from torch import Tensor

from nextvec.ahead import Ahead
from nextvec.models.baseline import BASELINES, Baseline, Batches
from nextvec.models.baselines.contrast import Contrast
from nextvec.models.innovations import innovations, without
from nextvec.models.memory import Kept, parts_of
from nextvec.models.pool import RECENT, least_log_loss
from nextvec.models.predictor import unit
from nextvec.models.targets import TargetBatch, ahead_of

STRENGTHS = (0.01, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Of the projection, s: of a direction that one vector had, 1 / (1 + s) is left."""


@BASELINES.register("novelty")
class Novelty(Baseline):
    """scale * P q: q the query of `contrast`, P without the context's vectors but the last `RECENT`, which are no
    candidates.

    Strength and scale have the least log loss of validation targets in their documents: its scores are log odds in
    nats, up to a constant. It keeps D numbers a position, for ever.
    """

    name = "novelty"
    ranks_by = "query"
    extends = "contrast"
    reads_structure = True
    strength: Tensor
    scale: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.contrast = Contrast(dim)
        self.register_buffer("strength", torch.tensor(STRENGTHS[0]))
        self.register_buffer("scale", torch.tensor(1.0))

    def adopt(self, fitted: Baseline) -> None:
        self.contrast.load_state_dict(fitted.state_dict())

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
        of_contrast, known_BPD = parts_of(kept, 2)
        query_BTD = self.contrast.rank_after(x_BTD, breaks_BT, of_contrast, ahead)
        return self.scale * without(query_BTD, innovations(x_BTD, float(self.strength), known_BPD), RECENT)

    def remember(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept) -> Kept:
        of_contrast, known_BPD = parts_of(kept, 2)
        after = self.contrast.remember(x_BTD, breaks_BT, of_contrast)
        return after, innovations(x_BTD, float(self.strength), known_BPD)
