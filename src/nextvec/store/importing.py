"""Documents whose vectors somebody gives, into a corpus: those that are stored already are passed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nextvec.corpus.document import Document
from nextvec.errors import DataError
from nextvec.store.encoded import EncodedDocument
from nextvec.store.vectors import Corpus

BATCH_ROWS = 16_384
"""Of a commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """Documents stored and known already, chunks stored; windows read, 0 where it was none that came."""

    corpus: str
    stored: int
    already: int
    windows: int
    chunks: int
    version: int

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def in_batches(documents: Iterable[EncodedDocument]) -> Iterator[list[EncodedDocument]]:
    """Lists of `BATCH_ROWS` chunks or somewhat more, the last one of fewer."""
    batch: list[EncodedDocument] = []
    rows = 0
    for encoded in documents:
        batch.append(encoded)
        rows += len(encoded.chunks)
        if rows >= BATCH_ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def store_new(corpus: Corpus, batches: Iterable[list[EncodedDocument]], *, windows: int = 0) -> ImportReport:
    """One commit a batch, so that a killed import continues. Raises DataError for a document that has changed."""
    stored = already = chunks = 0
    with corpus.writing():
        known = corpus.known_documents()
        for batch in batches:
            new = [encoded for encoded in batch if not _is_known(known, encoded.document, corpus.name)]
            already += len(batch) - len(new)
            stored += len(new)
            chunks += sum(len(encoded.chunks) for encoded in new)
            corpus.append(new)
    corpus.snapshot()  # as after an ingest: leaves the memory map ready
    return ImportReport(
        corpus=corpus.name, stored=stored, already=already, windows=windows, chunks=chunks, version=corpus.version
    )


def _is_known(known: Mapping[str, str], document: Document, corpus: str) -> bool:
    stored = known.get(document.id)
    if stored is not None and stored != document.content_hash:
        raise DataError(
            f"document '{document.id}' differs from the one stored in corpus '{corpus}'. "
            f"Stored documents never change: import into a new corpus name"
        )
    return stored is not None
