"""The structure of a text beside its vectors: which chunks begin a paragraph, and what that says about the next one.

B documents, T positions, D embedding size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from nextvec.models.predictor import unit
from nextvec.structure import BEGINS, CONTINUES, UNKNOWN

__all__ = ["BEGINS", "CONTINUES", "UNKNOWN", "any_known", "paragraph_means", "places", "unknown"]

PLACES = 4


def unknown(like_BT: Tensor) -> Tensor:
    """(B, T) int8: nothing is known."""
    return torch.full(like_BT.shape[:2], UNKNOWN, dtype=torch.int8, device=like_BT.device)


def any_known(breaks_BT: Tensor) -> Tensor:
    """(B, T) bool: whether something is known of a chunk up to there. From then on unknown ones count as going on."""
    return (breaks_BT != UNKNOWN).cummax(1).values


def paragraph_means(x_BTD: Tensor, breaks_BT: Tensor) -> Tensor:
    """(B, T, 2, D): unit means of the paragraph so far and of the whole one before it, zero where there is none."""
    sums_BSD = F.pad(x_BTD.double().cumsum(1), (0, 0, 1, 0))
    start_BT = _paragraph_starts(breaks_BT)
    before_BT = torch.where(start_BT > 0, start_BT.gather(1, (start_BT - 1).clamp(min=0)), 0)
    at_start_BTD = _rows(sums_BSD, start_BT)
    own_BTD, previous_BTD = sums_BSD[:, 1:] - at_start_BTD, at_start_BTD - _rows(sums_BSD, before_BT)
    return unit(torch.stack([own_BTD, previous_BTD], dim=2)).to(x_BTD.dtype)


def places(breaks_BT: Tensor) -> Tensor:
    """(B, T, PLACES) float: 1; log of the position, from 1; log of the place in its paragraph, from 1; 1 in the first
    paragraph. In units in which most are below 1."""
    position_T = torch.arange(breaks_BT.shape[1], device=breaks_BT.device)
    start_BT = _paragraph_starts(breaks_BT)
    position_BT = position_T.expand_as(start_BT)
    one_BT = torch.ones_like(start_BT, dtype=torch.float32)
    logs = ((position_BT + 1).log() / 5, (position_BT - start_BT + 1).log() / 2)
    return torch.stack([one_BT, *logs, (start_BT == 0).float()], dim=-1)


def _paragraph_starts(breaks_BT: Tensor) -> Tensor:
    """(B, T) int64: the position at which the paragraph of each chunk began."""
    position_T = torch.arange(breaks_BT.shape[1], device=breaks_BT.device)
    return torch.where(breaks_BT == BEGINS, position_T, 0).cummax(1).values


def _rows(sums_BSD: Tensor, index_BT: Tensor) -> Tensor:
    return sums_BSD.gather(1, index_BT[..., None].expand(*index_BT.shape, sums_BSD.shape[-1]))
