"""Headings in NPZ files: H of them, those of a document in reading order.

    headings [N, k + 1], of each vector of a window the number of its heading among those of its document, or -1
    heading_doc_ids [H]   heading_texts [H]   heading_levels [H]   heading_vectors [H, D]

All of these or none. Where a heading stands in the text is not told, as there is no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nextvec.corpus.headings import NONE, Heading
from nextvec.store.archive import Archive
from nextvec.store.headings import Headings
from nextvec.store.npz_codes import NUMBERS
from nextvec.store.npz_columns import (
    INTEGER,
    TEXT,
    TEXT_OR_INTEGER,
    check_column,
    rows_by_document,
    texts_of,
    unpack_vectors,
)
from nextvec.store.snapshot import Snapshot

DOC_IDS, TEXTS, LEVELS, VECTORS = "heading_doc_ids", "heading_texts", "heading_levels", "heading_vectors"
LISTS = (DOC_IDS, TEXTS, LEVELS, VECTORS)
BLOCK_DOCUMENTS = 1024
LOWEST_LEVEL = 100

Member = tuple[str, tuple[int, ...], np.dtype[Any], Iterator[np.ndarray]]
"""Key, shape, type and blocks of an array."""


def list_members(snapshot: Snapshot, documents: np.ndarray) -> Iterator[Member]:
    """The arrays by heading of these documents, by number, of which one has a heading; read in blocks of documents."""
    parts = [documents[start : start + BLOCK_DOCUMENTS] for start in range(0, len(documents), BLOCK_DOCUMENTS)]
    counts = [len(own) for part in parts for own in snapshot.headings(part)]
    longest = max(len(one.text) for part in parts for one in _told(snapshot, part))
    ids = np.repeat([snapshot.documents.ids[number] for number in documents], counts)
    texts = (np.array([one.text for one in _told(snapshot, part)]) for part in parts)
    levels = (np.array([one.level for one in _told(snapshot, part)]) for part in parts)
    vectors = (np.concatenate([own.vectors for own in snapshot.headings(part)]) for part in parts)
    yield DOC_IDS, (len(ids),), ids.dtype, iter([ids])
    yield TEXTS, (len(ids),), np.dtype(f"U{longest}"), texts
    yield LEVELS, (len(ids),), np.dtype("<i4"), levels
    yield VECTORS, (len(ids), snapshot.dim), np.dtype("<f4"), vectors


def _told(snapshot: Snapshot, documents: np.ndarray) -> list[Heading]:
    return [one for own in snapshot.headings(documents) for one in own.headings]


def check_headings(archive: Archive, windows: int, length: int, dim: int) -> None:
    """Raises DataError unless all arrays are there, with types and shapes that fit, or none is."""
    present = [key for key in (NUMBERS.key, *LISTS) if key in archive.headers]
    if not present:
        return
    if len(present) <= len(LISTS):
        archive.refuse(present[0], f"found {', '.join(present)} alone", f"{NUMBERS.key}, {', '.join(LISTS)}, or none")
    NUMBERS.check_header(archive, windows, length)
    vectors = archive.headers[VECTORS]
    if vectors.dtype.kind != "f" or len(vectors.shape) != 2 or vectors.shape[1] != dim or 0 in vectors.shape:
        archive.refuse(VECTORS, vectors, f"float [H, {dim}], not empty")
    archive.check_ratio(VECTORS)
    for key, kinds in ((DOC_IDS, TEXT_OR_INTEGER), (TEXTS, TEXT), (LEVELS, INTEGER)):
        check_column(archive, key, vectors.shape[0], kinds, what="heading")


@dataclass(frozen=True, slots=True)
class HeadingLists:
    """Unpacked content: texts, levels and a map of the vectors (H, D) of all headings, and which are a document's."""

    texts: Sequence[str]
    levels: Sequence[int]
    vectors: np.ndarray
    rows: Mapping[str, np.ndarray]

    def of(self, identity: str) -> Headings:
        rows = self.rows.get(identity, np.empty(0, dtype=np.int64))
        told = (Heading(text=self.texts[row], level=self.levels[row], start=0) for row in rows.tolist())
        return Headings(tuple(told), self.vectors[rows])


def read_headings(archive: Archive, folder: Path, dim: int) -> HeadingLists:
    """Empty for a file without. `folder` takes the unpacked vectors. Raises DataError for bad ones."""
    if VECTORS not in archive.headers:
        return HeadingLists((), (), np.empty((0, dim), dtype=np.float32), {})
    return HeadingLists(
        texts_of(archive, TEXTS),
        _levels(archive),
        unpack_vectors(archive, VECTORS, folder / VECTORS, archive.headers[VECTORS].shape),
        rows_by_document(texts_of(archive, DOC_IDS), None),
    )


def _levels(archive: Archive) -> list[int]:
    levels = archive.column(LEVELS)
    wrong = np.flatnonzero((levels < 1) | (levels > LOWEST_LEVEL))
    if len(wrong):
        archive.refuse(LEVELS, f"{levels[wrong[0]]} at [{wrong[0]}]", f"levels from 1, the highest, to {LOWEST_LEVEL}")
    return [int(level) for level in levels]


def require_listed(archive: Archive, identity: str, numbers: np.ndarray, known: int) -> None:
    """Raises DataError for a number (n,) that none of the document's `known` headings has."""
    if numbers.max(initial=NONE) >= known:
        archive.refuse(
            NUMBERS.key, f"{numbers.max()} in document '{identity}', which has {known} headings", NUMBERS.expected
        )
