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
POOLS_AT_ONCE = 64
"""Pools that are cut in step: enough that the arrays are worth their calls, few enough that they stay in the cache."""


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
    count = min(len(lengths), max(1, round(int(lengths.sum()) / (POOL_BATCHES * capacity))))
    batches = by_length(lengths, np.array_split(random.permutation(len(lengths)), count), capacity)
    return [batches[i] for i in random.permutation(len(batches))]


def by_length(lengths: IntArray, pools: Sequence[IntArray], capacity: int) -> list[IntArray]:
    """The positions of every batch: pool after pool, each from its shortest sequence to its longest."""
    ordered = [pool[np.argsort(lengths[pool], kind="stable")] for pool in pools]
    found: list[IntArray] = []
    for first in range(0, len(ordered), POOLS_AT_ONCE):
        some = ordered[first : first + POOLS_AT_ONCE]
        cuts = cheapest_cuts([lengths[order] for order in some], capacity)
        found += [batch for order, where in zip(some, cuts, strict=True) for batch in np.split(order, where)]
    return found


def cheapest_cuts(pools: Sequence[IntArray], capacity: int) -> list[list[int]]:
    """Where to cut each pool of ascending lengths into batches so that padding plus the batches' own cost is least.

    A batch of n sequences is as large as n times its longest, at most `capacity` unless n = 1, and costs its size
    plus `BATCH_COST` * capacity. Dynamic programme over the end of the last batch, in step for all pools: linear in
    sequences times the most that fit into a batch. Returns the first index of every batch but the first.
    """
    sizes = [len(pool) for pool in pools]
    longest_PN = np.stack([np.pad(pool, (0, max(sizes) - len(pool)), mode="edge") for pool in pools])
    most_PN = np.clip(capacity // longest_PN, 1, np.arange(1, max(sizes) + 1))
    widest, narrowest = most_PN.max(0).tolist(), most_PN.min(0).tolist()
    count = np.arange(max(widest), 0, -1)
    cost, start = np.zeros((len(pools), max(sizes) + 1)), np.zeros((len(pools), max(sizes) + 1), np.int64)
    every = np.arange(len(pools))
    for end, (wide, narrow) in enumerate(zip(widest, narrowest, strict=True), start=1):
        after = cost[:, end - wide : end] + count[-wide:] * longest_PN[:, end - 1 : end]
        if narrow < wide:  # more sequences than fit into a batch of some of the pools
            after[:, : wide - narrow][count[-wide : len(count) - narrow] > most_PN[:, end - 1 : end]] = np.inf
        best = after.argmin(1)
        cost[:, end] = after[every, best] + BATCH_COST * capacity
        start[:, end] = end - wide + best
    return [_followed(row[: size + 1].tolist()) for row, size in zip(start, sizes, strict=True)]


def _followed(start: list[int]) -> list[int]:
    """The first index of every batch but the first, from where the last batch that ends at each index starts."""
    cuts, first = [], start[-1]
    while first > 0:
        cuts.append(first)
        first = start[first]
    return cuts[::-1]
