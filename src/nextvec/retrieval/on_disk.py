"""Lance's inverted lists: approximate search for corpora beyond memory, of which a search reads a few lists from disk.

Vectors are coded with a bit for each component (Gao, Long 2024, "RaBitQ: Quantizing High-Dimensional Vectors with a
Theoretical Error Bound for Approximate Nearest Neighbor Search"); what the codes find is scored again with the vectors
of the corpus. The index is of a clone of the corpus that has its rows without copying them. What is in its folder never
changes: processes that search it may be others than the one that built it.
"""

from __future__ import annotations

import fcntl
import math
import os
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import Field

from nextvec.config import Config
from nextvec.disk import storing
from nextvec.errors import IntegrityError, UsageError
from nextvec.records import read_json, write_json
from nextvec.retrieval.neighbours import IndexSpec, Neighbours, check_search, scored
from nextvec.retrieval.tuning import Tuned, tune
from nextvec.store.dataset import clone_vectors
from nextvec.store.stored import StoredVectors

if TYPE_CHECKING:
    import lance

    from nextvec.store.snapshot import Snapshot
    from nextvec.workspace import Workspace

POINTS_PER_LIST = 256
TRAINED_PER_LIST, ITERATIONS, BLOCK_ROWS = 64, 10, 8_192
"""Of the k-means. Lance has one of its own, which takes twenty times as long on float16, and has no seed."""

RESCORED, RESCORED_BY_DIM, LEAST = 6, 640, 16
"""Rows found by their codes and scored exactly: 6 + 640 / D for each one wanted, and for 16 where fewer are."""

MOST_MORE = 4
"""Times as many rows are asked for besides, at first, where some are excluded: those may be the nearest."""

MADE: dict[str, int | float | str | None] = {
    "codes": "RaBitQ, 1 bit",
    "rescored": f"{RESCORED} + {RESCORED_BY_DIM} / D",
}


