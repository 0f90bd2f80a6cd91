"""Real text and real vectors, the same for every benchmark: shared/data/wikipedia, or without it the Python manual."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document
from nextvec.corpus.sources import open_source
from nextvec.encoders import load_encoder
from nextvec.store.ingest import ingest
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import open_snapshot
from nextvec.workspace import Workspace
from record import ROOT

DATA = ROOT.parent / "shared" / "data"
WIKIPEDIA = DATA / "wikipedia.jsonl.gz"
DOCUMENTS = 700


def source() -> str:
    """The reference of the text, as `open_source` takes it."""
    return str(WIKIPEDIA) if WIKIPEDIA.exists() else "pydocs:"


def source_name() -> str:
    return Path(source()).name


def sentences_of(reference: str) -> Iterator[list[str]]:
    """The sentences of each usable document."""
    chunker = build_chunker("sentence")
    for item in open_source(reference).documents():
        if isinstance(item, Document):
            yield [chunk.text for chunk in chunker.chunks(item)]


def sentences(count: int) -> list[str]:
    """The first `count` sentences."""
    return list(islice((text for document in sentences_of(source()) for text in document), count))


def real_snapshot(workspace: Path, documents: int = DOCUMENTS) -> Snapshot:
    """The first `documents` documents, encoded with MiniLM; ingested on the first call, which takes minutes.

    An ingest that was stopped goes on.
    """
    place, name = Workspace(workspace), f"first-{documents}"
    ingest(place, name, open_source(source()), build_chunker("sentence"), load_encoder("minilm"), limit=documents)
    return open_snapshot(place, name)


def add_corpus_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpus", help="NAME[@TAG] of a corpus in the workspace")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="without --corpus")


def chosen_snapshot(options: argparse.Namespace) -> Snapshot:
    """What `add_corpus_options` asked for."""
    if options.corpus:
        return open_snapshot(Workspace(options.workspace), options.corpus)
    return real_snapshot(options.workspace, options.documents)


def dataset(snapshot: Snapshot) -> str:
    return f"{len(snapshot):,} vectors of {snapshot.dim} dimensions of corpus {snapshot.label}"
