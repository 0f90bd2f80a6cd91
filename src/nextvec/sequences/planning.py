"""Which rows every batch is made of, planned for all processes without looking at one. Arrays are int64, on the CPU.

B sequences, T positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nextvec.sequences.windows import IntArray

POOL_BATCHES = 32
"""Sequences are sorted by length within random pools of about this many batches, so that a large corpus changes its
neighbours in a batch from epoch to epoch. Measured padding on 700 Wikipedia articles (47,000 targets): 2 % at 512
and 1,024 targets a batch, 4 % at 2,048, 7 % at 4,096; on 6,000 articles 2.5 % to 4 % throughout."""
BATCH_COST = 0.05
"""What one more batch costs, in full batches, when it is weighed against padding."""


@dataclass(frozen=True, slots=True)
class Sequences:
    """B runs of rows: each row is the input of the next one.

    first_B: row of each sequence's first input.
    length_B: its inputs.
    seen_from_B: as in `Batch`.
    width: T, at least the longest length; what is shorter is padded on the right.
    last_only: whether the last row alone is a target (windows), or every row but the first.
    """

    first_B: IntArray
    length_B: IntArray
    seen_from_B: IntArray
    width: int
    last_only: bool = False

    def __len__(self) -> int:
        return len(self.first_B)

    @property
    def targets(self) -> int:
        return len(self) if self.last_only else int(self.length_B.sum())

    @property
    def index(self) -> IntArray:
        """(B, T + 1) rows; a shorter sequence's last one is repeated."""
        return self.first_B[:, None] + np.minimum(np.arange(self.width + 1), self.length_B[:, None])

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """(B, T), where there is an input."""
        return np.arange(self.width) < self.length_B[:, None]

    @property
    def target_mask(self) -> npt.NDArray[np.bool_]:
        """(B, S), where there is a target."""
        return self.mask[:, -1:] if self.last_only else self.mask

    @property
    def target_index(self) -> IntArray:
        """(B, S) rows of the targets; padding as in `index`."""
        return self.index[:, -1:] if self.last_only else self.index[:, 1:]

    @property
    def target_rows(self) -> IntArray:
        """(B, S) rows of the targets, -1 for padding."""
        return np.where(self.target_mask, self.target_index, -1)

    def part(self, chosen: slice) -> Sequences:
        """Some of them, as wide as all."""
        first_B, length_B, seen_from_B = self.first_B[chosen], self.length_B[chosen], self.seen_from_B[chosen]
        return replace(self, first_B=first_B, length_B=length_B, seen_from_B=seen_from_B)


@dataclass(frozen=True, slots=True)
class Part:
    """What one process gathers of a batch: its `own` sequences, and where it has not `whole` and something contrasts
    with all targets, the rows of those. `share` is what its own targets weigh among all, in [0, 1]."""

    own: Sequences
    whole: Sequences
    share: float = 1.0
    contrast: bool = False

    @property
    def index(self) -> IntArray:
        """(n,) the rows it needs, in the order of `own.index` and `whole.target_index`."""
        own = self.own.index.ravel()
        return np.concatenate([own, self.whole.target_index.ravel()]) if self.contrast else own


def part_of(whole: Sequences, rank: int, world: int, *, contrast: bool) -> Part:
    """Of process `rank` of `world`: every `world`-th sequence.

    Where there are fewer sequences than processes, the first one stands in: all must run the network alike.
    """
    if world == 1:
        return Part(whole, whole)
    if rank >= len(whole):
        return Part(whole.part(slice(0, 1)), whole, 0.0, contrast)
    own = whole.part(slice(rank, None, world))
    return Part(own, whole, own.targets / whole.targets, contrast)


def shuffled(lengths: IntArray, capacity: int, random: np.random.Generator) -> list[IntArray]:
    """The positions in `lengths` of every batch, in order: alike in length within a batch, and the batches mixed."""
    count = max(1, round(int(lengths.sum()) / (POOL_BATCHES * capacity)))
    pools = np.array_split(random.permutation(len(lengths)), count)
    batches = [batch for pool in pools for batch in by_length(lengths, pool, capacity)]
    return [batches[i] for i in random.permutation(len(batches))]


def by_length(lengths: IntArray, positions: IntArray, capacity: int) -> list[IntArray]:
    order = positions[np.argsort(lengths[positions], kind="stable")]
    return np.split(order, cheapest_cuts(lengths[order].tolist(), capacity))


def cheapest_cuts(lengths: Sequence[int], capacity: int) -> list[int]:
    """Where to cut ascending `lengths` into batches so that padding plus the batches' own cost is least.

    A batch of n sequences is as large as n times its longest, at most `capacity` unless n = 1, and costs its size
    plus `BATCH_COST` * capacity. Dynamic programme over the end of the last batch; returns the first index of every
    batch but the first.
    """
    cost, start = np.zeros(len(lengths) + 1), [0]
    for end, longest in enumerate(lengths, start=1):
        lowest = max(0, end - max(1, capacity // longest))
        after = cost[lowest:end] + np.arange(end - lowest, 0, -1) * longest
        first = lowest + int(after.argmin())
        cost[end] = after[first - lowest] + BATCH_COST * capacity
        start.append(first)
    cuts, first = [], start[-1]
    while first > 0:
        cuts.append(first)
        first = start[first]
    return cuts[::-1]
