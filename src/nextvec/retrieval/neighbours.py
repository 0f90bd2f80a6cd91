"""What an index is and what it answers, and the stored chunks behind an answer.

Shapes here and in all of `retrieval`: N stored vectors, D their size, Q queries, K neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import torch
from pydantic import Field

from nextvec.config import Config
from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.fingerprint import fingerprint

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot
    from nextvec.store.stored import VectorSource


CONVERTED = 32_768
"""Numbers from which torch converts with several threads."""

Options = dict[str, int | float | str | None]


class Neighbours(NamedTuple):
    """The best rows for each query, best first; equal scores by ascending row.

    `scores` float32 (Q, K), inner products, -inf where fewer than K rows could be found; `rows` int64 (Q, K), then -1.
    """

    scores: np.ndarray
    rows: np.ndarray

    @classmethod
    def best_of(cls, scored: Sequence[tuple[np.ndarray, np.ndarray]], k: int) -> Neighbours:
        """For each query the best `k` of its scores and rows, both (n,) with any n."""
        best = [_best(scores, rows, k) for scores, rows in scored]
        return cls(np.stack([scores for scores, _ in best]), np.stack([rows for _, rows in best]))


def _best(scores: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.lexsort((rows, -scores))[:k]
    missing = (0, k - len(order))
    if not missing[1]:
        return scores[order], rows[order]
    return np.pad(scores[order], missing, constant_values=-np.inf), np.pad(rows[order], missing, constant_values=-1)


def scored(vectors: VectorSource, query: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inner products of `rows` (n,), in ascending order, with a query (D,), and the rows.

    torch converts from float16 many times faster than NumPy, and pieces this small in this thread alone: waking another
    one takes longer than the work.
    """
    chosen = np.require(vectors[rows], requirements="W")  # torch has no read-only tensors
    pieces = torch.from_numpy(chosen).split(max(1, CONVERTED // vectors.shape[1]))
    return np.concatenate([piece.float().numpy() @ query for piece in pieces]), rows


class IndexSpec(Config):
    """What an index was built from and how: everything its answers depend on.

    `corpus` (label), `snapshot` and `encoder` (fingerprints) are empty for an index over bare vectors.
    """

    kind: str
    size: int
    dim: int
    corpus: str = ""
    snapshot: str = ""
    encoder: str = ""
    options: Options = Field(default_factory=dict)

    @classmethod
    def of(cls, kind: str, snapshot: Snapshot, options: Options) -> IndexSpec:
        size, dim = snapshot.vectors.shape
        return cls(
            kind=kind,
            size=size,
            dim=dim,
            corpus=snapshot.label,
            snapshot=snapshot.fingerprint,
            encoder=snapshot.encoder.fingerprint,
            options=options,
        )

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.to_dict())


class Index(Protocol):
    """Nearest stored vectors by inner product."""

    @property
    def spec(self) -> IndexSpec: ...

    @property
    def recall(self) -> float | None:
        """recall@16 against exact search, 0..1; None where it was not measured."""
        ...

    def search(self, queries: np.ndarray, k: int, excluded: np.ndarray | None = None) -> Neighbours:
        """The `k` best rows for each query.

        Args:
            queries: float32 (Q, D), finite; need not be normalised.
            k: 1..N.
            excluded: bool (N,), True for rows that must not be answered.

        Raises:
            MismatchError: the queries are not D wide, or the mask is not (N,).
            UsageError: `k` is out of range.
            DataError: a query holds NaN or infinity.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NearChunk:
    """A stored chunk near a vector: `similarity` is their inner product, the cosine for unit vectors."""

    row: int
    similarity: float
    text: str
    document: str
    title: str
    position: int


def nearest_chunks(
    snapshot: Snapshot, index: Index, vectors: np.ndarray, k: int = 3, excluded: np.ndarray | None = None
) -> list[list[NearChunk]]:
    """For each of `vectors` (Q, D) the `k` nearest chunks of the snapshot with their texts, best first.

    At most `k`: fewer when the snapshot has fewer rows left after exclusion (bool (N,), see `Index.search`).
    Raises MismatchError when the index was built from another snapshot.
    """
    require_index_of(snapshot, index)
    found = index.search(vectors, min(k, index.spec.size), excluded)
    texts = dict(zip(unique := _present(found.rows), snapshot.texts(unique), strict=True))
    return [
        [
            near_chunk(snapshot, int(row), float(score), texts[int(row)])
            for score, row in zip(scores, rows, strict=True)
            if row >= 0
        ]
        for scores, rows in zip(*found, strict=True)
    ]


def require_index_of(snapshot: Snapshot, index: Index) -> None:
    """Raises MismatchError unless the index answers with rows of this very snapshot."""
    if index.spec.snapshot != snapshot.fingerprint:
        built_from = (
            f"{index.spec.corpus} (fingerprint {index.spec.snapshot})" if index.spec.snapshot else "bare vectors"
        )
        raise MismatchError(
            f"the index was built from {built_from}, the snapshot is {snapshot.label} "
            f"(fingerprint {snapshot.fingerprint}). Build the index from this snapshot."
        )


def check_search(spec: IndexSpec, queries: np.ndarray, k: int, excluded: np.ndarray | None) -> np.ndarray:
    """The queries as contiguous float32 (Q, D). Raises as `Index.search` says."""
    if queries.ndim != 2 or queries.shape[1] != spec.dim:
        raise MismatchError(f"queries have shape {queries.shape}; the index expects (queries, {spec.dim})")
    if not 1 <= k <= spec.size:
        raise UsageError(f"k = {k} neighbours asked of an index of {spec.size} vectors; expected 1 to {spec.size}")
    if excluded is not None and (excluded.shape != (spec.size,) or excluded.dtype != np.bool_):
        raise MismatchError(
            f"the mask of excluded rows is {excluded.dtype} {excluded.shape}; expected bool ({spec.size},)"
        )
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    finite = np.isfinite(queries).all(axis=1)
    if not finite.all():
        raise DataError(f"query {int(np.argmin(finite))} holds NaN or infinity; expected finite numbers")
    return queries


def _present(rows: np.ndarray) -> list[int]:
    return [int(row) for row in np.unique(rows) if row >= 0]


def near_chunk(snapshot: Snapshot, row: int, similarity: float, text: str) -> NearChunk:
    """The chunk of a row, whose text is known, with the document that it is from."""
    number = int(snapshot.doc_index[row])
    record = snapshot.documents[number]
    position = row - int(snapshot.offsets[number])
    return NearChunk(
        row=row, similarity=similarity, text=text, document=record.doc_id, title=record.title, position=position
    )


def rows_of(offsets: np.ndarray, documents: Sequence[int] | np.ndarray) -> np.ndarray:
    """bool (N,), True for every row of the named documents: a mask for `Index.search`."""
    mask = np.zeros(int(offsets[-1]), dtype=bool)
    for number in documents:
        mask[offsets[number] : offsets[number + 1]] = True
    return mask
