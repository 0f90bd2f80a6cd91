"""Keys that tell equal chunks and equal windows of them, without comparing every pair."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from nextvec.errors import NotFoundError
from nextvec.sequences.windows import IntArray

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot
    from nextvec.store.stored import VectorSource

Keys = npt.NDArray[np.uint64]

_BLOCK_ROWS = 16_384
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a text, case and punctuation ignored."""
    return _WORD.findall(text.lower())


class ChunkKeys(NamedTuple):
    """(N,) keys of the chunks of two snapshots, made from their words or else from their vectors."""

    left: Keys
    right: Keys
    by_text: bool


def chunk_keys(left: Snapshot, right: Snapshot) -> ChunkKeys:
    """Keys that are equal for equal chunks of the two snapshots, which may be one.

    Equal means the same words where both have texts: vectors of one text may differ in their last bits with the batch
    it was encoded in. Else it means equal vectors in half precision.
    """
    snapshots = (left,) if left is right else (left, right)
    texts = [text_keys(snapshot) for snapshot in snapshots]
    known = [keys for keys in texts if keys is not None]
    by_text = len(known) == len(texts)
    keys = known if by_text else [half_keys(snapshot) for snapshot in snapshots]
    return ChunkKeys(keys[0], keys[-1], by_text)


def text_keys(snapshot: Snapshot) -> Keys | None:
    """(N,) a key of each chunk's words, or of its characters where it has none; None when a chunk has no text."""
    keys = np.zeros(len(snapshot), np.uint64)
    for rows in blocks(len(snapshot)):
        numbers = range(len(snapshot))[rows]
        try:
            texts = snapshot.texts(numbers)
        except NotFoundError:
            return None
        if not all(texts):
            return None
        keys[rows] = [_key_of(" ".join(words(text)) or text) for text in texts]
    return keys


def half_keys(snapshot: Snapshot) -> Keys:
    """(N,) `row_keys` in half precision, so that corpora stored in either precision can be compared."""
    keys = [row_keys(snapshot.stored[rows].astype(np.float16)) for rows in blocks(len(snapshot))]
    return np.concatenate([np.empty(0, np.uint64), *keys])


def _key_of(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def row_keys(vectors: VectorSource) -> Keys:
    """(N,) a 64-bit key of each row's bytes: equal rows have equal keys, different rows practically never."""
    keys = [_keys_of_bytes(np.ascontiguousarray(vectors[rows])) for rows in blocks(len(vectors))]
    return np.concatenate([np.empty(0, np.uint64), *keys])


def _keys_of_bytes(vectors: npt.NDArray[np.floating]) -> Keys:
    halves = vectors.view(np.uint16).astype(np.uint64)
    keys: Keys = (halves * _odd_factors(halves.shape[1])).sum(axis=1, dtype=np.uint64)
    return keys


def window_keys(row_keys: Keys, rows: IntArray, context: int) -> Keys:
    factors = _odd_factors(context + 1)
    keys = np.zeros(len(rows), np.uint64)
    for back, factor in zip(range(context, -1, -1), factors, strict=True):
        keys += row_keys[rows - back] * factor
    return keys


def _odd_factors(count: int) -> Keys:
    """Multilinear hashing modulo 2^64: random odd multipliers (Lemire & Kaser 2014)."""
    return np.random.default_rng(count).integers(0, 1 << 63, count, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def blocks(total: int) -> Iterator[slice]:
    """Slices that cover 0..total, of a size that keeps temporary arrays small."""
    for first in range(0, total, _BLOCK_ROWS):
        yield slice(first, first + _BLOCK_ROWS)
