"""How many vectors are closer to each of some others than a cosine: exact, block by block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nextvec.sequences.identity import blocks
from nextvec.sequences.windows import IntArray

_BLOCK_WANTED = 1_024


def count_closer(
    vectors: npt.NDArray[np.floating], rows: IntArray, others: IntArray, cosine: float
) -> npt.NDArray[np.int64]:
    """(len(rows),) how many of `others` are closer to each of `rows` than `cosine`; `vectors` of any norm but zero."""
    return count_closer_to(unit_rows(vectors[rows]), vectors, others, cosine)


def count_closer_to(
    wanted: npt.NDArray[np.float32], vectors: npt.NDArray[np.floating], others: IntArray, cosine: float
) -> npt.NDArray[np.int64]:
    """The same for (M, D) `wanted` vectors of norm 1."""
    counts = np.zeros(len(wanted), np.int64)
    pieces = [slice(first, first + _BLOCK_WANTED) for first in range(0, len(wanted), _BLOCK_WANTED)]
    for block in blocks(len(others)):
        known = unit_rows(vectors[others[block]]).T
        for piece in pieces:
            counts[piece] += (wanted[piece] @ known > cosine).sum(axis=1)
    return counts


def unit_rows(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """(N, D) float32 of norm 1; a zero vector stays zero."""
    wide = vectors.astype(np.float32)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), np.float32(1e-12))
