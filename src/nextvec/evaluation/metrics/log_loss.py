"""How probable is the target among other chunks? Its log loss under a softmax of the scores over a pool, the query's
among its own document's, another's where all lie ahead, the topic's among others'."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch

from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting
from nextvec.evaluation.pools import CHOICES, Sizes, judged


def _figures(pool: str) -> Iterator[Figure]:
    yield Figure(
        name=f"log_loss[{pool}]",
        meaning="nats of the target under a softmax of q . y over the pool, at the temperature fitted on validation",
        higher_is_better=False,
        low=0.0,
        judges=judged(pool),
    )
    yield Figure(
        name=f"bits_gained[{pool}]",
        meaning="bits that are told of the target, (log(pool size) - log loss) / log 2; guessing tells none",
        judges=judged(pool),
    )


@METRICS.register("log_loss")
class LogLoss:
    """Left out in pools that no temperature was fitted for (`temperature.fit_temperatures`)."""

    figures: ClassVar[tuple[Figure, ...]] = tuple(figure for pool in CHOICES for figure in _figures(pool))
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 4

    def __init__(self, setting: Setting) -> None:
        self._pools, self._temperatures = setting.pools, setting.temperatures

    def measure(self, passage: Passage) -> dict[str, Part]:
        parts: dict[str, Part] = {}
        sizes = self._pools.sizes(passage)
        for pool in (pool for pool in CHOICES if pool in sizes and pool in self._temperatures):
            parts |= _parts(pool, self._losses(passage, pool)[: len(sizes[pool])], sizes[pool])
        return parts

    def _losses(self, passage: Passage, pool: str) -> torch.Tensor:
        """(M,)"""
        temperature = self._temperatures[pool]
        return torch.cat([scores.log_losses(pool, temperature) for scores in self._pools.blocks(passage)])


def _parts(pool: str, loss_M: torch.Tensor, size_M: Sizes) -> dict[str, Part]:
    total, count, chance = float(loss_M.cpu().double().sum()), float(len(loss_M)), float(np.log(size_M).sum())
    gained = (chance - total) / math.log(2)
    return {f"log_loss[{pool}]": Part(total, count, chance), f"bits_gained[{pool}]": Part(gained, count, 0.0)}
