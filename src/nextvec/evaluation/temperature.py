"""Temperatures: what scores have to be divided by to be the log odds of what comes next.

A query's length means nothing by itself, so one number for each pool is fitted to validation documents before a
predictor's probabilities are judged: never to those that it is judged on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from nextvec.evaluation.heldout import HeldOut
from nextvec.evaluation.passages import BATCH_TARGETS, passages
from nextvec.evaluation.pools import CHOICES, Pools, log_losses
from nextvec.models.predictor import Predictor

MOST_TARGETS = 4_096
"""Targets that temperatures are fitted to, evenly spaced over all of them: with one number to find, more would change
the log loss by less than 0.001."""
TOLERANCE = 1e-4
"""Of the logarithm of a temperature."""
_REACH = math.log(1e3)
"""How far a temperature may lie from the typical margin, in natural logarithms: no further where the scores separate
the targets entirely, or say nothing."""
_GOLDEN = (math.sqrt(5) - 1) / 2


@torch.no_grad()
def fit_temperatures(
    predictor: Predictor,
    validation: HeldOut,
    *,
    device: torch.device | str = "cpu",
    batch_targets: int = BATCH_TARGETS,
) -> dict[str, float]:
    """The temperature of each pool that has the least mean log loss on validation documents; a pool that they do not
    have is left out.

    The loss is convex in 1 / temperature, so it has one minimum in the logarithm, too. Raises what `passages` raises.
    """
    margins = _margins(predictor, validation, device, batch_targets)
    return {pool: _fit(found) for pool, found in margins.items() if found}


def _margins(
    predictor: Predictor, validation: HeldOut, device: torch.device | str, batch_targets: int
) -> dict[str, list[Tensor]]:
    pools = Pools(validation.foreign(device), validation.min_context)
    before = np.cumsum(validation.targets) - validation.targets
    stride = math.ceil(int(validation.targets.sum()) / MOST_TARGETS)
    margins: dict[str, list[Tensor]] = {pool: [] for pool in CHOICES}
    for passage in passages(validation, predictor, device, batch_targets):
        first = int(-before[passage.number] % stride)
        chosen = torch.arange(first, max(first, len(passage.query_MD)), stride, device=passage.query_MD.device)
        if len(chosen):
            scores, sizes = pools.scores(passage, chosen), pools.sizes(passage)
            for pool in (pool for pool in CHOICES if pool in sizes):
                margins[pool].append(scores.margins(pool))
    return margins


def _fit(margins: Sequence[Tensor]) -> float:
    """Golden-section search (Kiefer 1953) around the typical margin."""
    finite = [margin_mC[margin_mC.isfinite()] for margin_mC in margins]
    squares, count = (sum(each) for each in zip(*((float(m.square().sum()), m.numel()) for m in finite), strict=True))
    centre = 0.5 * math.log(squares / count) if squares else 0.0
    return math.exp(_least(lambda log: _loss(margins, math.exp(log)), centre - _REACH, centre + _REACH))


def _loss(margins: Sequence[Tensor], temperature: float) -> float:
    """Total nats."""
    return sum(float(log_losses(margin_mC, temperature).double().sum()) for margin_mC in margins)


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one minimum between `low` and `high` is least, to `TOLERANCE`."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > TOLERANCE:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2
