"""Context filling: the user's own chunks first; only slots they leave empty are filled, with stored chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from nextvec.config import Config
from nextvec.errors import MismatchError, UsageError
from nextvec.retrieval.neighbours import Index, require_index_of
from nextvec.retrieval.snap import unit

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot


class FillConfig(Config):
    """Attributes:
    nearest: stored chunks retrieved, before their predecessors join them as candidates.
    relevance: lambda of maximal marginal relevance, 0..1: 1 looks at the query alone, 0 only avoids redundancy.
    duplicate: a candidate whose cosine with a chunk already there is above this is dropped.
    """

    nearest: int = Field(default=16, ge=1)
    relevance: float = Field(default=0.7, ge=0, le=1)
    duplicate: float = Field(default=0.995, ge=-1, le=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledContext:
    """A context, and where it came from.

    Attributes:
        vectors: float32 (T, D), in reading order: retrieved chunks, then the user's own.
        rows: the stored rows of the retrieved ones, in the same order; rows of one document in its own order, the most
            relevant document last, next to the user's text.
        relevances: float32, cosine of each retrieved chunk with the query.
        own: number of the user's own chunks, all of them.
        empty: slots that nothing could fill.
        duplicates: candidates dropped as duplicates.
    """

    vectors: np.ndarray
    rows: np.ndarray
    relevances: np.ndarray
    own: int
    empty: int
    duplicates: int


def fill_context(
    own: np.ndarray,
    slots: int,
    snapshot: Snapshot,
    index: Index,
    *,
    query: np.ndarray | None = None,
    config: FillConfig | None = None,
    excluded: np.ndarray | None = None,
) -> FilledContext:
    """A context of at least `slots` vectors, as far as there are chunks for it.

    Candidates are the chunks nearest to the query and their predecessors in their documents, chosen one by one by
    maximal marginal relevance (Carbonell and Goldstein 1998) against the own chunks and those chosen before.

    Args:
        own: float32 (n, D), the user's own chunks, unit norm, n at least 1; none is ever left out or replaced.
        slots: vectors wanted; with n >= slots nothing is retrieved.
        snapshot, index: where to look; the index is of this snapshot.
        query: float32 (D,), what to look for; None means the direction of the mean of `own`.
        excluded: bool (N,), rows never retrieved.

    Raises UsageError for no own chunk, MismatchError when D or the index does not fit.
    """
    require_index_of(snapshot, index)
    if own.ndim != 2 or own.shape[1] != snapshot.dim:
        raise MismatchError(f"own chunks have shape {own.shape}; {snapshot.label} needs (chunks, {snapshot.dim})")
    if not len(own):
        raise UsageError("a context needs at least one chunk of the user's own text to look for; got none")
    config = config or FillConfig()
    target = unit(own.mean(axis=0) if query is None else query)
    missing = max(0, slots - len(own))
    rows = _candidates(target, snapshot, index, config, excluded) if missing else np.empty(0, dtype=np.int64)
    vectors = snapshot.vectors[rows].astype(np.float32)
    relevances = vectors @ target
    picks, duplicates = _choose(vectors, relevances, own, missing, config)
    order = picks[_reading_order(rows[picks], relevances[picks], snapshot.doc_index)]
    return FilledContext(
        vectors=np.concatenate([vectors[order], own.astype(np.float32)]),
        rows=rows[order],
        relevances=relevances[order],
        own=len(own),
        empty=missing - len(order),
        duplicates=duplicates,
    )


def _candidates(
    target: np.ndarray, snapshot: Snapshot, index: Index, config: FillConfig, excluded: np.ndarray | None
) -> np.ndarray:
    """Rows of the nearest chunks and of their predecessors, ascending."""
    found = index.search(target[None], min(config.nearest, index.spec.size), excluded).rows[0]
    nearest = found[found >= 0]
    before = nearest[nearest > snapshot.offsets[snapshot.doc_index[nearest]]] - 1
    rows = np.union1d(nearest, before)
    return rows if excluded is None else rows[~excluded[rows]]


def _choose(
    vectors: np.ndarray, relevances: np.ndarray, own: np.ndarray, wanted: int, config: FillConfig
) -> tuple[np.ndarray, int]:
    """Up to `wanted` candidates (positions, in the order of choice) and how many were dropped as duplicates."""
    picks: list[int] = []
    redundancy = (vectors @ own.T.astype(np.float32)).max(axis=1)
    available = redundancy <= config.duplicate
    duplicates = int((~available).sum())
    while available.any() and len(picks) < wanted:
        gain = config.relevance * relevances - (1 - config.relevance) * redundancy
        best = int(np.argmax(np.where(available, gain, -np.inf)))
        picks.append(best)
        available[best] = False
        redundancy = np.maximum(redundancy, vectors @ vectors[best])
        repeated = available & (redundancy > config.duplicate)
        duplicates += int(repeated.sum())
        available &= ~repeated
    return np.array(picks, dtype=np.int64), duplicates


def _reading_order(rows: np.ndarray, relevances: np.ndarray, doc_index: np.ndarray) -> np.ndarray:
    """Positions that put rows of one document in its order, and documents by their most relevant row, ascending."""
    documents, inverse = np.unique(doc_index[rows], return_inverse=True)
    best = np.full(len(documents), -np.inf)
    np.maximum.at(best, inverse, relevances)
    return np.lexsort((rows, inverse, best[inverse]))
