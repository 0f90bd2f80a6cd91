"""Search over stored vectors: the exact index, which is the default and the reference, and the choice between kinds."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nextvec.device import free_memory
from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.retrieval.ivf import FaissIndex, IVFConfig, faiss_installed
from nextvec.retrieval.neighbours import Index, IndexSpec, Neighbours, check_search
from nextvec.retrieval.on_disk import OnDiskConfig, OnDiskIndex
from nextvec.retrieval.scan import DeviceScan, Scan, SingleScan, fastest_scan
from nextvec.store.stored import StoredVectors, VectorSource

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot
    from nextvec.workspace import Workspace

IndexKind = Literal["auto", "exact", "faiss", "lance"]

APPROXIMATE_ABOVE = 200_000
"""Stored vectors from which `auto` prefers FAISS, when it is installed."""

LARGEST_SHARE = 0.5
"""Of the memory that is free, what vectors may take for `auto` to keep them there; beyond, it searches on disk. And of
a GPU's, for an exact index to scan there."""

BATCH_QUERIES = 8
"""Queries from which a batch is scanned together."""

BLOCK_QUERIES = 64
CPU = torch.device("cpu")
EXACT_ROWS = 8_192
SELECTION_BLOCK = 64


class ExactIndex:
    """Exact k nearest rows by inner product, over float16 or float32 vectors, whatever the batch size.

    A score is the inner product of the stored row and the query, summed in float64 and rounded to float32.

    Reading all rows in few bits is many times faster than in single precision, and wrong in the third decimal. So a
    search scans in few bits and keeps every row whose approximate score lies within twice the largest possible error
    of the k-th best: no row outside can be among the true best k (both would have to err by more than is possible).
    The kept rows, usually a few dozen, are scored exactly. The vectors stay where they are: a memory map remains one,
    shared between processes.

    Args:
        vectors: (N, D), float16 or float32, array, memory map or tensor; not copied.
        spec: what the vectors are; None for bare vectors.
        scan: of one query at a time; None means the fastest that this processor has.
        device: where to scan: a GPU holds a copy of the vectors, and answers the same.

    Raises DataError for another shape or type, no vectors, or values that are not finite or beyond float16.
    """

    def __init__(
        self,
        vectors: np.ndarray | Tensor,
        spec: IndexSpec | None = None,
        scan: Callable[[Tensor], Scan] = fastest_scan,
        device: torch.device | str = "cpu",
    ) -> None:
        self._rows_ND = _as_tensor(vectors)
        size, dim = self._rows_ND.shape
        self._spec = spec or IndexSpec(kind="exact", size=size, dim=dim)
        there = torch.device(device).type != "cpu"
        self._together: Scan = DeviceScan(self._rows_ND, device) if there else SingleScan(self._rows_ND)
        self._alone = self._together if there else scan(self._rows_ND)

    @property
    def spec(self) -> IndexSpec:
        return self._spec

    @property
    def recall(self) -> float:
        return 1.0

    def search(self, queries: np.ndarray, k: int, excluded: np.ndarray | None = None) -> Neighbours:
        queries_QD = torch.from_numpy(check_search(self._spec, queries, k, excluded))
        barred_N = None if excluded is None else torch.from_numpy(excluded)
        blocks = [self._search_block(block_QD, k, barred_N) for block_QD in queries_QD.split(BLOCK_QUERIES)]
        return Neighbours(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))

    def _search_block(self, queries_QD: Tensor, k: int, barred_N: Tensor | None) -> Neighbours:
        scan = self._together if len(queries_QD) >= BATCH_QUERIES else self._alone
        approximate_QN, error_Q = scan.scores(F.normalize(queries_QD, dim=1))
        if barred_N is not None:
            approximate_QN.masked_fill_(barred_N.to(approximate_QN.device), -torch.inf)
        left = k if barred_N is None else min(k, int((~barred_N).sum()))
        scored = [
            self._scored(query, _candidates(approximate, error, left))
            for query, approximate, error in zip(queries_QD.numpy(), approximate_QN, error_Q.tolist(), strict=True)
        ]
        return Neighbours.best_of(scored, k)

    def _scored(self, query: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`rows` with their exact scores."""
        parts = np.split(rows, range(EXACT_ROWS, len(rows), EXACT_ROWS))
        return np.concatenate([self._exact(query, part) for part in parts]), rows

    def _exact(self, query: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """In this thread alone: for a few dozen rows waking others costs more than the sums."""
        chosen = self._rows_ND.numpy()[rows].astype(np.float64)
        return np.einsum("rd,d->r", chosen, query.astype(np.float64)).astype(np.float32)


def _candidates(approximate_N: Tensor, error: float, k: int) -> np.ndarray:
    """Rows that certainly hold the best k: all that score within twice `error` of the k-th best, or of less."""
    if k == 0:
        return np.empty(0, dtype=np.int64)
    choose = chosen_here if approximate_N.device.type == "cpu" else chosen_there
    return choose(approximate_N, error, k)


def chosen_there(approximate_N: Tensor, error: float, k: int) -> np.ndarray:
    """Where the scores are: only what is chosen comes from there."""
    bar = _bar(float(approximate_N.topk(k).values[-1]), error)
    return (approximate_N >= float(bar)).nonzero()[:, 0].cpu().numpy()


def chosen_here(scores_N: Tensor, error: float, k: int) -> np.ndarray:
    """The same on the CPU, faster there."""
    approximate_N = scores_N.numpy()
    # The k-th best maximum of a block is a score that k rows reach; finding it costs a tenth of the k-th best score.
    whole = len(approximate_N) // SELECTION_BLOCK * SELECTION_BLOCK
    maxima = approximate_N[:whole].reshape(-1, SELECTION_BLOCK).max(axis=1)
    best = maxima if len(maxima) >= 2 * k and np.isfinite(np.partition(maxima, -k)[-k]) else approximate_N
    return np.flatnonzero(approximate_N >= _bar(np.partition(best, -k)[-k], error))


def _bar(lowest: float, error: float) -> np.float32:
    return np.nextafter(np.float32(lowest - 2 * error), np.float32(-np.inf))


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


def build_index(
    snapshot: Snapshot,
    kind: IndexKind = "auto",
    workspace: Workspace | None = None,
    device: torch.device = CPU,
) -> Index:
    """An index over all vectors of a snapshot.

    Args:
        snapshot: what to search; its rows are the answers.
        kind: "exact"; "faiss"; "lance", on disk; or "auto": "lance" for a corpus whose vectors take more than half of
            the memory that is free, "faiss" above 200,000 vectors where it is installed, "exact" otherwise.
        workspace: where an approximate index is kept (`cache/indexes`) and found again while it still fits the
            snapshot's fingerprint and the settings; otherwise it is built anew. None keeps nothing.
        device: where an exact index scans, if there is room; the answers are the same.

    Raises DataError for a snapshot without a chunk, MissingDependencyError for "faiss" without the package, UsageError
    for another kind, and for "lance" of a snapshot in memory.
    """
    if not len(snapshot):
        raise DataError(f"{snapshot.label} holds no chunk: nextvec corpus ingest SOURCE --corpus {snapshot.name}")
    if kind not in get_args(IndexKind):
        raise UsageError.unknown("kind of index", kind, get_args(IndexKind))
    chosen = _kind_for(snapshot.stored) if kind == "auto" else kind
    if chosen == "lance":
        return OnDiskIndex.of(snapshot, OnDiskConfig(), workspace)
    if chosen == "faiss":
        return FaissIndex.of(snapshot, IVFConfig(), workspace)
    room = snapshot.vectors.nbytes <= LARGEST_SHARE * free_memory(device)
    return ExactIndex(snapshot.vectors, IndexSpec.of("exact", snapshot, {}), device=device if room else CPU)


def _kind_for(vectors: VectorSource) -> IndexKind:
    if isinstance(vectors, StoredVectors) and vectors.nbytes > LARGEST_SHARE * free_memory(CPU):
        return "lance"
    return "faiss" if len(vectors) > APPROXIMATE_ABOVE and faiss_installed() else "exact"


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
