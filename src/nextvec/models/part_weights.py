"""How much more each part of a query counts where it is known whether the next chunk begins a paragraph.

A query that is a sum of parts gives scores that are sums. The parts' weights are those with which targets are likeliest
among the chunks of their own documents: a conditional logit, whose log loss has one minimum (McFadden 1974).
P parts, M targets of one document, N rows of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nextvec.models.pool import own_pools, recent
from nextvec.models.targets import TargetBatch
from nextvec.structure import UNKNOWN

MOST = 4_096
"""Targets that the weights are fitted to: some twenty numbers."""
DEVIATION = 2.0
"""Of what a weight is expected to change by, in units of the weight: it matters where there are few targets."""
STEPS = 20
"""Of the search, at most."""


@dataclass(frozen=True, slots=True)
class PartScores:
    """By how much each part scores the rows above each target (M, P, N); which rows are no candidates (M, N); and of
    which kind the targets are, (M,) 0 or 1."""

    margin_MPN: Tensor
    recent_MN: Tensor
    kind_M: Tensor


def part_scores(
    parts: Callable[[TargetBatch], Tensor], batches: Callable[[], Iterable[TargetBatch]]
) -> list[PartScores]:
    """Of up to `MOST` targets of which it is known how they begin, evenly spread, document by document; `parts` gives
    (B, T, P, D) of a batch."""
    every = max(1, math.ceil(sum(_known(batch) for batch in batches()) / MOST))
    found, seen = [], 0
    for batch in batches():
        if batch.begins_BT is None:
            continue
        pools = zip(own_pools(parts(batch), batch), own_pools(batch.begins_BT[..., None], batch), strict=True)
        for (part_MPD, vectors_ND), (begins_M1, _) in pools:
            (known_m,) = (begins_M1[:, 0] != UNKNOWN).nonzero(as_tuple=True)
            chosen_m = known_m[-seen % every :: every]
            seen += len(known_m)
            found.append(_scores(part_MPD, vectors_ND, begins_M1[:, 0], chosen_m))
    return found


def _known(batch: TargetBatch) -> int:
    return 0 if batch.begins_BT is None else int((batch.begins_BT != UNKNOWN).sum())


def _scores(part_MPD: Tensor, vectors_ND: Tensor, begins_M: Tensor, chosen_m: Tensor) -> PartScores:
    targets = len(part_MPD)
    score_mPN = part_MPD[chosen_m] @ vectors_ND.T
    row_m = chosen_m + len(vectors_ND) - targets
    own_mP1 = score_mPN.gather(2, row_m[:, None, None].expand(-1, score_mPN.shape[1], 1))
    return PartScores(score_mPN - own_mP1, recent(targets, vectors_ND)[chosen_m], begins_M[chosen_m].long())


def likeliest(scores: Sequence[PartScores], usual_P: Tensor) -> Tensor:
    """(2, P): what to add for each kind to the `usual` weights. Changes are taken to be normal around none, with
    `DEVIATION`, so that few targets move little."""
    change_2P = torch.zeros(2, len(usual_P), device=usual_P.device, requires_grad=True)
    optimizer = torch.optim.LBFGS([change_2P], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = log_loss(scores, usual_P + change_2P) + change_2P.square().sum() / (2 * DEVIATION**2)
        total.backward()
        return total.detach()

    with torch.enable_grad():
        optimizer.step(loss)
    return change_2P.detach()


def log_loss(scores: Iterable[PartScores], weight_2P: Tensor) -> Tensor:
    """Of all targets together, in nats, where each kind's parts weigh so much; a scalar."""
    total = weight_2P.new_zeros(())
    for each in scores:
        log_odds_MN = (weight_2P[each.kind_M][..., None] * each.margin_MPN).sum(1)
        total = total + log_odds_MN.masked_fill(each.recent_MN, -torch.inf).logsumexp(1).sum()
    return total


def gain(scores: Sequence[PartScores], usual_P: Tensor) -> float:
    """By how many nats all targets together are likelier with the weights that the other half of the documents gives
    than with the usual ones: what changes are worth to documents that they were not fitted to."""
    halves = scores[::2], scores[1::2]
    return sum(
        float(log_loss(judged, usual_P.expand(2, -1)) - log_loss(judged, usual_P + likeliest(fitted, usual_P)))
        for fitted, judged in (halves, halves[::-1])
    )
