"""Scores of targets among named pools of candidates, a block of targets at a time, so that memory stays bounded.

document            every chunk of the same document but the context (its last `min_context` rows)
ahead               the target and the chunks after it, to the end of its document: nothing in it has been said, so
                    nothing is gained by telling what has, and a predictor may have another query for it
                    (`Forecast.ahead`); the last chunk, which nothing comes after, is no target
document+context    every chunk of the same document: ranks the copied context first, and so punishes copying
foreign-10k         the target and up to 10,000 chunks of other documents, by the topic (`retrieval.topics`): what
                    tells the chunks of one document apart does not tell them from those of others

M targets of a document of N rows, m of them in a block, K rows of context, P chunks of other documents, C candidates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from nextvec.models.predictor import unit
from nextvec.retrieval.topics import Searched

if TYPE_CHECKING:
    from nextvec.evaluation.metric import Passage

POOLS = ("document", "ahead", "document+context", "foreign-10k")
CHOICES = ("document", "ahead", "foreign-10k")
"""The pools that a probability is given over: those of what may come next."""
Judged = Literal["query", "ahead", "topic"]
Sizes = npt.NDArray[np.int64]
_BLOCK_CELLS = 1 << 23
_SMALLEST = 1e-12


@dataclass(frozen=True, kw_only=True)
class ForeignPool:
    """Chunks to find a target among that are not of its own document: unit vectors (P, D), owner document (P,)."""

    vectors_PD: Tensor
    owner_P: Tensor

    @cached_property
    def searched(self) -> Searched:
        return Searched.of(self.vectors_PD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Cosines of m queries with their targets and all rows of their document, of their queries among what lies ahead
    with the rows there, and of their topics' queries with the same targets and foreign chunks; -inf for what is no
    candidate.

    `norm_m1`, `ahead_norm_m1` and `topic_norm_m1` are the queries' own norms: a cosine times it is the score q . y.
    `row_m1` is each target's row.
    """

    norm_m1: Tensor
    row_m1: Tensor
    own_m1: Tensor
    context_mK: Tensor
    document_mN: Tensor
    ahead_norm_m1: Tensor
    ahead_own_m1: Tensor
    ahead_mN: Tensor
    topic_norm_m1: Tensor
    topic_own_m1: Tensor
    foreign_mP: Tensor

    def margins(self, pool: str, temperature: float = 1.0) -> Tensor:
        """(m, C) scores q . y of the target's rivals in one of `CHOICES` minus its own, over a temperature: their log
        odds against it. -inf for what is no rival."""
        if pool == "foreign-10k":
            return (self.foreign_mP - self.topic_own_m1).mul_(self.topic_norm_m1 / temperature)
        if pool == "ahead":
            return (self.ahead_mN - self.ahead_own_m1).mul_(self.ahead_norm_m1 / temperature)
        margin_mN = (self.document_mN - self.own_m1).mul_(self.norm_m1 / temperature)
        back = torch.arange(-self.context_mK.shape[1], 1, device=margin_mN.device)
        return margin_mN.scatter_(1, self.row_m1 + back, -torch.inf)

    def log_losses(self, pool: str, temperature: float) -> Tensor:
        """(m,) nats of the targets under a softmax of q . y / temperature over one of `CHOICES`."""
        return F.softplus(self.margins(pool, temperature).logsumexp(dim=1))


class Pools:
    """The pools of one evaluation. `reach` is how many rows before a target are its context."""

    def __init__(self, foreign: ForeignPool, reach: int) -> None:
        self._foreign, self._reach = foreign, reach
        self._kept: tuple[Passage, list[Scores]] | None = None

    def sizes(self, passage: Passage) -> dict[str, Sizes]:
        """How many candidates each target has by pool, itself among them: (M,), ahead (M - 1,), as the last one has no
        pool there. A pool that no target has is left out: foreign without other documents, ahead of one target."""
        n, targets = len(passage.vectors_ND), len(passage.query_MD)
        others = int((self._foreign.owner_P != passage.number).sum())
        alike = {"document": n - self._reach, "document+context": n, "foreign-10k": others + 1 if others else 0}
        sizes = {pool: np.full(targets if size else 0, size) for pool, size in alike.items()}
        sizes["ahead"] = np.arange(targets, 1, -1)
        return {pool: size_M for pool, size_M in sizes.items() if len(size_M)}

    def blocks(self, passage: Passage) -> Iterable[Scores]:
        """Scores of consecutive blocks of targets. Those of a document of one block are kept until the next document,
        so that several metrics share them."""
        if self._kept is not None and self._kept[0] is passage:
            return self._kept[1]
        width = max(len(passage.vectors_ND), len(self._foreign.owner_P), 1)
        target_M = torch.arange(len(passage.query_MD), device=passage.query_MD.device)
        blocks = target_M.split(max(1, _BLOCK_CELLS // width))
        if len(blocks) > 1:
            return (self.scores(passage, target_m) for target_m in blocks)
        self._kept = passage, [self.scores(passage, target_M)]
        return self._kept[1]

    def scores(self, passage: Passage, target_m: Tensor) -> Scores:
        """Scores of the targets numbered `target_m`, 0..M-1."""
        query_mD, norm_m1 = _split(passage.query_MD[target_m].float())
        topic_mD, topic_norm_m1 = _split(self._foreign.searched.query(passage.topic_MD[target_m]))
        document_mN = query_mD @ passage.vectors_ND.T
        ahead_mN, ahead_norm_m1 = document_mN, norm_m1
        if passage.ahead_MD is not None:
            ahead_mD, ahead_norm_m1 = _split(passage.ahead_MD[target_m].float())
            ahead_mN = ahead_mD @ passage.vectors_ND.T
        row_m1 = (target_m + passage.first)[:, None]
        row_N = torch.arange(len(passage.vectors_ND), device=row_m1.device)
        back_K = torch.arange(-self._reach, 0, device=target_m.device)
        return Scores(
            norm_m1=norm_m1,
            row_m1=row_m1,
            own_m1=document_mN.gather(1, row_m1),
            context_mK=document_mN.gather(1, row_m1 + back_K),
            document_mN=document_mN,
            ahead_norm_m1=ahead_norm_m1,
            ahead_own_m1=ahead_mN.gather(1, row_m1),
            ahead_mN=ahead_mN.masked_fill(row_N <= row_m1, -torch.inf),
            topic_norm_m1=topic_norm_m1,
            topic_own_m1=(topic_mD * passage.target_MD[target_m]).sum(1, keepdim=True),
            foreign_mP=self._foreign_scores(topic_mD, passage.number),
        )

    def _foreign_scores(self, topic_mD: Tensor, number: int) -> Tensor:
        own = (self._foreign.owner_P == number).nonzero().squeeze(1)
        return (topic_mD @ self._foreign.vectors_PD.T).index_fill_(1, own, -torch.inf)


def judged(pool: str) -> Judged:
    """The part of a forecast that candidates of a pool are ranked by."""
    judges: dict[str, Judged] = {"ahead": "ahead", "foreign-10k": "topic"}
    return judges.get(pool, "query")


def _split(query_mD: Tensor) -> tuple[Tensor, Tensor]:
    """Directions (m, D) and norms (m, 1)."""
    return unit(query_mD), query_mD.norm(dim=1, keepdim=True).clamp(min=_SMALLEST)
