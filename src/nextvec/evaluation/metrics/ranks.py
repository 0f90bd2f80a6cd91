"""Can the target be told from other chunks? Its rank in named pools (`evaluation.pools`), by the query among its own
document's, by another one where all lie ahead, by the topic among others'."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting
from nextvec.evaluation.pools import POOLS, Scores, Sizes, judged

RECALLS = (1, 5, 10)
TIE = 1e-6
"""Scores of unit queries this close are tied: those of equal vectors may differ in the last bits, by their place in a
matrix product."""


def _figures(pool: str) -> Iterator[Figure]:
    judges = judged(pool)
    for k in RECALLS:
        yield Figure(
            name=f"recall@{k}[{pool}]",
            meaning=f"share of targets ranked {k} or better",
            low=0.0,
            high=1.0,
            judges=judges,
        )
    yield Figure(name=f"mrr[{pool}]", meaning="mean of 1 / rank of the target", low=0.0, high=1.0, judges=judges)
    yield Figure(
        name=f"rank_norm[{pool}]",
        meaning="mean of (rank - 1) / (pool size - 1); pools of one left out",
        higher_is_better=False,
        low=0.0,
        high=1.0,
        judges=judges,
    )
    yield Figure(
        name=f"pool_size[{pool}]",
        meaning="mean number of candidates, the target included",
        higher_is_better=None,
        low=1.0,
        judges=judges,
    )


@METRICS.register("ranks")
class Ranks:
    figures: ClassVar[tuple[Figure, ...]] = tuple(figure for pool in POOLS for figure in _figures(pool))
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 4

    def __init__(self, setting: Setting) -> None:
        self._pools = setting.pools

    def measure(self, passage: Passage) -> dict[str, Part]:
        ranks = np.concatenate([_ranks(scores).cpu().numpy() for scores in self._pools.blocks(passage)])
        sizes = self._pools.sizes(passage)
        parts: dict[str, Part] = {}
        for pool, column in zip(POOLS, ranks.T, strict=True):
            if pool in sizes:
                parts |= rank_parts(pool, column[: len(sizes[pool])], sizes[pool])
        return parts


def _ranks(scores: Scores) -> Tensor:
    """(m, 4) ranks in the pools, in the order of `POOLS`."""
    context_m = _closer(scores.context_mK, scores.own_m1)
    whole_m = _closer(scores.document_mN, scores.own_m1) + 0.5
    ahead_m = _closer(scores.ahead_mN, scores.ahead_own_m1) + 1.0
    foreign_m = _closer(scores.foreign_mP, scores.topic_own_m1) + 1.0
    return torch.stack([whole_m - context_m, ahead_m, whole_m, foreign_m], dim=1)


def _closer(score_mN: Tensor, own_m1: Tensor) -> Tensor:
    """(m,) how much the candidates add to the rank: 1 for each that is closer than the target, 1/2 for each tied.

    So the average of tied ranks is 1 + this; where the target is among the candidates it has added 1/2 itself.
    """
    sign_mN = F.hardshrink(score_mN - own_m1, TIE).sign_()
    return (sign_mN.sum(dim=1) + sign_mN.shape[1]) / 2


def rank_parts(pool: str, rank_M: np.ndarray, size_M: Sizes) -> dict[str, Part]:
    """Parts of every figure of a pool from ranks, 1 = best, each among so many candidates."""
    count, several_M = len(rank_M), size_M > 1
    parts = {f"recall@{k}[{pool}]": _part(rank_M <= k, np.minimum(k / size_M, 1.0)) for k in RECALLS}
    harmonic = (1.0 / np.arange(1, size_M.max() + 1)).cumsum()
    parts[f"mrr[{pool}]"] = _part(1.0 / rank_M, harmonic[size_M - 1] / size_M)
    parts[f"pool_size[{pool}]"] = Part(float(size_M.sum()), count)
    if several_M.any():
        norm_M = (rank_M[several_M] - 1) / (size_M[several_M] - 1)
        parts[f"rank_norm[{pool}]"] = _part(norm_M, np.full(len(norm_M), 0.5))
    return parts


def _part(value_M: np.ndarray, chance_M: np.ndarray) -> Part:
    return Part(float(value_M.sum()), len(value_M), float(chance_M.sum()))
