"""Encoded documents: what goes into a corpus, and the checks on its way in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from nextvec.corpus.document import Chunk, Document
from nextvec.encoders.lengths import Cut
from nextvec.errors import DataError
from nextvec.store.breaks import breaks_by_spans
from nextvec.store.headings import Headings

NORM_TOLERANCE = 1e-2


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedDocument:
    """A document, its chunks in order, and their vectors: float32 (n, D), unit norm.

    cut: how many of its chunks are longer than the encoder reads.
    heading_vectors: float32 (H, D), unit norm, of the document's headings; None where it has none.
    """

    document: Document
    chunks: list[Chunk]
    vectors: np.ndarray
    cut: Cut = field(default_factory=Cut)
    heading_vectors: np.ndarray | None = None

    @property
    def headings(self) -> int:
        """How many headings have vectors."""
        return 0 if self.heading_vectors is None else len(self.heading_vectors)


def check_vectors(encoded: EncodedDocument, dim: int) -> np.ndarray:
    """The vectors themselves. Raises DataError naming the document and chunk: shape, NaN, zero, not unit norm."""
    vectors, owner = encoded.vectors, f"document '{encoded.document.id}'"
    if not encoded.chunks or vectors.shape != (len(encoded.chunks), dim):
        raise DataError(f"{owner}: vectors {vectors.shape} for {len(encoded.chunks)} chunks, expected (chunks, {dim})")
    problem = first_bad_vector(vectors)
    if problem is not None:
        raise DataError(f"{owner}: the vector of chunk {problem[0]} {problem[1]}; nothing of the document was stored")
    return vectors


def check_headings(encoded: EncodedDocument, dim: int) -> Headings:
    """Those of the document, float32. Raises DataError naming document and heading, as `check_vectors` does."""
    headings, owner = encoded.document.headings, f"document '{encoded.document.id}'"
    if encoded.heading_vectors is None and not headings:
        return Headings.empty(dim, np.dtype(np.float32))
    vectors = np.empty((0, dim), np.float32) if encoded.heading_vectors is None else encoded.heading_vectors
    if vectors.shape != (len(headings), dim):
        raise DataError(f"{owner}: vectors {vectors.shape} for {len(headings)} headings, expected (headings, {dim})")
    problem = first_bad_vector(vectors)
    if problem is not None:
        raise DataError(f"{owner}: the vector of heading {problem[0]} {problem[1]}; nothing of the document was stored")
    return Headings(headings, vectors)


def first_bad_vector(vectors: np.ndarray, tolerance: float = NORM_TOLERANCE) -> tuple[int, str] | None:
    """(row, what is wrong with it) of the first of (n, D) vectors that is not finite, zero, or not of norm 1."""
    if _are_unit(vectors, tolerance):
        return None
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    for wrong, what in (
        (~np.isfinite(norms), "is not finite"),
        (norms == 0, "is zero"),
        (np.abs(norms - 1) > tolerance, "has norm {:.4g}, not norm 1"),
    ):
        if wrong.any():
            row = int(wrong.argmax())
            return row, what.format(norms[row])
    return None


def _are_unit(vectors: np.ndarray, tolerance: float) -> bool:
    """Whether all have norm 1, as far as single precision tells: the quick look. |n - 1| is below |n² - 1|. A zero
    vector has it at no tolerance."""
    limit = min(tolerance, 0.5)
    with np.errstate(over="ignore", invalid="ignore"):
        return vectors.dtype == np.float32 and bool((np.abs(np.vecdot(vectors, vectors) - 1) < limit).all())


def digest(chunks: Sequence[Chunk], vectors: np.ndarray, breaks: np.ndarray, headings: Iterable[bytes] = ()) -> str:
    """16 hexadecimal digits of what is stored of a document: texts, spans, vectors, breaks (n,) int8, and what
    `headings_content` tells of its headings.

    Breaks that follow from the spans add nothing, nor do headings where there are none: such corpora have the
    fingerprints they had before there were breaks and headings.
    """
    state = hashlib.blake2b(digest_size=8)
    state.update("".join([f"{chunk.start}:{chunk.end}:{chunk.text}\0" for chunk in chunks]).encode())
    state.update(vectors.reshape(-1).view(np.uint8).data)
    if (breaks != breaks_by_spans(chunks)).any():
        state.update(breaks.tobytes())
    for part in headings:
        state.update(part)
    return state.hexdigest()
