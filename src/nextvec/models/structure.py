"""The structure of a text beside its vectors: which chunks begin a paragraph, and what that says about the next one.

B documents, T positions, D embedding size. `kept` is what `paragraphs_after` gave of the chunks before these;
None where documents begin.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from nextvec.models.memory import Kept, parts_of
from nextvec.models.predictor import unit
from nextvec.structure import BEGINS, CONTINUES, UNKNOWN

__all__ = [
    "BEGINS",
    "CONTINUES",
    "UNKNOWN",
    "any_known",
    "known_or_not",
    "paragraph_means",
    "paragraphs_after",
    "places",
    "unknown",
]

PLACES = 4


def unknown(like_BT: Tensor) -> Tensor:
    """(B, T) int8: nothing is known."""
    return torch.full(like_BT.shape[:2], UNKNOWN, dtype=torch.int8, device=like_BT.device)


def known_or_not(breaks_BT: Tensor | None, like_BT: Tensor) -> Tensor:
    """(B, T) int8: what is known, or that nothing is."""
    return unknown(like_BT) if breaks_BT is None else breaks_BT


def any_known(breaks_BT: Tensor, kept: Kept = None) -> Tensor:
    """(B, T) bool: whether something is known of a chunk up to there. From then on unknown ones count as going on."""
    known_BT = (breaks_BT != UNKNOWN).cummax(1).values
    return known_BT if kept is None else known_BT | parts_of(kept, 3)[1][:, None]


def paragraph_means(x_BTD: Tensor, breaks_BT: Tensor, kept: Kept = None) -> Tensor:
    """(B, T, 2, D): unit means of the paragraph so far and of the whole one before it, zero where there is none."""
    return unit(_paragraph_sums(x_BTD, breaks_BT, kept)).to(x_BTD.dtype)


def places(breaks_BT: Tensor, kept: Kept = None) -> Tensor:
    """(B, T, PLACES) float: 1; log of the position, from 1; log of the place in its paragraph, from 1; 1 in the first
    paragraph. In units in which most are below 1."""
    position_BT, start_BT = _positions(breaks_BT, kept)
    one_BT = torch.ones_like(start_BT, dtype=torch.float32)
    logs = ((position_BT + 1).log() / 5, (position_BT - start_BT + 1).log() / 2)
    return torch.stack([one_BT, *logs, (start_BT == 0).float()], dim=-1)


def paragraphs_after(x_BTD: Tensor, breaks_BT: Tensor, kept: Kept) -> Kept:
    """What the other functions need of a document to go on with it after these vectors: position and beginning of the
    paragraph (B, 2), whether anything is known (B,), sums of the paragraph before and of this one (B, 2, D)."""
    position_BT, start_BT = _positions(breaks_BT, kept)
    place_B2 = torch.stack([position_BT[:, -1] + 1, start_BT[:, -1]], dim=1)
    sums_B2D = _paragraph_sums(x_BTD, breaks_BT, kept)[:, -1].flip(1)
    return place_B2, any_known(breaks_BT, kept)[:, -1], sums_B2D


def _positions(breaks_BT: Tensor, kept: Kept) -> tuple[Tensor, Tensor]:
    """(B, T) int64: the position of each chunk, and that at which its paragraph began."""
    position_BT = torch.arange(breaks_BT.shape[1], device=breaks_BT.device).expand(breaks_BT.shape)
    before_B1 = torch.zeros_like(position_BT[:, :1])
    if kept is not None:
        first_B1, before_B1 = parts_of(kept, 3)[0].split(1, dim=1)
        position_BT = position_BT + first_B1
    return position_BT, torch.where(breaks_BT == BEGINS, position_BT, before_B1).cummax(1).values


def _paragraph_sums(x_BTD: Tensor, breaks_BT: Tensor, kept: Kept) -> Tensor:
    """(B, T, 2, D) float64: of the paragraph so far and of the one before. What is kept stands for a paragraph each."""
    T, x_BTD = x_BTD.shape[1], x_BTD.double()
    if kept is not None:
        x_BTD = torch.cat([parts_of(kept, 3)[2], x_BTD], dim=1)
        breaks_BT = F.pad(breaks_BT, (2, 0), value=BEGINS)
    sums_BSD = F.pad(x_BTD.cumsum(1), (0, 0, 1, 0))
    _, start_BT = _positions(breaks_BT, None)
    before_BT = torch.where(start_BT > 0, start_BT.gather(1, (start_BT - 1).clamp(min=0)), 0)
    at_start_BTD = _rows(sums_BSD, start_BT)
    own_BTD, previous_BTD = sums_BSD[:, 1:] - at_start_BTD, at_start_BTD - _rows(sums_BSD, before_BT)
    return torch.stack([own_BTD, previous_BTD], dim=2)[:, -T:]


def _rows(sums_BSD: Tensor, index_BT: Tensor) -> Tensor:
    return sums_BSD.gather(1, index_BT[..., None].expand(*index_BT.shape, sums_BSD.shape[-1]))
