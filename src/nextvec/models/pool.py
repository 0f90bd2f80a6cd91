"""A document's own chunks as candidates for what comes next.

The pool of a target is every chunk of its document but the last `RECENT` of its context: they are known, and hardly
ever come again. N rows of a document, M of them targets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from nextvec.models.targets import TargetBatch

RECENT = 5
"""Rows before a target that are no candidates: those that the pool `document` of the evaluation leaves out."""
SCALES = tuple(2 ** (step / 2) for step in range(2, 15))
"""Of a query whose length is 1 on average: 2 to 128."""


def pool_means(x_BTD: Tensor, target_BTD: Tensor, mask_BT: Tensor) -> Tensor:
    """(B, T, D) mean of the pool of each target of whole documents: x their rows but the last, targets one row later.

    Both are zero where the mask is False; what stands there means nothing.
    """
    sums_BTD = x_BTD.cumsum(1)
    before_BTD = F.pad(sums_BTD, (0, 0, RECENT, 0))[:, : x_BTD.shape[1]]
    whole_BD = x_BTD[:, 0] + target_BTD.sum(1)
    position_T = torch.arange(1, x_BTD.shape[1] + 1, device=x_BTD.device)
    sizes_BT = (mask_BT.sum(1, keepdim=True) + 1 - position_T.clamp(max=RECENT)).clamp(min=1)
    return (whole_BD[:, None] - (sums_BTD - before_BTD)) / sizes_BT[..., None]


def pool_scores(query_MD: Tensor, vectors_ND: Tensor) -> Tensor:
    """(M, N) scores q . y of a document's rows for its last M, -inf where a row is no candidate."""
    return (query_MD @ vectors_ND.T).masked_fill_(recent(len(query_MD), vectors_ND), -torch.inf)


def recent(targets: int, vectors_ND: Tensor) -> Tensor:
    """(M, N) bool: the rows that are no candidates, of a document whose last M rows are targets."""
    row_N = torch.arange(len(vectors_ND), device=vectors_ND.device)
    back_MN = row_N[len(vectors_ND) - targets :, None] - row_N
    return (back_MN > 0) & (back_MN <= RECENT)


def said(targets: int, vectors_ND: Tensor) -> Tensor:
    """(M, N) bool: the rows before each target, of a document whose last M rows are targets."""
    row_N = torch.arange(len(vectors_ND), device=vectors_ND.device)
    return row_N < row_N[len(vectors_ND) - targets :, None]


def reciprocal_ranks(scores_MN: Tensor) -> Tensor:
    """(M,) 1 / rank of the targets, the last M of the N rows; 1 is the best rank, equals share theirs."""
    M, N = scores_MN.shape
    own_M1 = scores_MN.gather(1, torch.arange(N - M, N, device=scores_MN.device)[:, None])
    ahead_M = (scores_MN > own_M1).sum(1) + 0.5 * ((scores_MN == own_M1).sum(1) - 1)
    return 1.0 / (1.0 + ahead_M)


def own_pools(query_BTD: Tensor, batch: TargetBatch) -> Iterator[tuple[Tensor, Tensor]]:
    """Of each of a batch's whole documents: (M, D) queries of the targets with a full recent past, and all its (N, D)
    vectors. Documents without such a target are left out."""
    for query_TD, x_TD, target_TD, mask_T in zip(query_BTD, batch.x_BTD, batch.target_BTD, batch.mask_BT, strict=True):
        rows = int(mask_T.sum())
        if rows >= RECENT:
            yield query_TD[RECENT - 1 : rows], torch.cat([x_TD[:1], target_TD[:rows]])


def best_lean(
    rank: Callable[[TargetBatch], Tensor],
    topic: Callable[[TargetBatch], Tensor],
    weights: Sequence[float],
    batches: Callable[[], Iterable[TargetBatch]],
) -> float:
    """The weight with which a topic (B, T, D) is best added to a query (B, T, D) where all candidates lie ahead, as the
    mean reciprocal rank of the targets is highest; of equals the first, also where nothing can be ranked."""
    totals_K = torch.zeros(len(weights), dtype=torch.float64, device="cpu")
    for batch in batches():
        pools = zip(own_pools(rank(batch), batch), own_pools(topic(batch), batch), strict=True)
        for (query_MD, vectors_ND), (topic_MD, _) in pools:
            said_MN = said(len(query_MD), vectors_ND)
            by_query_MN, by_topic_MN = query_MD @ vectors_ND.T, topic_MD @ vectors_ND.T
            for i, weight in enumerate(weights):
                scores_MN = (by_query_MN + weight * by_topic_MN).masked_fill_(said_MN, -torch.inf)
                totals_K[i] += float(reciprocal_ranks(scores_MN).sum())
    return weights[int(totals_K.argmax())]


def log_losses(scores_MN: Tensor, scales: Iterable[float]) -> Tensor:
    """(K, M) -log softmax(scale * scores) of the targets, the last M of the N rows, in nats, at each of K scales."""
    M, N = scores_MN.shape
    margin_MN = scores_MN - scores_MN.gather(1, torch.arange(N - M, N, device=scores_MN.device)[:, None])
    return torch.stack([(scale * margin_MN).logsumexp(dim=1) for scale in scales])


def lowest(loss_K: Tensor) -> float:
    """The least of a smooth loss that is known at K equally spaced places: of the parabola through the lowest of them
    and the two beside it, or that one itself at an end."""
    best = int(loss_K.argmin())
    if best in (0, len(loss_K) - 1):
        return float(loss_K[best])
    before, at, after = loss_K[best - 1 : best + 2].tolist()
    bend = before - 2 * at + after
    return at - (before - after) ** 2 / (8 * bend) if bend > 0 else at


def least_log_loss(
    rank: Callable[[TargetBatch], Tensor], batches: Callable[[], Iterable[TargetBatch]]
) -> tuple[float, float]:
    """The least mean log loss of a batch's targets in their own documents, and what the queries (B, T, D) that `rank`
    gives must be multiplied by for it, of `SCALES` in units of their mean norm in the first batch. No loss and 1 where
    nothing can be ranked."""
    totals: list[Tensor] = []
    count, length = 0, 0.0
    for batch in batches():
        query_BTD = rank(batch)
        length = length or float(query_BTD[batch.mask_BT].norm(dim=-1).mean())
        for query_MD, vectors_ND in own_pools(query_BTD, batch):
            losses_KM = log_losses(pool_scores(query_MD, vectors_ND), [scale / max(length, 1e-12) for scale in SCALES])
            totals.append(losses_KM.sum(dim=1))
            count += len(query_MD)
    if not count:
        return 0.0, 1.0
    total_K = torch.stack(totals).sum(dim=0, dtype=torch.float64)
    best = int(total_K.argmin())
    return float(total_K[best]) / count, SCALES[best] / max(length, 1e-12)
