"""Encoded documents on their way into a corpus: they wait for one another, so that a commit holds many."""

from __future__ import annotations

import time

from nextvec.store.encoded import EncodedDocument


class Waiting:
    """Documents in order. A commit is due once they have `chunks` chunks, or `seconds` after the last one.

    0 of either: a commit is due whenever a document waits.
    """

    def __init__(self, chunks: int, seconds: float) -> None:
        self._limit = chunks
        self._seconds = seconds
        self._documents: list[EncodedDocument] = []
        self._chunks = 0
        self._since = time.monotonic()

    def __len__(self) -> int:
        return len(self._documents)

    @property
    def due(self) -> bool:
        if not self._documents:
            return False
        return self._chunks >= self._limit or time.monotonic() - self._since >= self._seconds

    def add(self, document: EncodedDocument) -> None:
        self._documents.append(document)
        self._chunks += len(document.chunks)

    def take(self) -> list[EncodedDocument]:
        """Those that wait; from now on none does, and the time to the next commit begins."""
        documents, self._documents = self._documents, []
        self._chunks, self._since = 0, time.monotonic()
        return documents
