"""An ingest on Ray, run in a process of its own by test_ingest.py, which kills it, or a node under it.

Arguments: the cluster's address, the workspace, how long encoding a block takes. Says `VERSION WAITING` after a block.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np

from nextvec.corpus.document import Chunk, Document, Unusable
from nextvec.corpus.headings import Heading
from nextvec.distributed.cluster import cluster
from nextvec.errors import DataError

DOCUMENTS, BLOCK, COMMIT_CHUNKS = 160, 4, 64


class Mixed:
    """Documents of 1 to 12 lines, some of them with a heading; between them all that does not go in: short ones, what
    the source did not give, what cannot be cut, and documents that were there before, with the same text or another."""

    def documents(self) -> Iterator[Document | Unusable]:
        for number in range(DOCUMENTS):
            yield document(f"d{number}", number)
            if number % 40 == 39:
                yield Unusable(id=f"u{number}", reason="redirect", kind="skipped", characters=7)
                yield document(f"d{number - 10}", number - 10)
                yield document(f"d{number - 11}", number)
                yield Document(id=f"w{number}", title="", text="wrong\nwrong", source="test", licence="CC0")


def document(identity: str, number: int) -> Document:
    lines = [f"line {line} of document {number}, {(number * 7919 + line) % 1009}" for line in range(number % 12 + 1)]
    headings = (Heading(text=f"Heading {number}", level=1, start=0),) if number % 3 == 0 else ()
    text = "\n".join(lines)
    return Document(id=identity, title=f"T{number}", text=text, source="test", licence="CC0", headings=headings)


class Lines:
    spec = {"name": "lines"}  # noqa: RUF012 - a constant that the protocol asks for

    def chunks(self, document: Document) -> list[Chunk]:
        if document.text.startswith("wrong"):
            raise DataError(f"{document.id} is wrong")
        under = 0 if document.headings else -1
        parts = enumerate(document.text.split("\n"))
        return [
            Chunk(text=text, position=position, start=0, end=len(text), begins=position % 2, heading=under)
            for position, text in parts
        ]


class BatchSensitive:
    """Vectors that depend, in the last digits, on what shares their batch, as those of a network may."""

    def __init__(self, pause: float) -> None:
        from nextvec.encoders import load_encoder

        self._inner = load_encoder("hashing:32")
        self._pause = pause
        self.spec = self._inner.spec

    def encode(self, texts: Sequence[str], on_progress: object = None) -> np.ndarray:
        time.sleep(self._pause)
        vectors = self._inner.encode(texts)
        vectors += 1e-3 * vectors.mean(axis=0)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def main(address: str, folder: str, pause: str) -> None:
    with cluster(address, workers=2) as workers:
        from nextvec.distributed.ingest import ingest_on_ray
        from nextvec.workspace import Workspace

        ingest_on_ray(
            Workspace(folder),
            "c",
            Mixed(),
            lambda: (BatchSensitive(float(pause)), Lines()),
            workers=workers,
            block_documents=BLOCK,
            commit_chunks=COMMIT_CHUNKS,
            progress=lambda report, waiting: print(report.version, waiting, file=sys.__stdout__, flush=True),
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
