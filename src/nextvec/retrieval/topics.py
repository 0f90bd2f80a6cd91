"""Finding what is about a topic among all that is searched.

Chunks of one kind of text have much in common, and what they have in common finds none of them. So a topic e is
compared with what is searched as far as that differs from itself:

    (e - mu)' (S + 0.1 m I)^-0.75 y

mu and S are mean and covariance of all that is searched, which takes no label, m is S's mean eigenvalue. At power 0
this is e's cosine, at -1 the log density ratio of two Gaussians with one covariance (Fisher 1936). Whitening sentence
embeddings for search: Su et al. 2021, arXiv 2103.15316. Shrinkage and power were chosen on validation documents of
Wikipedia, where both are flat; on five other kinds of text the same two are better than the cosine, too (LOG.md,
2026-11-27).

Whether a vector is of the topic's document at all is then a matter of odds: its product, in standard deviations of
those of stored vectors, times 2 nats, less the log mean of their exponentials. 2 is about what fitted temperatures come
to (Wikipedia, MiniLM: 2.1), and needs none.

N vectors that are searched, D their size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from nextvec.store.stored import VectorSource

SHRINKAGE = 0.1
POWER = -0.75
MOST = 100_000
"""Vectors that mean and covariance are taken of, evenly spread over all."""
RIVALS = 4_096
"""Of these, vectors that odds are against."""
SPREAD = 2.0
"""Nats that a standard deviation of what is searched is worth."""
_BLOCK = 16_384


@dataclass(frozen=True, slots=True)
class Searched:
    """What is known of the vectors that are searched: their mean (D,), what topics are multiplied by (D, D), and some
    of them (M, D)."""

    mean_D: Tensor
    metric_DD: Tensor
    rivals_MD: Tensor

    @classmethod
    def of(cls, vectors_ND: Tensor) -> Searched:
        """Of unit vectors; where they do not differ, topics stay as they are. Computed on the CPU in float64, so that
        a device changes nothing."""
        some_ND = vectors_ND[:: _every(len(vectors_ND))].cpu()
        count, dim = max(1, len(some_ND)), some_ND.shape[1]
        mean_D = some_ND.new_zeros(dim, dtype=torch.float64)
        covariance_DD = some_ND.new_zeros(dim, dim, dtype=torch.float64)
        for block in some_ND.split(_BLOCK):
            mean_D += block.double().sum(0)
        mean_D /= count
        for block in some_ND.split(_BLOCK):
            away = block.double() - mean_D
            covariance_DD += away.T @ away / count
        usual = float(covariance_DD.diagonal().mean())
        if usual < torch.finfo(torch.float32).eps:
            return cls(vectors_ND.new_zeros(dim), torch.eye(dim, device=vectors_ND.device), vectors_ND[:0].float())
        variance_D, axes_DD = torch.linalg.eigh(covariance_DD / usual)
        metric_DD = (axes_DD * (variance_D.clamp(min=0.0) + SHRINKAGE) ** POWER) @ axes_DD.T
        known = mean_D, metric_DD, some_ND[:: _every(count, RIVALS)]
        return cls(*(each.float().to(vectors_ND.device) for each in known))

    @classmethod
    def of_stored(cls, vectors: VectorSource) -> Searched:
        """Of a corpus' unit vectors, on the CPU; no more of them are read than are used."""
        return cls.of(torch.from_numpy(vectors[np.arange(0, len(vectors), _every(len(vectors)))]))

    def query(self, topic_QD: Tensor) -> Tensor:
        """(Q, D) of any norm, from unit vectors: what has the largest product with it is the most about the topic."""
        return (topic_QD.float() - self.mean_D) @ self.metric_DD

    def log_odds(self, query_D: Tensor, vectors_ND: Tensor) -> Tensor:
        """(N,), in nats, that vectors are of the document that a `query` is of, and not any that are searched; zeros
        where these do not differ."""
        rivals_M = self.rivals_MD @ query_D
        if len(rivals_M) < 2 or not (deviation := rivals_M.std()) > 0:
            return torch.zeros(len(vectors_ND))
        scale = SPREAD / deviation
        return scale * (vectors_ND @ query_D) - (torch.logsumexp(scale * rivals_M, 0) - math.log(len(rivals_M)))


def _every(count: int, most: int | None = None) -> int:
    """One in so many of `count` vectors is used."""
    return max(1, -(-count // (most or MOST)))
