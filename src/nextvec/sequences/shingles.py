"""Shingles: the runs of words by which two documents are found to say the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from nextvec.errors import NotFoundError
from nextvec.sequences.identity import window_keys, words
from nextvec.sequences.sharing import Holdings
from nextvec.sequences.windows import IntArray, concatenate_ranges, target_rows

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot

SHINGLE_WORDS = 8
_BLOCK_DOCUMENTS = 4_096


def shingles(texts: Sequence[str]) -> frozenset[Hashable]:
    """Every run of eight words, case and punctuation ignored; a text of fewer words is one shingle."""
    found = words(" ".join(texts))
    runs = range(max(len(found) - SHINGLE_WORDS, 0) + 1) if found else range(0)
    return frozenset(tuple(found[i : i + SHINGLE_WORDS]) for i in runs)


def containment(left: frozenset[Hashable], right: frozenset[Hashable]) -> float:
    """|left and right| / size of the smaller, in [0, 1]; 0 when one is empty."""
    smaller = min(len(left), len(right))
    return len(left & right) / smaller if smaller else 0.0


def shingle_keys(snapshot: Snapshot, documents: IntArray) -> Iterator[tuple[IntArray, Holdings]]:
    """Of some documents, block by block: those that have words, and keys of their shingles, which are equal for equal
    ones within this process, and for different ones practically never."""
    for first in range(0, len(documents), _BLOCK_DOCUMENTS):
        block = np.sort(documents[first : first + _BLOCK_DOCUMENTS])
        yield _block_keys(block, _words_of(snapshot, block))


def _words_of(snapshot: Snapshot, documents: IntArray) -> list[list[str]]:
    counts = snapshot.offsets[documents + 1] - snapshot.offsets[documents]
    try:
        texts = snapshot.texts(concatenate_ranges(snapshot.offsets[documents], counts))
    except NotFoundError:
        return [[] for _ in documents]
    return [words(" ".join(texts[start:end])) for start, end in pairwise([0, *np.cumsum(counts).tolist()])]


def _block_keys(documents: IntArray, said: Sequence[Sequence[str]]) -> tuple[IntArray, Holdings]:
    numbers = [[*map(hash, own), *[0] * (SHINGLE_WORDS - len(own))] for own in said if own]
    speaking = documents[[bool(own) for own in said]]
    lengths = np.array([len(own) for own in numbers], np.int64)
    keys = np.array([number for own in numbers for number in own], np.int64).view(np.uint64)
    rows = target_rows(np.append(0, np.cumsum(lengths)), np.arange(len(lengths)), SHINGLE_WORDS - 1)
    owners = np.repeat(speaking, lengths - (SHINGLE_WORDS - 1))
    return speaking, Holdings.of(window_keys(keys, rows, SHINGLE_WORDS - 1), owners)