class OnDiskConfig(Config):
    """Attributes:
    lists: number of inverted lists; None means about 2 sqrt(N), at least 256 vectors each.
    probes: lists read for a query; None means the fewest that reach `recall`, all of them if none does.
    recall: share of the exact 16 nearest that must be found, 0..1, as for `ivf.IVFConfig`.
    seed: of the k-means and of the sample it trains on.
    """

    lists: int | None = Field(default=None, ge=1)
    probes: int | None = Field(default=None, ge=1)
    recall: float = Field(default=0.97, gt=0, le=1)
    seed: int = 0

    def lists_for(self, size: int) -> int:
        wanted = self.lists or round(2 * math.sqrt(size))
        return max(1, min(wanted, size // POINTS_PER_LIST))


class OnDiskIndex:
    """Inverted lists by inner product over a corpus on disk or in a bucket. Made by `OnDiskIndex.of`.

    Equal scores come by ascending row, as in the exact index.

    Attributes:
        recall: recall@16 against exact search, 0..1, as measured when the probes were tuned; None when they were given.
    """

    def __init__(
        self, lists: Lists, vectors: StoredVectors, spec: IndexSpec, probes: int, recall: float | None
    ) -> None:
        self._lists, self._vectors, self._probes = lists, vectors, probes
        self._spec = spec
        self.recall = recall

    @classmethod
    def of(cls, snapshot: Snapshot, config: OnDiskConfig, workspace: Workspace | None = None) -> OnDiskIndex:
        """Found in the workspace's cache where it fits, else built, and kept there.

        Raises UsageError for a snapshot that is in memory.
        """
        vectors = snapshot.stored
        if not isinstance(vectors, StoredVectors):
            raise UsageError(f"index 'lance' searches a corpus on disk; {snapshot.label} is in memory: take 'exact'")
        config = config.model_copy(update={"lists": config.lists_for(len(snapshot))})
        built = IndexSpec.of("lance", snapshot, {**config.to_dict(), **MADE, "probes": None, "recall": None})
        lists, tuned = Lists.kept(vectors, built, _place(workspace, snapshot, built))
        if config.probes is None and (tuned is None or tuned.target != config.recall):
            tuned = tune(lists.searching(vectors), vectors, config.lists or 1, config.recall)
            lists.note(built, tuned)
        probes, recall = (config.probes, None) if config.probes is not None else _chosen(tuned)
        spec = IndexSpec.of("lance", snapshot, {**config.to_dict(), **MADE, "probes": probes})
        return cls(lists, vectors, spec, probes, recall)

    @property
    def spec(self) -> IndexSpec:
        return self._spec

    def search(self, queries: np.ndarray, k: int, excluded: np.ndarray | None = None) -> Neighbours:
        return self._lists.search(
            self._vectors, self._probes, check_search(self._spec, queries, k, excluded), k, excluded
        )


def _chosen(tuned: Tuned | None) -> tuple[int, float]:
    assert tuned is not None
    return tuned.probes, tuned.recall


def _place(workspace: Workspace | None, snapshot: Snapshot, spec: IndexSpec) -> Path | None:
    return workspace.cache / "indexes" / f"{snapshot.label}-{spec.fingerprint}.lance" if workspace else None


class Lists:
    """The lists themselves, in a folder of their own; a temporary one goes when they do."""

    def __init__(self, folder: Path, *, temporary: bool = False) -> None:
        import lance

        self._folder, self._temporary = folder, temporary
        if temporary:
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._dataset: lance.LanceDataset = lance.dataset(str(folder))
        fragments = [(fragment.fragment_id, fragment.count_rows()) for fragment in self._dataset.get_fragments()]
        self._firsts = np.zeros(1 + max(number for number, _ in fragments), dtype=np.int64)
        counts = np.cumsum([0, *(count for _, count in fragments)])
        self._firsts[[number for number, _ in fragments]] = counts[:-1]
        self._size = int(counts[-1])

    @classmethod
    def kept(cls, vectors: StoredVectors, spec: IndexSpec, folder: Path | None) -> tuple[Lists, Tuned | None]:
        """Those in `folder` and their tuning, if its record says that they are what `spec` describes; else new ones."""
        if folder is None:
            return cls(_build(vectors, spec, Path(mkdtemp(prefix="nextvec-index-"))), temporary=True), None
        if (found := cls._found_in(folder, spec)) is None:
            with _building(folder):
                if (found := cls._found_in(folder, spec)) is None:
                    _replace(folder, vectors, spec)
                    return cls(folder), None
        return found

    @classmethod
    def _found_in(cls, folder: Path, spec: IndexSpec) -> tuple[Lists, Tuned | None] | None:
        """None for whatever is not whole."""
        try:
            record = read_json(_record(folder))
            tuned = record.pop("tuned", None)
            return (cls(folder), tuned and Tuned(**tuned)) if record == _described(spec) else None
        except (IntegrityError, OSError, ValueError):
            return None

    def note(self, spec: IndexSpec, tuned: Tuned) -> None:
        if not self._temporary:
            write_json(_record(self._folder), {**_described(spec), "tuned": tuned._asdict()})

    def searching(self, vectors: StoredVectors) -> Any:
        """What `tune` asks."""

        def search(probes: int, queries: np.ndarray, k: int, excluded: np.ndarray) -> Neighbours:
            return self.search(vectors, probes, queries, k, excluded)

        return search

    def search(
        self,
        vectors: StoredVectors,
        probes: int,
        queries: np.ndarray,
        k: int,
        excluded: np.ndarray | None = None,
    ) -> Neighbours:
        """The best `k` of the rows that are best by their codes, scored with the vectors themselves."""
        found = (self._allowed(query, probes, k, excluded) for query in queries)
        best = [scored(vectors, query, np.sort(rows)) for query, rows in zip(queries, found, strict=True)]
        return Neighbours.best_of(best, k)

    def _allowed(self, query: np.ndarray, probes: int, k: int, excluded: np.ndarray | None) -> np.ndarray:
        """Enough rows that are not excluded; lists are read and rows asked for until there are, or nothing is left."""
        wanted = min(self._size, math.ceil(max(k, LEAST) * (RESCORED + RESCORED_BY_DIM / len(query))))
        out = 0 if excluded is None else int(excluded.sum())
        left, asked = min(k, self._size - out), min(self._size, wanted + min(out, MOST_MORE * wanted))
        while True:
            rows = self._found(query, probes, asked)
            allowed = rows if excluded is None else rows[~excluded[rows]]
            if len(allowed) >= left or (asked == self._size and probes >= self._size):
                return allowed[:wanted]
            asked, probes = min(self._size, 4 * asked), min(self._size, 4 * probes)

    def _found(self, query: np.ndarray, probes: int, count: int) -> np.ndarray:
        near = {"column": "vector", "q": query, "k": count, "nprobes": probes, "metric": "cosine"}
        table = self._dataset.to_table(columns=["_distance"], with_row_id=True, nearest=near)
        numbers = table["_rowid"].to_numpy().astype(np.int64)
        return self._firsts[numbers >> 32] + (numbers & 0xFFFFFFFF)


@contextmanager
def _building(folder: Path) -> Iterator[None]:
    """One process at a time; whoever waits for it finds what it has built."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _replace(folder: Path, vectors: StoredVectors, spec: IndexSpec) -> None:
    """The record goes first and comes back last, so that it never describes other lists than those beside it."""
    _record(folder).unlink(missing_ok=True)
    with storing("the index", folder.parent, "The corpus itself is complete"):
        fresh = _build(vectors, spec, folder.with_suffix(".partial"))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(fresh, folder)
    write_json(_record(folder), {**_described(spec), "tuned": None})


def _build(vectors: StoredVectors, spec: IndexSpec, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    clone = clone_vectors(vectors.dataset, folder)
    centroids = _centroids(vectors, int(spec.options["lists"] or 1), int(spec.options["seed"] or 0))
    clone.create_index(
        "vector", "IVF_RQ", metric="cosine", num_partitions=len(centroids), num_bits=1, ivf_centroids=centroids
    )
    shutil.rmtree(folder / "data", ignore_errors=True)  # copies, of a corpus in a bucket: the lists alone are searched
    return folder


def _centroids(vectors: StoredVectors, lists: int, seed: int) -> np.ndarray:
    """(lists, D) of the type of `vectors`: spherical k-means (Dhillon, Modha 2001) of a sample."""
    wanted = min(len(vectors), lists * TRAINED_PER_LIST)
    rows = np.sort(np.random.default_rng(seed).choice(len(vectors), wanted, replace=False))
    sample = torch.from_numpy(vectors[rows].astype(np.float32))
    order = torch.randperm(wanted, generator=torch.Generator().manual_seed(seed))
    centroids = sample[order[:lists]]
    for _ in range(ITERATIONS):
        nearest = torch.cat([(block @ centroids.T).argmax(dim=1) for block in sample.split(BLOCK_ROWS)])
        sums = torch.zeros_like(centroids).index_add_(0, nearest, sample)
        norms = torch.linalg.vector_norm(sums, dim=1, keepdim=True)
        centroids = torch.where(norms > 0, sums / norms.clamp(min=torch.finfo(norms.dtype).tiny), centroids)
    return centroids.numpy().astype(vectors.dtype)


def _record(folder: Path) -> Path:
    return folder.with_suffix(".lance.json")


def _described(spec: IndexSpec) -> dict[str, Any]:
    import lance

    return {"fingerprint": spec.fingerprint, "spec": spec.to_dict(), "lance": lance.__version__}
