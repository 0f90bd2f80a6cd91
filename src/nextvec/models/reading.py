"""What a network reads: vectors, and what is known of the structure of their text."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextvec.ahead import Ahead
from nextvec.heading import NextHeading
from nextvec.models.memory import Kept, latest, parts_of
from nextvec.models.structure import PLACES, any_known, known_or_not, paragraph_means, paragraphs_after, places

CODES = 3

Remember = Callable[[Tensor, Tensor | None, Kept], Kept]
"""What to keep of vectors and breaks that follow those of which something is kept."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Unit vectors (B, T, D), and int8 (B, T), whether each begins a paragraph and whether the one after it does; None
    where nothing is known; and of the chunk after each, the heading that it stands under, likewise."""

    x_BTD: Tensor
    breaks_BT: Tensor | None = None
    next_BT: Tensor | None = None
    heading: NextHeading | None = None

    @property
    def ahead(self) -> Ahead | None:
        """What is known of the chunks after each."""
        return Ahead.of(self.next_BT, self.heading)

    def until(self, length: int) -> Reading:
        """The first `length` positions, or if it is negative, all but so many."""
        return self._part(slice(length))

    @property
    def last(self) -> Reading:
        """The last position."""
        return self._part(slice(-1, None))

    def before_last(self, remember: Remember, kept: Kept) -> Kept:
        """What is kept of all but the last position, and was `kept` before them: who goes on from there answers at the
        last one alone, which is a step instead of a pass."""
        if self.x_BTD.shape[1] == 1:
            return kept
        before = self.until(-1)
        return remember(before.x_BTD, before.breaks_BT, kept)

    def _part(self, positions: slice) -> Reading:
        breaks_BT, next_BT = (None if known is None else known[:, positions] for known in self.known)
        heading = None if self.heading is None else self.heading[:, positions]
        return Reading(self.x_BTD[:, positions], breaks_BT, next_BT, heading)

    def windows(self, rows_WK: Tensor) -> Reading:
        """(W, K) positions, counted over all sequences, as sequences of their own."""
        breaks_WK, next_WK = (None if known is None else known.flatten()[rows_WK] for known in self.known)
        heading = None if self.heading is None else self.heading.windows(rows_WK)
        return Reading(self.x_BTD.flatten(0, 1)[rows_WK], breaks_WK, next_WK, heading)

    def to(self, device: torch.device) -> Reading:
        """In float32, there."""
        breaks_BT, next_BT = (None if known is None else known.to(device) for known in self.known)
        heading = None if self.heading is None else self.heading.to(device)
        return Reading(self.x_BTD.to(device, torch.float32), breaks_BT, next_BT, heading)

    def after(self, kept: Kept, most: int) -> tuple[Reading, Kept]:
        """The last `most` positions of those that are kept and of these together; and the same to be kept."""
        *before, headings = parts_of(kept, 4)
        known = (known_or_not(known, self.x_BTD) for known in self.known)
        x_BTD, breaks_BT, next_BT = map(partial(latest, most=most), before, (self.x_BTD, *known))
        heading = self._headings_after(headings, x_BTD.shape[1])
        kept = x_BTD, breaks_BT, next_BT, None if heading is None else (heading.vector_BTD, heading.fresh_BT)
        return Reading(x_BTD, breaks_BT, next_BT, heading), kept

    def _headings_after(self, kept: Kept, length: int) -> NextHeading | None:
        """Of the last `length` positions; nothing is known of those that are not kept."""
        if kept is None and self.heading is None:
            return None
        own = self.heading or NextHeading(torch.zeros_like(self.x_BTD), torch.zeros_like(self.x_BTD[..., 0]).bool())
        vectors_BPD, fresh_BP = parts_of(kept, 2)
        vector_BTD, fresh_BT = latest(vectors_BPD, own.vector_BTD, length), latest(fresh_BP, own.fresh_BT, length)
        missing = length - fresh_BT.shape[1]
        return NextHeading(F.pad(vector_BTD, (0, 0, missing, 0)), F.pad(fresh_BT, (missing, 0)))

    @property
    def known(self) -> tuple[Tensor | None, Tensor | None]:
        return self.breaks_BT, self.next_BT


class StructureInput(nn.Module):
    """By how much structure moves the input of a backbone: a linear map, at first zero, of the paragraph means, places,
    and what is known of each chunk and of the one after it; with `headings`, another of that one's heading."""

    def __init__(self, dim: int, *, headings: bool = False) -> None:
        super().__init__()
        self.dim = dim
        self.map = nn.Linear(2 * dim + PLACES + 2 * CODES, dim, bias=False)
        nn.init.zeros_(self.map.weight)
        self.heading_map = nn.Linear(2 * dim + 1, dim, bias=False) if headings else None
        if self.heading_map is not None:
            nn.init.zeros_(self.heading_map.weight)

    def forward(self, reading: Reading, kept: Kept = None) -> Tensor:
        """(B, T, D), for inputs with components of order 1."""
        x_BTD = reading.x_BTD
        breaks_BT, next_BT = (known_or_not(known, x_BTD) for known in reading.known)
        known_BT1 = any_known(breaks_BT, kept)[..., None]
        means_BTE = paragraph_means(x_BTD, breaks_BT, kept).flatten(2) * math.sqrt(self.dim)
        about_BTE = torch.cat([means_BTE, places(breaks_BT, kept).to(x_BTD)], dim=-1) * known_BT1
        moved_BTD: Tensor = self.map(torch.cat([about_BTE, _codes(breaks_BT, x_BTD), _codes(next_BT, x_BTD)], dim=-1))
        if self.heading_map is None or reading.heading is None:
            return moved_BTD
        return moved_BTD + self._by_heading(self.heading_map, reading.heading).to(moved_BTD)

    def _by_heading(self, linear: nn.Module, heading: NextHeading) -> Tensor:
        scaled_BTF = heading.features_BTF * math.sqrt(self.dim)
        moved_BTD: Tensor = linear(torch.cat([scaled_BTF, heading.known_BT[..., None].float()], dim=-1))
        return moved_BTD

    def remember(self, reading: Reading, kept: Kept) -> Kept:
        return paragraphs_after(reading.x_BTD, known_or_not(reading.breaks_BT, reading.x_BTD), kept)


def _codes(known_BT: Tensor, like: Tensor) -> Tensor:
    """(B, T, CODES), 1 at what is known."""
    return F.one_hot(known_BT.long() + 1, CODES).to(like)
