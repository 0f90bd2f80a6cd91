"""FAISS's inverted lists: approximate search for large corpora, within a measured recall of the exact index.

Jégou, Douze, Schmid 2011, "Product Quantization for Nearest Neighbor Search", section IV:
k-means cuts the vectors into lists, a search scans only the lists whose centroids are nearest to the query. The scan
reads codes of four bits for two components (André, Kermarrec, Le Scouarnec 2017, "Accelerated Nearest Neighbor Search
with Quick ADC"); what it finds is scored again with the stored vectors. How many lists are scanned is tuned on the
corpus itself when the index is built.
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
from nextvec.disk import storing, where_possible
from nextvec.errors import IntegrityError, MissingDependencyError
from nextvec.records import read_json, write_json
from nextvec.retrieval.neighbours import IndexSpec, Neighbours, check_search, scored
from nextvec.retrieval.tuning import Tuned, tune

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot
    from nextvec.workspace import Workspace

ADDED_ROWS = 65_536
MIN_POINTS_PER_LIST = 39
"""Fewer points for a centroid make FAISS warn that its k-means has too little to go by."""

RESCORED, RESCORED_BY_DIM = 7, 96
"""Rows found by their codes and scored exactly, for each one wanted: 7 + 96 / D, because the errors of a code's parts
average out over the D components."""

CODED_COMPONENTS, CODE_BITS = 2, 4
MADE: dict[str, int | float | str | None] = {
    "codes": f"{CODE_BITS} bits for {CODED_COMPONENTS} components",
    "rescored": f"{RESCORED} + {RESCORED_BY_DIM} / D",
}
"""What an index is besides its settings: one of other codes, or tuned for another number of finds, is built anew."""

LEAST_TRAINING = MIN_POINTS_PER_LIST * 2**CODE_BITS
"""Vectors that training wants for its codes; fewer are repeated."""


class IVFConfig(Config):
    """Attributes:
    lists: number of inverted lists; None means about 2 sqrt(N), at least 39 vectors each.
    probes: lists scanned for a query; None means the fewest of `PROBES` that reach `recall`, all of them if none does.
    recall: share of the exact 16 nearest that must be found, 0..1, with 95 % confidence, for the means of windows of
        the corpus (what lies around them left out); means nothing when `probes` is given.
    seed: of the k-means and of the sample it trains on.
    training_points: vectors a list that the k-means trains on.
    iterations: of the k-means.
    """

    lists: int | None = Field(default=None, ge=1)
    probes: int | None = Field(default=None, ge=1)
    recall: float = Field(default=0.99, gt=0, le=1)
    seed: int = 0
    training_points: int = Field(default=128, ge=MIN_POINTS_PER_LIST)
    iterations: int = Field(default=20, ge=1)

    def lists_for(self, size: int) -> int:
        wanted = self.lists or round(2 * math.sqrt(size))
        return max(1, min(wanted, size // MIN_POINTS_PER_LIST))


class FaissIndex:
    """Inverted lists by inner product over a snapshot, whose vectors stay where they are: a memory map remains one.
    The same snapshot and settings give the same index and answers.

    Made by `FaissIndex.of`. Equal scores come by ascending row, as in the exact index.

    Attributes:
        recall: recall@16 against exact search, 0..1, as measured when the probes were tuned; None when they were given.
    """

    def __init__(self, lists: Any, vectors: np.ndarray, spec: IndexSpec, recall: float | None) -> None:
        self._lists, self._vectors = lists, vectors
        self._spec = spec
        self.recall = recall

    @classmethod
    def of(cls, snapshot: Snapshot, config: IVFConfig, workspace: Workspace | None = None) -> FaissIndex:
        """Read from the workspace's cache when what lies there was built from this snapshot with these settings,
        else built, and kept there. Raises MissingDependencyError without faiss."""
        _faiss()
        config = config.model_copy(update={"lists": config.lists_for(len(snapshot))})
        path = workspace.cache / "indexes" / f"{snapshot.label}.faiss" if workspace else None
        # Probes matter to a search, not to the lists: another number of them reads the same file.
        built = IndexSpec.of("faiss", snapshot, {**config.to_dict(), **MADE, "probes": None, "recall": None})
        lists, tuned = _read(path, built) if path else (None, None)
        fresh = lists is None
        if lists is None:
            lists = _build(snapshot.vectors, config)
        if config.probes is None and (tuned is None or tuned.target != config.recall):
            tuned, fresh = _tuned(lists, snapshot, config.recall), True
        if path and fresh:
            with where_possible():
                _write(path, lists, built, tuned)
        chosen, recall = (tuned.probes, tuned.recall) if config.probes is None and tuned else (config.probes, None)
        lists.nprobe = chosen
        return cls(
            lists, snapshot.vectors, IndexSpec.of("faiss", snapshot, {**config.to_dict(), "probes": chosen}), recall
        )

    @property
    def spec(self) -> IndexSpec:
        return self._spec

    def search(self, queries: np.ndarray, k: int, excluded: np.ndarray | None = None) -> Neighbours:
        queries = check_search(self._spec, queries, k, excluded)
        return _search(self._lists, self._vectors, queries, k, excluded)


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
    coded = CODED_COMPONENTS if dim % CODED_COMPONENTS == 0 else 1
    lists = faiss.IndexIVFPQFastScan(
        faiss.IndexFlatIP(dim), dim, config.lists, dim // coded, CODE_BITS, faiss.METRIC_INNER_PRODUCT
    )
    lists.cp.seed, lists.cp.niter, lists.cp.spherical = config.seed, config.iterations, True
    lists.train(_sample(vectors, config))
    for start in range(0, size, ADDED_ROWS):
        lists.add(vectors[start : start + ADDED_ROWS].astype(np.float32))
    return lists


def _search(
    lists: Any, vectors: np.ndarray, queries: np.ndarray, k: int, excluded: np.ndarray | None = None
) -> Neighbours:
    """The best `k` of the `RESCORED` rows that are best by their codes, scored with the vectors themselves."""
    faiss = _faiss()
    allowed = None if excluded is None else np.packbits(~excluded, bitorder="little")
    selector = None if allowed is None else faiss.IDSelectorBitmap(allowed)
    parameters = faiss.SearchParametersIVF(sel=selector, nprobe=lists.nprobe)
    wanted = math.ceil(k * (RESCORED + RESCORED_BY_DIM / vectors.shape[1]))
    found = lists.search(queries, min(len(vectors), wanted), params=parameters)[1]
    # Rows are in order from here on: they come from memory faster so.
    best = [scored(vectors, query, np.sort(rows[rows >= 0])) for query, rows in zip(queries, found, strict=True)]
    return Neighbours.best_of(best, k)


def _tuned(lists: Any, snapshot: Snapshot, target: float) -> Tuned:
    def search(probes: int, queries: np.ndarray, k: int, excluded: np.ndarray) -> Neighbours:
        lists.nprobe = probes
        return _search(lists, snapshot.vectors, queries, k, excluded)

    return tune(search, snapshot.vectors, lists.nlist, target)


def _sample(vectors: np.ndarray, config: IVFConfig) -> np.ndarray:
    wanted = min(len(vectors), config.lists_for(len(vectors)) * config.training_points)
    rows = np.random.default_rng(config.seed).choice(len(vectors), wanted, replace=False)
    chosen = vectors[np.sort(rows)].astype(np.float32)
    return np.resize(chosen, (max(len(chosen), LEAST_TRAINING), vectors.shape[1]))


def _read(path: Path, spec: IndexSpec) -> tuple[Any | None, Tuned | None]:
    """The index at `path`, if its record says it is the one `spec` describes and its file is whole, and its tuning."""
    try:
        record = read_json(_record(path))
    except IntegrityError:
        return None, None
    tuned = record.pop("tuned", None)
    if record != _describe(path, spec):
        return None, None
    return _faiss().read_index(str(path)), tuned and Tuned(**tuned)


def _write(path: Path, lists: Any, spec: IndexSpec, tuned: Tuned | None) -> None:
    """The record goes first and comes back last, so that it never describes another file than the one beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _record(path).unlink(missing_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        with storing("the index", path.parent, "The corpus itself is complete"):
            _faiss().write_index(lists, str(temporary))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    write_json(_record(path), {**_describe(path, spec), "tuned": tuned and tuned._asdict()})


def _record(path: Path) -> Path:
    return path.with_suffix(".json")


def _describe(path: Path, spec: IndexSpec) -> dict[str, Any]:
    size = path.stat().st_size if path.exists() else 0
    return {"fingerprint": spec.fingerprint, "spec": spec.to_dict(), "bytes": size, "faiss": _faiss().__version__}
