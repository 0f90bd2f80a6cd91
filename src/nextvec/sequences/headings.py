"""The headings of a corpus beside its rows: one table of their vectors, and the place in it of every row's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nextvec.corpus.headings import NONE
from nextvec.heading import NextHeading
from nextvec.sequences.windows import IntArray

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot

HeadingArrays = tuple[npt.NDArray[np.floating], IntArray]


@dataclass(frozen=True, slots=True, eq=False)
class HeadingRows:
    """`vectors` (H + 1, D) float16 or float32, the last of them zero; `under` (N,) int64 is the place of that which
    each row stands under, H for none. No two documents have a place in common but that."""

    vectors: Tensor
    under: Tensor

    def before(self, rows_BT: Tensor) -> NextHeading:
        """Of the chunks before these rows: the headings that the rows stand under; none for -1, which is padding."""
        none = len(self.vectors) - 1
        own_BT, last_BT = self.under[rows_BT].masked_fill(rows_BT < 0, none), self.under[rows_BT - 1]
        return NextHeading(self.vectors[own_BT].float(), (own_BT != last_BT) & (own_BT != none))


def headings_of(snapshot: Snapshot, documents: npt.ArrayLike) -> HeadingArrays | None:
    """`vectors` and `under` of the rows of these documents, one after another; None where none has a heading."""
    if (snapshot.heading == NONE).all():
        return None
    chosen = np.asarray(documents, np.int64)
    numbers = [snapshot.heading[snapshot.offsets[i] : snapshot.offsets[i + 1]] for i in chosen]
    if all((own == NONE).all() for own in numbers):
        return None
    tables = [own.vectors for own in snapshot.headings(chosen)]
    first = np.cumsum([0, *map(len, tables)])
    under = [np.where(own == NONE, first[-1], own + start) for own, start in zip(numbers, first, strict=False)]
    return np.concatenate([*tables, np.zeros_like(tables[0], shape=(1, snapshot.dim))]), np.concatenate(under)


def heading_rows(arrays: HeadingArrays | None, device: torch.device | str) -> HeadingRows | None:
    """What `headings_of` gave, on a device."""
    return None if arrays is None else HeadingRows(*(torch.from_numpy(array).to(device) for array in arrays))
