"""How many lists an approximate index has to look into, tuned on the corpus itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nextvec.retrieval.neighbours import Neighbours

if TYPE_CHECKING:
    from nextvec.store.stored import VectorSource

PROBES = (4, 8, 16, 24, 32, 48, 64, 96, 112, 128, 144, 160, 192, 256, 384, 512)
QUERIES = 256
NEIGHBOURS = 16
WINDOW = 5
REACH = 256
"""Rows to either side of a query's own that are left out with them: a text that is asked for is not in the corpus, and
what lies beside one that is in it is found more easily than anything else."""

BLOCK_ROWS = 65_536
Z = 1.645
"""One-sided 95 % of a normal distribution."""

Search = Callable[[int, np.ndarray, int, np.ndarray], Neighbours]
"""From the number of lists to look into, queries (Q, D), k, and which rows (N,) are left out."""


class Tuned(NamedTuple):
    """The fewest probes whose recall@16 against exact search reaches the target with 95 % confidence; `recall` is the
    mean that was measured."""

    target: float
    probes: int
    recall: float


def tune(search: Search, vectors: VectorSource, lists: int, target: float) -> Tuned:
    """The fewest of `PROBES` that reach `target`, or all `lists`.

    Queries are what a snap asks for: means of windows of consecutive rows, around which nothing counts.
    """
    rows, queries = windows(vectors)
    left_out = _around(rows, len(vectors))
    true = nearest(vectors, queries, left_out)
    k = min(len(vectors), NEIGHBOURS)
    for count in [count for count in PROBES if count < lists] + [lists]:
        shares = [
            _share(search(count, query[None], k, _mask(span, len(vectors))).rows[0], wanted)
            for query, wanted, span in zip(queries, true, left_out, strict=True)
        ]
        recall = float(np.mean(shares))
        if recall - Z * float(np.std(shares)) / math.sqrt(QUERIES) >= target:
            break
    return Tuned(target, count, recall)


def windows(vectors: VectorSource) -> tuple[np.ndarray, np.ndarray]:
    """Rows (Q, W) of consecutive vectors, and the directions (Q, D) of their means."""
    width = min(WINDOW, len(vectors))
    firsts = np.random.default_rng(0).integers(len(vectors) - width + 1, size=QUERIES)
    rows = firsts[:, None] + np.arange(width)
    means = vectors[rows.ravel()].reshape(*rows.shape, -1).astype(np.float32).mean(axis=1)
    return rows, means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def nearest(vectors: VectorSource, queries: np.ndarray, left_out: list[slice]) -> list[np.ndarray]:
    """The exact nearest rows for each query but those left out, best first, a block of vectors at a time."""
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in queries]
    for start in range(0, len(vectors), BLOCK_ROWS):
        block = queries @ vectors[start : start + BLOCK_ROWS].astype(np.float32).T
        for pieces, scores, span in zip(found, block, left_out, strict=True):
            scores[max(0, span.start - start) : max(0, span.stop - start)] = -np.inf
            pieces.append(_highest(scores, start))
    joined = (map(np.concatenate, zip(*pieces, strict=True)) for pieces in found)
    best = Neighbours.best_of([(scores, rows) for scores, rows in joined], NEIGHBOURS)
    return [rows[np.isfinite(scores)] for rows, scores in zip(best.rows, best.scores, strict=True)]


def _highest(scores: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray]:
    """The highest of a block's scores, as many as may be wanted and all that equal the last, and their rows."""
    k = min(NEIGHBOURS, len(scores))
    rows = np.flatnonzero(scores >= np.partition(scores, -k)[-k])
    return scores[rows], start + rows


def _around(rows: np.ndarray, size: int) -> list[slice]:
    """Each window with its surroundings, which are a quarter of the corpus at most."""
    reach = min(REACH, size // 8)
    return [slice(max(0, int(row[0]) - reach), int(row[-1]) + 1 + reach) for row in rows]


def _mask(span: slice, size: int) -> np.ndarray:
    mask = np.zeros(size, dtype=bool)
    mask[span] = True
    return mask


def _share(found: np.ndarray, wanted: np.ndarray) -> float:
    return len(np.intersect1d(found, wanted)) / max(1, len(wanted))
