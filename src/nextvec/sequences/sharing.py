"""Which documents have something in common, found through what they hold and not by comparing every pair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from nextvec.sequences.identity import Keys
from nextvec.sequences.windows import IntArray

_BLOCK_PAIRS = 1 << 18


class Holdings(NamedTuple):
    """`keys[n]` stands in document `owners[n]`, both (N,): every combination once, by key and then by document."""

    keys: Keys
    owners: IntArray

    @classmethod
    def of(cls, keys: Keys, owners: IntArray) -> Self:
        """Of keys in any order and as often as they stand there; owners ascend."""
        order = np.argsort(keys, kind="stable")
        keys, owners = keys[order], owners[order]
        new = np.ones(len(keys), np.bool_)
        new[1:] = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
        return cls(keys[new], owners[new])

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """Of parts whose documents ascend from one to the next."""
        keys, owners = zip(*((np.empty(0, np.uint64), np.empty(0, np.int64)), *parts), strict=True)
        return cls.of(np.concatenate(keys), np.concatenate(owners))

    def known_to(self, other: Holdings) -> Holdings:
        """Those whose key the other holds as well."""
        places = np.minimum(np.searchsorted(other.keys, self.keys), max(len(other.keys) - 1, 0))
        known = other.keys[places] == self.keys if len(other.keys) else np.zeros(len(self.keys), np.bool_)
        return Holdings(self.keys[known], self.owners[known])


@dataclass(frozen=True, slots=True)
class Sharing:
    """What two sides hold in common: shared key k stands in `counts[side][k]` documents of a side, whose numbers begin
    at `starts[side][k]` of its holdings' owners."""

    sides: tuple[Holdings, Holdings]
    starts: tuple[IntArray, IntArray]
    counts: tuple[IntArray, IntArray]

    @classmethod
    def of(cls, left: Holdings, right: Holdings) -> Self:
        sides = left, right
        found = [np.unique(side.keys, return_index=True, return_counts=True) for side in sides]
        _, *places = np.intersect1d(found[0][0], found[1][0], assume_unique=True, return_indices=True)
        starts = found[0][1][places[0]], found[1][1][places[1]]
        return cls(sides, starts, (found[0][2][places[0]], found[1][2][places[1]]))

    @property
    def total(self) -> int:
        """Pairs of a left and a right document that have a key in common, once for each such key."""
        return int((self.counts[0] * self.counts[1]).sum())

    def pairs(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Left and right documents, (n,) each, block by block; a pair may come again in another block."""
        sizes = self.counts[0] * self.counts[1]
        ends = np.cumsum(sizes)
        for first in range(0, self.total, _BLOCK_PAIRS):
            numbers = np.arange(first, min(first + _BLOCK_PAIRS, self.total))
            keys = np.searchsorted(ends, numbers, side="right")
            places = np.divmod(numbers - (ends - sizes)[keys], self.counts[1][keys])
            found = [
                side.owners[starts[keys] + place]
                for side, starts, place in zip(self.sides, self.starts, places, strict=True)
            ]
            lefts, rights = np.unique(np.stack(found), axis=1)
            yield lefts, rights
