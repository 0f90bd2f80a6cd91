"""Windows: `context` consecutive vectors of one document and their successor, as index arithmetic.

A window is named by the row of its target. Its context is the `context` rows before it, all in the same
document, so a document of n chunks has max(0, n - context) windows and no window crosses two documents.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nextvec.errors import UsageError

IntArray = npt.NDArray[np.int64]

MIN_CONTEXT = 5
"""Scored targets have at least this many predecessors in their document, whatever a predictor looks at."""


def count_windows(lengths: npt.ArrayLike, context: int) -> int:
    """The sum over documents of max(0, n_chunks - context). Raises UsageError when context < 1."""
    _require_context(context)
    return int(np.maximum(np.asarray(lengths, np.int64) - context, 0).sum())


def target_rows(offsets: npt.ArrayLike, documents: npt.ArrayLike, context: int) -> IntArray:
    """Rows that have `context` predecessors in their own document, in the order of `documents`.

    Args:
        offsets: (n_docs + 1,), document i owns rows offsets[i]:offsets[i+1].
        documents: (m,) document indexes.

    Returns: (count_windows(lengths of documents, context),). Raises UsageError when context < 1.
    """
    _require_context(context)
    bounds, chosen = np.asarray(offsets, np.int64), np.asarray(documents, np.int64)
    first, end = bounds[chosen] + context, bounds[chosen + 1]
    return concatenate_ranges(first, np.maximum(end - first, 0))


def concatenate_ranges(first: IntArray, counts: IntArray) -> IntArray:
    """first[0], first[0]+1, ... (counts[0] of them), then first[1], ...; all counts >= 0."""
    before = np.cumsum(counts) - counts
    return np.repeat(first - before, counts) + np.arange(counts.sum(), dtype=np.int64)


def gather_windows(
    vectors: npt.NDArray[np.floating], rows: npt.ArrayLike, context: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The windows whose targets are `rows` (from `target_rows`), as copies.

    Returns: contexts (B, context, D) and targets (B, D), float32, normalised as `vectors` are.
    Raises UsageError when context < 1 or a row has fewer than `context` rows before it in `vectors`.
    """
    _require_context(context)
    targets = np.asarray(rows, np.int64)
    if targets.size and not (context <= targets.min() and targets.max() < len(vectors)):
        raise UsageError(
            f"rows {targets.min()}..{targets.max()} do not all have {context} predecessors among {len(vectors)} "
            f"vectors: take rows from target_rows(offsets, documents, {context})"
        )
    windows = vectors[targets[:, None] + np.arange(-context, 1)].astype(np.float32)
    return windows[:, :context], windows[:, context]


def _require_context(context: int) -> None:
    if context < 1:
        raise UsageError(f"context = {context}: expected at least 1 vector of context")
