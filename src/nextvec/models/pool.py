"""A document's own chunks as candidates for what comes next.

The pool of a target is every chunk of its document but the last `RECENT` of its context: they are known, and hardly
ever come again. N rows of a document, M of them targets.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

RECENT = 5
"""Rows before a target that are no candidates: those that the pool `document` of the evaluation leaves out."""


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
    scores_MN = query_MD @ vectors_ND.T
    target_M = torch.arange(len(vectors_ND) - len(query_MD), len(vectors_ND), device=scores_MN.device)
    back_MN = target_M[:, None] - torch.arange(len(vectors_ND), device=scores_MN.device)
    return scores_MN.masked_fill_((back_MN > 0) & (back_MN <= RECENT), -torch.inf)


def reciprocal_ranks(scores_MN: Tensor) -> Tensor:
    """(M,) 1 / rank of the targets, the last M of the N rows; 1 is the best rank, equals share theirs."""
    M, N = scores_MN.shape
    own_M1 = scores_MN.gather(1, torch.arange(N - M, N, device=scores_MN.device)[:, None])
    ahead_M = (scores_MN > own_M1).sum(1) + 0.5 * ((scores_MN == own_M1).sum(1) - 1)
    return 1.0 / (1.0 + ahead_M)
