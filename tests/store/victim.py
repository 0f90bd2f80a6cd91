"""An ingest to be killed: run in a process of its own by test_kill.py.

Arguments: workspace, and where to die: "none", "slow" (somebody kills it), "hasty" (so, and it commits
all the time), "before:N" or "after:N" (around commit N); and a source, if not the documents of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np

from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.sources import open_source
from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import Progress
from nextvec.store.encoded import EncodedDocument
from nextvec.store.ingest import COMMIT_SECONDS, ingest
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

DOCUMENTS = 300
BLOCK = 4
COMMIT_CHUNKS = 64
"""Some three blocks: a kill may fall between two of one commit."""
PAUSE = 0.01


class Numbers:
    """300 documents of 1 to 12 lines; the short ones are skipped."""

    def documents(self) -> Iterator[Document]:
        for number in range(DOCUMENTS):
            lines = [
                f"line {line} of document {number}, {(number * 7919 + line) % 1009}" for line in range(number % 12 + 1)
            ]
            yield Document(id=f"d{number}", title=f"T{number}", text="\n".join(lines), source="test", licence="CC0")


class Lines:
    spec = {"name": "lines"}  # noqa: RUF012 - a constant that the protocol asks for

    def chunks(self, document: Document) -> list[Chunk]:
        parts = enumerate(filter(None, document.text.split("\n")))
        return [Chunk(text=text, position=position, start=0, end=len(text)) for position, text in parts]


class BatchSensitive:
    """Vectors that depend, in the last digits, on what shares their batch, as those of a network do."""

    def __init__(self, pause: float) -> None:
        self._inner = load_encoder("hashing:32")
        self._pause = pause
        self.spec = self._inner.spec

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        time.sleep(self._pause)
        vectors = self._inner.encode(texts, on_progress)
        vectors += 1e-3 * vectors.mean(axis=0)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Victim(Corpus):
    """Kills its own process around a chosen commit."""

    moment = "none"
    commits = 0

    def append(self, documents: Sequence[EncodedDocument]) -> int:
        Victim.commits += 1
        self._die_at("before")
        version = super().append(documents)
        self._die_at("after")
        return version

    def _die_at(self, side: str) -> None:
        if self.moment == f"{side}:{Victim.commits}":
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder: str, moment: str, source: str = "") -> None:
    import nextvec.store.ingest

    Victim.moment = moment
    nextvec.store.ingest.Corpus = Victim  # type: ignore[misc]
    encoder = BatchSensitive(PAUSE if moment in ("slow", "hasty") else 0.0)
    seconds = 0.0 if moment == "hasty" else COMMIT_SECONDS
    ingest(
        Workspace(folder),
        "c",
        open_source(source) if source else Numbers(),
        Lines(),
        encoder,
        block_documents=BLOCK,
        commit_chunks=COMMIT_CHUNKS,
        commit_seconds=seconds,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
