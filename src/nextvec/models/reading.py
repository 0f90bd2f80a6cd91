"""What a network reads: vectors, and what is known of the structure of their text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextvec.models.memory import Kept, latest, parts_of
from nextvec.models.structure import PLACES, any_known, known_or_not, paragraph_means, paragraphs_after, places

CODES = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """Unit vectors (B, T, D), and int8 (B, T), whether each begins a paragraph and whether the one after it does; None
    where nothing is known."""

    x_BTD: Tensor
    breaks_BT: Tensor | None = None
    next_BT: Tensor | None = None

    def until(self, length: int) -> Reading:
        """The first `length` positions."""
        known = (None if known is None else known[:, :length] for known in self.known)
        return Reading(self.x_BTD[:, :length], *known)

    def windows(self, rows_WK: Tensor) -> Reading:
        """(W, K) positions, counted over all sequences, as sequences of their own."""
        known = (None if known is None else known.flatten()[rows_WK] for known in self.known)
        return Reading(self.x_BTD.flatten(0, 1)[rows_WK], *known)

    def to(self, device: torch.device) -> Reading:
        """In float32, there."""
        known = (None if known is None else known.to(device) for known in self.known)
        return Reading(self.x_BTD.to(device, torch.float32), *known)

    def after(self, kept: Kept, most: int) -> tuple[Reading, Kept]:
        """The last `most` positions of those that are kept and of these together; and the same to be kept."""
        known = (known_or_not(known, self.x_BTD) for known in self.known)
        seen = tuple(map(partial(latest, most=most), parts_of(kept, 3), (self.x_BTD, *known)))
        return Reading(*seen), seen

    @property
    def known(self) -> tuple[Tensor | None, Tensor | None]:
        return self.breaks_BT, self.next_BT


class StructureInput(nn.Module):
    """By how much structure moves the input of a backbone: a linear map, at first zero, of the paragraph means, places,
    and what is known of each chunk and of the one after it."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.map = nn.Linear(2 * dim + PLACES + 2 * CODES, dim, bias=False)
        nn.init.zeros_(self.map.weight)

    def forward(self, reading: Reading, kept: Kept = None) -> Tensor:
        """(B, T, D), for inputs with components of order 1."""
        x_BTD = reading.x_BTD
        breaks_BT, next_BT = (known_or_not(known, x_BTD) for known in reading.known)
        known_BT1 = any_known(breaks_BT, kept)[..., None]
        means_BTE = paragraph_means(x_BTD, breaks_BT, kept).flatten(2) * math.sqrt(self.dim)
        about_BTE = torch.cat([means_BTE, places(breaks_BT, kept).to(x_BTD)], dim=-1) * known_BT1
        moved_BTD: Tensor = self.map(torch.cat([about_BTE, _codes(breaks_BT, x_BTD), _codes(next_BT, x_BTD)], dim=-1))
        return moved_BTD

    def remember(self, reading: Reading, kept: Kept) -> Kept:
        return paragraphs_after(reading.x_BTD, known_or_not(reading.breaks_BT, reading.x_BTD), kept)


def _codes(known_BT: Tensor, like: Tensor) -> Tensor:
    """(B, T, CODES), 1 at what is known."""
    return F.one_hot(known_BT.long() + 1, CODES).to(like)
