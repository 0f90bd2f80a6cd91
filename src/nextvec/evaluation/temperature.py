"""Temperatures: what scores have to be divided by to be the log odds of what comes next.

A query's length means nothing by itself, so one number for each pool is fitted to validation documents before a
predictor's probabilities are judged: never to those that it is judged on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nextvec.evaluation.heldout import HeldOut
from nextvec.evaluation.passages import BATCH_TARGETS, passages
from nextvec.evaluation.pools import CHOICES, Pools
from nextvec.models.predictor import Predictor

MOST_TARGETS = 4_096
"""Targets that temperatures are fitted to, evenly spaced over all of them: with one number to find, all 22,069 of 308
Wikipedia articles moved the log loss by 0.0001 (`document`) and 0.0004 (`foreign-10k`)."""
TOLERANCE = 1e-4
"""Of the logarithm of a temperature."""
_FIRST = 16
"""One in so many of those targets is enough to start from."""
_AT_ONCE = 256
"""Of them, scored at a time."""
_REACH = math.log(1e3)
"""How far a temperature may lie from the typical margin, in natural logarithms: no further where the scores separate
the targets entirely, or say nothing."""
_IMPOSSIBLE = -1e4
"""Log odds below which a probability is zero in float32."""


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
        sizes = pools.sizes(passage)
        for target_m in chosen.split(_AT_ONCE) if len(chosen) else ():
            scores = pools.scores(passage, target_m)
            for pool in (pool for pool in CHOICES if pool in sizes):
                margins[pool].append(scores.margins(pool))
    return margins


def _fit(margins: Sequence[Tensor]) -> float:
    """Of a few targets, between bounds around the typical margin; from there, of all."""
    finite = [margin_mC[margin_mC.isfinite()] for margin_mC in margins]
    squares, count = (sum(each) for each in zip(*((float(m.square().sum()), m.numel()) for m in finite), strict=True))
    centre = 0.5 * math.log(squares / count) if squares else 0.0
    bounds = centre - _REACH, centre + _REACH
    few = [margin_mC[::_FIRST] for margin_mC in margins]
    return math.exp(_least(margins, _least(few, centre, *bounds), *bounds))


def _least(margins: Sequence[Tensor], log: float, low: float, high: float) -> float:
    """The logarithm of the temperature of least loss between `low` and `high`: Newton's method from `log` on, and
    halving where a step would leave what is still possible."""
    while high - low > TOLERANCE:
        slope, bend = _derivatives(margins, math.exp(log))
        low, high = (low, log) if slope > 0 else (log, high)
        wanted = log - slope / bend if bend > 0 else math.inf
        before, log = log, wanted if low < wanted < high else (low + high) / 2
        if abs(log - before) < TOLERANCE:
            break
    return log


def _derivatives(margins: Sequence[Tensor], temperature: float) -> tuple[float, float]:
    """First and second derivative of the total loss by the logarithm of the temperature: with z the log odds of the
    candidates against the target, whose own are 0, and p their probabilities, -E z and E z + Var z."""
    slope = bend = 0.0
    for margin_mC in margins:
        z_mC = (margin_mC / temperature).clamp_(min=_IMPOSSIBLE)
        p_mC = (z_mC - F.softplus(z_mC.logsumexp(dim=1, keepdim=True))).exp_()
        pz_mC = p_mC.mul_(z_mC)
        mean_m, square_m = pz_mC.sum(dim=1).double(), (pz_mC * z_mC).sum(dim=1).double()
        slope -= float(mean_m.sum())
        bend += float((mean_m + square_m - mean_m.square()).sum())
    return slope, bend
