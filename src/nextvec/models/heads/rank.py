"""The rank head: a query whose scores with candidates are the log odds of what comes next."""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from nextvec.ahead import Ahead
from nextvec.config import Config
from nextvec.errors import TrainingError
from nextvec.models.backbone import Backbone
from nextvec.models.baseline import Baseline
from nextvec.models.head import HEADS, SIZES, Head, Readings, State, start_at_zero
from nextvec.models.losses import contrastive, duplicates
from nextvec.models.memory import Kept
from nextvec.models.pool import RECENT, log_losses, own_pools, pool_scores
from nextvec.models.predictor import AnchorName
from nextvec.models.targets import Targets

LENGTH = 14.0
"""Of a correction that is read out as a unit vector: queries of about this length have scores in nats (InfoNCE's usual
temperature, 0.07, inverted)."""
QUICKER = 30.0
"""How many times as fast as a weight the logarithm of a temperature moves."""


class RankConfig(Config):
    foreign: float = Field(0.0, ge=0, description="weight of a second loss, against chunks of other documents")


@HEADS.register("rank")
class RankHead(Head):
    """scale * (base + size * LENGTH * readout(state) / sqrt(D)).

    The loss is -log softmax of the scores over the target's own document, as far as the batch has it, without the
    chunks seen last (`RECENT`) and without duplicates: InfoNCE (van den Oord et al. 2018, arXiv 1807.03748) with hard
    negatives alone. Chunks of other documents have a loss and a scale of their own: in one softmax with them the topic
    would dominate, and a query that knows the topic is bad at telling the chunks of one document apart.
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
            loss = contrastive(self._scale(0) * scores_NM, own_NM & other_NM & ~_recent(targets), targets)
            if self.config.foreign:
                against = contrastive(self._scale(1) * scores_NM, ~own_NM & other_NM, targets)
                loss = loss + self.config.foreign * against
            return loss

    def calibrate(self, readings: Readings) -> float:
        """Minus the log loss in the own document, in nats, with the size of the correction set to the one of `SIZES`
        where it is best. Ranks would say it with more noise: one place more or less at the top is half of a rank's
        reciprocal."""
        sizes = SIZES if self.anchored else SIZES[-1:]
        totals_K, count = torch.zeros(len(sizes), dtype=torch.float64, device="cpu"), 0
        for state, batch in readings():
            base_BSD, move_BSD = self._scaled_parts(state)
            pools = zip(own_pools(base_BSD, batch), own_pools(move_BSD, batch), strict=True)
            for (base_MD, vectors_ND), (move_MD, _) in pools:
                for i, size in enumerate(sizes):
                    scores_MN = pool_scores(base_MD + size * move_MD, vectors_ND)
                    totals_K[i] += float(log_losses(scores_MN, (1.0,)).sum())
                count += len(base_MD)
        if not count:
            raise TrainingError(
                f"no validation document has a chunk to rank after {RECENT} others. Give it longer ones."
            )
        best = int(totals_K.argmin())
        self.size.fill_(sizes[best])
        return -float(totals_K[best]) / count

    def _scaled_parts(self, state: State) -> tuple[Tensor, Tensor]:
        """The base, zero where there is none, and the correction at size 1."""
        move_BSD = self._scale(0) * self.move(state)
        base_BSD = torch.zeros_like(move_BSD) if state.base_BSE is None else self._scale(0) * state.base_BSE
        return base_BSD, move_BSD

    @property
    def calibration(self) -> dict[str, float]:
        return {"size": round(float(self.size), 2), "scale": round(float(self._scale(0).detach()), 3)}


def _recent(targets: Targets) -> Tensor:
    """(N, M) bool: the candidates that are the last `RECENT` rows before each target."""
    back_NM = targets.row[:, None] - targets.candidate_row
    return (back_NM > 0) & (back_NM <= RECENT)
