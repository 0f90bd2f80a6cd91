"""FAISS's inverted lists: approximate search for large corpora, within a measured recall of the exact index.

Jégou, Douze, Schmid 2011, "Product Quantization for Nearest Neighbor Search", section IV, without the quantisation:
k-means cuts the vectors into lists, a search scans only the lists whose centroids are nearest to the query.
"""

from __future__ import annotations

import math
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from nextvec.config import Config
from nextvec.errors import IntegrityError, MissingDependencyError
from nextvec.records import read_json, write_json
from nextvec.retrieval.neighbours import IndexSpec, Neighbours, check_search

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot
    from nextvec.workspace import Workspace

ADDED_ROWS = 65_536
MIN_POINTS_PER_LIST = 39
"""Fewer points for a centroid make FAISS warn that its k-means has too little to go by."""


class IVFConfig(Config):
    """Attributes:
    lists: number of inverted lists; None means about 2 sqrt(N), at least 39 vectors each.
    probes: lists scanned for a query.
    seed: of the k-means and of the sample it trains on.
    training_points: vectors a list that the k-means trains on.
    iterations: of the k-means.
    """

    lists: int | None = Field(default=None, ge=1)
    probes: int = Field(default=16, ge=1)
    seed: int = 0
    training_points: int = Field(default=64, ge=MIN_POINTS_PER_LIST)
    iterations: int = Field(default=10, ge=1)

    def lists_for(self, size: int) -> int:
        wanted = self.lists or round(2 * math.sqrt(size))
        return max(1, min(wanted, size // MIN_POINTS_PER_LIST))


class FaissIndex:
    """IVF-Flat by inner product over a snapshot. The same snapshot and settings give the same index and answers.

    Made by `FaissIndex.of`. Equal scores come by ascending row, as in the exact index.
    """

    def __init__(self, lists: Any, spec: IndexSpec) -> None:
        self._lists = lists
        self._spec = spec

    @classmethod
    def of(cls, snapshot: Snapshot, config: IVFConfig, workspace: Workspace | None = None) -> FaissIndex:
        """Read from the workspace's cache when what lies there was built from this snapshot with these settings,
        else built, and kept there. Raises MissingDependencyError without faiss."""
        _faiss()
        config = config.model_copy(update={"lists": config.lists_for(len(snapshot))})
        spec = IndexSpec.of("faiss", snapshot, config.to_dict())
        path = workspace.cache / "indexes" / f"{snapshot.label}.faiss" if workspace else None
        # Probes matter to a search, not to the lists: another number of them reads the same file.
        built = spec.model_copy(update={"options": {**spec.options, "probes": None}})
        lists = _read(path, built) if path else None
        if lists is None:
            lists = _build(snapshot.vectors, config)
            if path:
                _write(path, lists, built)
        lists.nprobe = config.probes
        return cls(lists, spec)

    @property
    def spec(self) -> IndexSpec:
        return self._spec

    def search(self, queries: np.ndarray, k: int, excluded: np.ndarray | None = None) -> Neighbours:
        queries = check_search(self._spec, queries, k, excluded)
        if excluded is None:
            return _ordered(*self._lists.search(queries, k))
        faiss = _faiss()
        allowed = np.packbits(~excluded, bitorder="little")
        selector = faiss.IDSelectorBitmap(allowed)
        parameters = faiss.SearchParametersIVF(sel=selector, nprobe=self._lists.nprobe)
        return _ordered(*self._lists.search(queries, k, params=parameters))


def faiss_installed() -> bool:
    return find_spec("faiss") is not None


def _faiss() -> Any:
    if not faiss_installed():
        raise MissingDependencyError.for_extra("faiss-cpu", "index")
    import faiss

    return faiss


def _build(vectors: np.ndarray, config: IVFConfig) -> Any:
    faiss = _faiss()
    size, dim = vectors.shape
    lists = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, config.lists, faiss.METRIC_INNER_PRODUCT)
    lists.cp.seed, lists.cp.niter, lists.cp.spherical = config.seed, config.iterations, True
    lists.train(_sample(vectors, config))
    for start in range(0, size, ADDED_ROWS):
        lists.add(vectors[start : start + ADDED_ROWS].astype(np.float32))
    return lists


def _sample(vectors: np.ndarray, config: IVFConfig) -> np.ndarray:
    wanted = min(len(vectors), config.lists_for(len(vectors)) * config.training_points)
    rows = np.random.default_rng(config.seed).choice(len(vectors), wanted, replace=False)
    return vectors[np.sort(rows)].astype(np.float32)


def _read(path: Path, spec: IndexSpec) -> Any | None:
    """The index at `path` if its record says it is the one `spec` describes, and its file is whole."""
    try:
        record = read_json(_record(path))
    except IntegrityError:
        return None
    if record != _describe(path, spec):
        return None
    return _faiss().read_index(str(path))


def _write(path: Path, lists: Any, spec: IndexSpec) -> None:
    """The record goes first and comes back last, so that it never describes another file than the one beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _record(path).unlink(missing_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    _faiss().write_index(lists, str(temporary))
    os.replace(temporary, path)
    write_json(_record(path), _describe(path, spec))


def _record(path: Path) -> Path:
    return path.with_suffix(".json")


def _describe(path: Path, spec: IndexSpec) -> dict[str, Any]:
    size = path.stat().st_size if path.exists() else 0
    return {"fingerprint": spec.fingerprint, "spec": spec.to_dict(), "bytes": size, "faiss": _faiss().__version__}


def _ordered(scores: np.ndarray, rows: np.ndarray) -> Neighbours:
    """FAISS marks what it could not find with row -1 and the lowest float."""
    scores = np.where(rows < 0, np.float32(-np.inf), scores)
    order = np.lexsort((rows, -scores), axis=1)
    return Neighbours(np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1))
