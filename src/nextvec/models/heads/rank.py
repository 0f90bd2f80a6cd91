"""The rank head: a query whose scores with candidates are the log odds of what comes next."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from pydantic import Field
from torch import Tensor, nn

from nextvec.ahead import Ahead
from nextvec.config import Config
from nextvec.errors import TrainingError
from nextvec.models.backbone import Backbone
from nextvec.models.baseline import Baseline
from nextvec.models.head import HEADS, SIZES, Head, Readings, State, least_as_good, start_at_zero
from nextvec.models.losses import contrastive, duplicates
from nextvec.models.memory import Kept
from nextvec.models.pool import (
    RECENT,
    log_losses,
    lowest,
    own_pools,
    pool_scores,
    recent,
    reciprocal_ranks,
    said,
)
from nextvec.models.predictor import AnchorName
from nextvec.models.targets import TargetBatch, Targets, ahead_of

LENGTH = 14.0
"""Of a correction that is read out as a unit vector: queries of about this length have scores in nats (InfoNCE's usual
temperature, 0.07, inverted)."""
QUICKER = 30.0
"""How many times as fast as a weight the logarithm of a temperature moves."""

NEAR = tuple(2 ** (step / 8) for step in range(-8, 9))
"""Factors of the learnt scale that are tried on validation, from a half to twice of it."""


class RankConfig(Config):
    foreign: float = Field(0.0, ge=0, description="weight of another loss, against chunks of other documents")
    ahead: float = Field(0.5, ge=0, le=1, description="share of the loss that is against what lies ahead alone")


@HEADS.register("rank")
class RankHead(Head):
    """scale * (base + size * LENGTH * readout(state) / sqrt(D)).

    The loss is -log softmax of the scores over the target's own document, as far as the batch has it, without the
    chunks seen last (`RECENT`) and without duplicates: InfoNCE (van den Oord et al. 2018, arXiv 1807.03748) with hard
    negatives alone; in part (`ahead`) over what lies ahead, where nothing is gained by knowing what was said. Chunks of
    other documents have a loss and a scale of their own: in one softmax with them the topic would dominate, and a query
    that knows the topic is bad at telling the chunks of one document apart.
    """

    Config = RankConfig
    gives = frozenset({"query"})
    whole_documents = True

    def __init__(self, config: RankConfig, backbone: Backbone, anchor: Baseline | None) -> None:
        super().__init__(config, backbone, anchor)
        self.readout = backbone.readout()
        self.log_scales = nn.Parameter(torch.zeros(2 if config.foreign else 1))
        self.size: Tensor
        self.register_buffer("size", torch.ones(()))
        if anchor is not None:
            start_at_zero(self.readout)

    @classmethod
    def baseline(cls, anchor: AnchorName) -> str | None:
        return None if anchor == "none" else "novelty"

    def move(self, state: State) -> Tensor:
        """The correction at size 1, (B, S, D)."""
        return LENGTH / math.sqrt(self.dim) * self.readout(state.hidden_BSM).float()

    def query(self, state: State) -> Tensor:
        return self._scale(0) * self._unscaled(state)

    def _unscaled(self, state: State) -> Tensor:
        move_BSD = self.move(state) if self.training else self.size * self.move(state)
        return move_BSD if state.base_BSE is None else state.base_BSE + move_BSD

    def _scale(self, pool: int) -> Tensor:
        return (QUICKER * self.log_scales[pool]).exp()

    def lean(
        self, x_BTD: Tensor, breaks_BT: Tensor | None = None, kept: Kept = None, ahead: Ahead | None = None
    ) -> Tensor:
        return self._scale(0) * super().lean(x_BTD, breaks_BT, kept, ahead)

    def loss(self, state: State, targets: Targets) -> Tensor:
        query_ND = self._unscaled(state)[targets.mask_BS]
        with torch.autocast(query_ND.device.type, enabled=False):
            scores_NM, other_NM = query_ND @ targets.candidate.T, ~duplicates(targets)
            own_NM = targets.first[:, None] == targets.candidate_first
            rival_NM = own_NM & other_NM & ~_recent(targets)
            loss = contrastive(self._scale(0) * scores_NM, rival_NM, targets)
            if share := self.config.ahead:
                rival_NM &= targets.candidate_row > targets.row[:, None]
                loss = (1 - share) * loss + share * contrastive(self._scale(0) * scores_NM, rival_NM, targets)
            if self.config.foreign:
                against = contrastive(self._scale(1) * scores_NM, ~own_NM & other_NM, targets)
                loss = loss + self.config.foreign * against
            return loss

    def calibrate(self, readings: Readings) -> float:
        """Minus the log loss in the own document, in nats, with the correction as large as it ranks best.

        That is the least of `SIZES` whose mean reciprocal rank, in the document and ahead, is within a standard error
        of the highest. By the log loss it would be larger than it ranks best, and out of domain larger than it is good
        for (LOG.md, 2026-11-28).
        """
        sizes = SIZES if self.anchored else SIZES[-1:]
        ranks: list[Tensor] = []
        counts: list[int] = []
        for state, batch in readings():
            for pool in self._pools(state, batch):
                ranks.append(_ranks(sizes, *pool))
                counts.append(len(pool[0]))
        if not counts:
            raise TrainingError(
                f"no validation document has a chunk to rank after {RECENT} others. Give it longer ones."
            )
        ranks_CK = torch.stack(ranks).double().cpu()
        self.size.fill_(sizes[least_as_good(ranks_CK, torch.tensor(counts, device="cpu"))])
        return -self._log_loss(readings)

    def _log_loss(self, readings: Readings) -> float:
        """The mean in nats, at the temperature at which it is least, as every query is judged: that of training is of
        training documents, and half way through a run far from that of others."""
        totals: list[Tensor] = []
        count = 0
        for state, batch in readings():
            for query_MD, vectors_ND in own_pools(self.query(state), batch):
                totals.append(log_losses(pool_scores(query_MD, vectors_ND), NEAR).sum(dim=1))
                count += len(query_MD)
        return lowest(torch.stack(totals).sum(dim=0, dtype=torch.float64) / count)

    def _pools(self, state: State, batch: TargetBatch) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Of each document the scores (M, N) of base, correction and what is added ahead, and its vectors (N, D)."""
        parts = [own_pools(part_BSD, batch) for part_BSD in self._scaled_parts(state, batch)]
        for (base_MD, vectors_ND), (move_MD, _), (lean_MD, _) in zip(*parts, strict=True):
            yield base_MD @ vectors_ND.T, move_MD @ vectors_ND.T, lean_MD @ vectors_ND.T, vectors_ND

    def _scaled_parts(self, state: State, batch: TargetBatch) -> tuple[Tensor, Tensor, Tensor]:
        """The base, zero where there is none, the correction at size 1, and what is added ahead."""
        move_BSD = self._scale(0) * self.move(state)
        nothing_BSD = torch.zeros_like(move_BSD)
        base_BSD = nothing_BSD if state.base_BSE is None else self._scale(0) * state.base_BSE
        if self.anchor is None or not self.anchor.leans:
            return base_BSD, move_BSD, nothing_BSD
        return base_BSD, move_BSD, self.lean(batch.x_BTD.float(), batch.breaks_BT, None, ahead_of(batch))

    @property
    def calibration(self) -> dict[str, float]:
        return {"size": round(float(self.size), 2), "scale": round(float(self._scale(0).detach()), 3)}


def _ranks(sizes: Sequence[float], base_MN: Tensor, move_MN: Tensor, lean_MN: Tensor, vectors_ND: Tensor) -> Tensor:
    """(K,) at each size, summed over a document's targets: the mean of the reciprocal ranks in it and ahead."""
    recent_MN, said_MN = recent(len(base_MN), vectors_ND), said(len(base_MN), vectors_ND)
    totals = []
    for size in sizes:
        score_MN = base_MN + size * move_MN
        ahead_M = reciprocal_ranks((score_MN + lean_MN).masked_fill_(said_MN, -torch.inf))
        own_M = reciprocal_ranks(score_MN.masked_fill_(recent_MN, -torch.inf))
        totals.append((own_M + ahead_M).sum() / 2)
    return torch.stack(totals)


def _recent(targets: Targets) -> Tensor:
    """(N, M) bool: the candidates that are the last `RECENT` rows before each target."""
    back_NM = targets.row[:, None] - targets.candidate_row
    return (back_NM > 0) & (back_NM <= RECENT)
