"""How many lists an approximate index has to look into, tuned on the corpus itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nextvec.retrieval.neighbours import Neighbours

if TYPE_CHECKING:
    from nextvec.store.stored import VectorSource

PROBES = (4, 8, 16, 24, 32, 48, 64, 96, 112, 128, 160, 192, 256, 384, 512)
QUERIES = 256
NEIGHBOURS = 16
WINDOW = 5
BLOCK_ROWS = 65_536

Search = Callable[[int, np.ndarray, int], Neighbours]
"""From the number of lists to look into, queries (Q, D) and k."""


class Tuned(NamedTuple):
    """The fewest probes whose recall@16 against exact search reached the target."""

    target: float
    probes: int
    recall: float


def tune(search: Search, vectors: VectorSource, lists: int, target: float) -> Tuned:
    """The fewest of `PROBES` that reach `target`, or all `lists`.

    Queries are what a snap asks for: means of windows of consecutive rows, whose own rows do not count.
    """
    own, queries = windows(vectors)
    true = _without(nearest(vectors, queries), own)
    for count in [count for count in PROBES if count < lists] + [lists]:
        found = _without(search(count, queries, min(len(vectors), NEIGHBOURS + own.shape[1])).rows, own)
        recall = float(
            np.mean([len(left & right) / max(1, len(right)) for left, right in zip(found, true, strict=True)])
        )
        if recall >= target:
            break
    return Tuned(target, count, recall)


def windows(vectors: VectorSource) -> tuple[np.ndarray, np.ndarray]:
    """Rows (Q, W) of consecutive vectors, and the directions (Q, D) of their means."""
    width = min(WINDOW, len(vectors))
    firsts = np.random.default_rng(0).integers(len(vectors) - width + 1, size=QUERIES)
    rows = firsts[:, None] + np.arange(width)
    means = vectors[rows.ravel()].reshape(*rows.shape, -1).astype(np.float32).mean(axis=1)
    return rows, means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def nearest(vectors: VectorSource, queries: np.ndarray) -> np.ndarray:
    """Exact nearest rows, a block of vectors at a time, best first, -1 where there are fewer."""
    k = NEIGHBOURS + WINDOW
    scores, rows = np.full((len(queries), k), -np.inf, np.float32), np.full((len(queries), k), -1)
    for start in range(0, len(vectors), BLOCK_ROWS):
        block = queries @ vectors[start : start + BLOCK_ROWS].astype(np.float32).T
        numbers = np.broadcast_to(np.arange(start, start + block.shape[1]), block.shape)
        scores, rows = np.concatenate([scores, block], axis=1), np.concatenate([rows, numbers], axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        scores, rows = np.take_along_axis(scores, best, axis=1), np.take_along_axis(rows, best, axis=1)
    return rows


def _without(rows: np.ndarray, own: np.ndarray) -> list[set[int]]:
    """The first 16 rows for each query that are not its own."""
    kept = (row[(row >= 0) & ~np.isin(row, mine)] for row, mine in zip(rows, own, strict=True))
    return [set(row[:NEIGHBOURS].tolist()) for row in kept]
