"""Keys that tell equal rows and equal windows of vectors, without comparing every pair."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from nextvec.sequences.windows import IntArray

_BLOCK_ROWS = 16_384


def row_keys(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.uint64]:
    """(N,) a 64-bit key of each row's bytes: equal rows have equal keys, different rows practically never."""
    words = np.ascontiguousarray(vectors).view(np.uint16)
    factors = _odd_factors(words.shape[1])
    keys = [(words[rows].astype(np.uint64) * factors).sum(axis=1, dtype=np.uint64) for rows in blocks(len(words))]
    return np.concatenate([np.empty(0, np.uint64), *keys])


def window_keys(row_keys: npt.NDArray[np.uint64], rows: IntArray, context: int) -> npt.NDArray[np.uint64]:
    factors = _odd_factors(context + 1)
    keys = np.zeros(len(rows), np.uint64)
    for back, factor in zip(range(context, -1, -1), factors, strict=True):
        keys += row_keys[rows - back] * factor
    return keys


def _odd_factors(count: int) -> npt.NDArray[np.uint64]:
    """Multilinear hashing modulo 2^64: random odd multipliers (Lemire & Kaser 2014)."""
    return np.random.default_rng(count).integers(0, 1 << 63, count, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def blocks(total: int) -> Iterator[slice]:
    """Slices that cover 0..total, of a size that keeps temporary arrays small."""
    for first in range(0, total, _BLOCK_ROWS):
        yield slice(first, first + _BLOCK_ROWS)
