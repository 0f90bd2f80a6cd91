"""Search over stored vectors: the exact index, which is the default and the reference, and the choice between kinds."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.retrieval.ivf import FaissIndex, IVFConfig, faiss_installed
from nextvec.retrieval.neighbours import Index, IndexSpec, Neighbours, check_search

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot
    from nextvec.workspace import Workspace

IndexKind = Literal["auto", "exact", "faiss"]

APPROXIMATE_ABOVE = 200_000
"""Stored vectors from which `auto` prefers FAISS, when it is installed."""

CONVERTED_ROWS = 8_192
SCAN_QUERIES = 8
BLOCK_QUERIES = 64
HALF_LARGEST = 65_504.0
HALF_SMALLEST = 2.0**-24
HALF_ROUNDING = 2.0**-11
SINGLE_ROUNDING = 2.0**-24
SLACK = 1.01
"""Covers the rounding of the error bounds themselves."""


class ExactIndex:
    """Exact k nearest rows by inner product, over float16 or float32 vectors, whatever the batch size.

    A score is the inner product of the stored row and the query, summed in float64 and rounded to float32.

    Reading all rows in half precision is several times faster than in single, and wrong in the fourth decimal. So a
    search scans in half precision and keeps every row whose approximate score lies within twice the largest possible
    error of the k-th best: no row outside can be among the true best k (both would have to err by more than is
    possible). The kept rows, usually a few dozen, are scored exactly. float16 vectors are scanned where they are
    (a memory map stays one, shared between processes); float32 ones through a float16 copy.

    Args:
        vectors: (N, D), float16 or float32, array, memory map or tensor; not copied.
        spec: what the vectors are; None for bare vectors.

    Raises DataError for another shape or type, no vectors, or values that are not finite or beyond float16.
    """

    def __init__(self, vectors: np.ndarray | Tensor, spec: IndexSpec | None = None) -> None:
        self._rows_ND = _as_tensor(vectors)
        size, dim = self._rows_ND.shape
        self._spec = spec or IndexSpec(kind="exact", size=size, dim=dim)
        self._scan_ND = self._rows_ND.half() if self._rows_ND.dtype == torch.float32 else self._rows_ND
        self._norm, lost = _extents(self._rows_ND, self._scan_ND)
        # For a unit query: what the float16 copy lost, summing D products in float32 (Higham 2002, section 3.1), and
        # a few roundings more for normalising the query and for the score itself.
        self._scan_error = SLACK * (lost + (dim + 8) * SINGLE_ROUNDING * self._norm)

    @property
    def spec(self) -> IndexSpec:
        return self._spec

    def search(self, queries: np.ndarray, k: int, excluded: np.ndarray | None = None) -> Neighbours:
        queries_QD = torch.from_numpy(check_search(self._spec, queries, k, excluded))
        barred_N = None if excluded is None else torch.from_numpy(excluded)
        blocks = [self._search_block(block_QD, k, barred_N) for block_QD in queries_QD.split(BLOCK_QUERIES)]
        return Neighbours(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))

    def _search_block(self, queries_QD: Tensor, k: int, barred_N: Tensor | None) -> Neighbours:
        scan = self._scan_each if len(queries_QD) < SCAN_QUERIES else self._scan_together
        approximate_QN, error_Q = scan(F.normalize(queries_QD, dim=1))
        if barred_N is not None:
            approximate_QN.masked_fill_(barred_N, -torch.inf)
        left = k if barred_N is None else min(k, int((~barred_N).sum()))
        found = [
            self._best(query_D, _candidates(approximate_N, error, left), k)
            for query_D, approximate_N, error in zip(queries_QD, approximate_QN, error_Q.tolist(), strict=True)
        ]
        return Neighbours(np.stack([scores for scores, _ in found]), np.stack([rows for _, rows in found]))

    def _scan_each(self, unit_QD: Tensor) -> tuple[Tensor, Tensor]:
        """Half-precision scores (Q, N) and the largest error of each query's scores (Q,)."""
        half_QD = unit_QD.half()
        scores_QN = torch.stack([torch.mv(self._scan_ND, half_D) for half_D in half_QD])
        query_loss_Q = (unit_QD - half_QD.float()).norm(dim=1)
        rounding = SLACK * HALF_ROUNDING * self._norm + HALF_SMALLEST
        return scores_QN, self._norm * query_loss_Q + rounding + self._scan_error

    def _scan_together(self, unit_QD: Tensor) -> tuple[Tensor, Tensor]:
        """The same in single precision: for many queries converting the rows once is cheaper."""
        scores_QN = torch.empty(len(unit_QD), len(self._scan_ND))
        for start in range(0, len(self._scan_ND), CONVERTED_ROWS):
            block_RD = self._scan_ND[start : start + CONVERTED_ROWS].float()
            scores_QN[:, start : start + len(block_RD)] = unit_QD @ block_RD.T
        return scores_QN, torch.full((len(unit_QD),), self._scan_error)

    def _best(self, query_D: Tensor, rows: Tensor, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The best k of `rows` by exact score, filled up with row -1 where there are fewer."""
        query = query_D.double()
        parts = [self._rows_ND[part].double() @ query for part in rows.split(CONVERTED_ROWS)]
        scores = torch.cat(parts).float().numpy()
        order = np.lexsort((rows.numpy(), -scores))[:k]
        missing = (0, k - len(order))
        return (
            np.pad(scores[order], missing, constant_values=-np.inf),
            np.pad(rows.numpy()[order], missing, constant_values=-1),
        )


def _candidates(approximate_N: Tensor, error: float, k: int) -> Tensor:
    """Rows that certainly hold the best k: all that score within twice `error` of the k-th best."""
    size = len(approximate_N)
    if k == 0:
        return torch.empty(0, dtype=torch.int64)
    count = min(4 * k, size)
    while True:
        best = approximate_N.topk(count)
        values = best.values.float()
        bar = float(values[k - 1]) - 2 * error
        if count == size or float(values[-1]) < bar:
            return best.indices[values >= bar]
        count = min(4 * count, size)


def _as_tensor(vectors: np.ndarray | Tensor) -> Tensor:
    tensor = vectors if isinstance(vectors, Tensor) else _view(vectors)
    if tensor.ndim != 2 or not len(tensor) or tensor.dtype not in (torch.float16, torch.float32):
        raise DataError(
            f"an index needs vectors (N, D), N at least 1, float16 or float32; got {tensor.dtype} {tuple(tensor.shape)}"
        )
    return tensor


def _view(vectors: np.ndarray) -> Tensor:
    # A read-only memory map is only ever read here; torch has no read-only tensors and warns of that.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(vectors)


def _extents(rows_ND: Tensor, scan_ND: Tensor) -> tuple[float, float]:
    """The largest norm of a scanned row and the largest norm of what the scanned copy lost. Raises DataError."""
    norms, losses = [], []
    for rows_RD, scan_RD in zip(rows_ND.split(CONVERTED_ROWS), scan_ND.split(CONVERTED_ROWS), strict=True):
        single_RD = scan_RD.float()
        norms.append(torch.linalg.vector_norm(single_RD, dim=1).max())
        losses.append(torch.linalg.vector_norm(rows_RD.float() - single_RD, dim=1).max())
    norm, loss = float(torch.stack(norms).max()), float(torch.stack(losses).max())
    if not (norm * SLACK < HALF_LARGEST and math.isfinite(loss)):
        raise DataError(
            "vectors to index hold NaN, infinity or values beyond float16; expected unit vectors. Check them."
        )
    return norm, loss


def build_index(snapshot: Snapshot, kind: IndexKind = "auto", workspace: Workspace | None = None) -> Index:
    """An index over all vectors of a snapshot.

    Args:
        snapshot: what to search; its rows are the answers.
        kind: "exact", "faiss", or "auto": FAISS above 200,000 vectors where it is installed, exact otherwise.
        workspace: where a FAISS index is kept (`cache/indexes`) and found again while it still fits the snapshot's
            fingerprint and the settings; otherwise it is built anew. None keeps nothing.

    Raises MissingDependencyError for "faiss" without the package, UsageError for another kind.
    """
    if kind not in get_args(IndexKind):
        raise UsageError.unknown("kind of index", kind, get_args(IndexKind))
    large = len(snapshot.vectors) > APPROXIMATE_ABOVE
    if kind == "faiss" or (kind == "auto" and large and faiss_installed()):
        return FaissIndex.of(snapshot, IVFConfig(), workspace)
    return ExactIndex(snapshot.vectors, IndexSpec.of("exact", snapshot, {}))


def recall_against_exact(index: Index, exact: Index, queries: np.ndarray, k: int = 16) -> float:
    """Mean share of the exact `k` nearest rows that `index` finds too, 0..1, over `queries` (Q, D)."""
    if index.spec.snapshot != exact.spec.snapshot or index.spec.size != exact.spec.size:
        raise MismatchError(
            f"recall compares two indexes of one snapshot; got {index.spec.corpus or 'bare vectors'} "
            f"({index.spec.size} rows) and {exact.spec.corpus or 'bare vectors'} ({exact.spec.size} rows)"
        )
    found, true = index.search(queries, k).rows, exact.search(queries, k).rows
    shared = [len(np.intersect1d(left, right)) for left, right in zip(found, true, strict=True)]
    return float(np.mean(shared) / k)
