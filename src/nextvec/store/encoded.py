"""Encoded documents: what goes into a corpus, and the checks on its way in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nextvec.corpus.document import Chunk, Document
from nextvec.encoders.lengths import Cut
from nextvec.errors import DataError
from nextvec.store.breaks import breaks_by_spans

NORM_TOLERANCE = 1e-2


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedDocument:
    """A document, its chunks in order, and their vectors: float32 (n, D), unit norm.

    cut: how many of its chunks are longer than the encoder reads.
    """

    document: Document
    chunks: list[Chunk]
    vectors: np.ndarray
    cut: Cut = field(default_factory=Cut)


def check_vectors(encoded: EncodedDocument, dim: int) -> np.ndarray:
    """The vectors themselves. Raises DataError naming the document and chunk: shape, NaN, zero, not unit norm."""
    vectors, owner = encoded.vectors, f"document '{encoded.document.id}'"
    if not encoded.chunks or vectors.shape != (len(encoded.chunks), dim):
        raise DataError(f"{owner}: vectors {vectors.shape} for {len(encoded.chunks)} chunks, expected (chunks, {dim})")
    problem = first_bad_vector(vectors)
    if problem is not None:
        raise DataError(f"{owner}: the vector of chunk {problem[0]} {problem[1]}; nothing of the document was stored")
    return vectors


def first_bad_vector(vectors: np.ndarray, tolerance: float = NORM_TOLERANCE) -> tuple[int, str] | None:
    """(row, what is wrong with it) of the first of (n, D) vectors that is not finite, zero, or not of norm 1."""
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


def digest(chunks: Sequence[Chunk], vectors: np.ndarray, breaks: np.ndarray) -> str:
    """16 hexadecimal digits of what is stored of a document: texts, spans, vectors, and breaks (n,) int8.

    Breaks that follow from the spans add nothing: such corpora have the fingerprints they had before there were breaks.
    """
    state = hashlib.blake2b(digest_size=8)
    for chunk in chunks:
        state.update(f"{chunk.start}:{chunk.end}:{chunk.text}\0".encode())
    state.update(vectors.reshape(-1).view(np.uint8).data)
    if (breaks != breaks_by_spans(chunks)).any():
        state.update(breaks.tobytes())
    return state.hexdigest()
