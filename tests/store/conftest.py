from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from nextvec.corpus.document import Chunk, Document, Unusable
from nextvec.encoders.encoder import EncoderSpec
from nextvec.store.encoded import EncodedDocument
from nextvec.store.metadata import (
    BREAKS_COLUMN,
    HEADING_COLUMN,
    HEADING_VECTORS_COLUMN,
    HEADINGS_COLUMN,
    CorpusMetadata,
)
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

DIM = 8
SPEC = EncoderSpec(name="test", dim=DIM, weights_hash="t")
HEADINGS = (HEADING_COLUMN, HEADINGS_COLUMN, HEADING_VECTORS_COLUMN)
SPLIT = {"salt": "s", "test": 100, "validation": 200}


@dataclass
class ListSource:
    items: Sequence[Document | Unusable]

    def documents(self) -> Iterator[Document | Unusable]:
        return iter(self.items)


@dataclass
class LineChunker:
    """One chunk a line."""

    spec: dict[str, Any] = field(default_factory=lambda: {"name": "lines"})

    def chunks(self, document: Document) -> list[Chunk]:
        chunks, start = [], 0
        for position, line in enumerate(document.text.split("\n")):
            chunks.append(Chunk(text=line, position=position, start=start, end=start + len(line)))
            start += len(line) + 1
        return chunks


def unit_vectors(count: int, *, dim: int = DIM, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def make_document(identity: str, lines: int = 3, text: str | None = None) -> Document:
    content = "\n".join(f"{identity} line {line}" for line in range(lines)) if text is None else text
    return Document(id=identity, title=f"Title {identity}", text=content, source="test", licence="CC0")


def make_encoded(identity: str, lines: int = 3, *, seed: int = 0, dim: int = DIM) -> EncodedDocument:
    document = make_document(identity, lines)
    return EncodedDocument(
        document=document, chunks=LineChunker().chunks(document), vectors=unit_vectors(lines, dim=dim, seed=seed)
    )


class Kit:
    """What the tests of the store build their material with."""

    spec = SPEC
    split = SPLIT
    source = ListSource
    chunker = LineChunker
    vectors = staticmethod(unit_vectors)
    document = staticmethod(make_document)
    encoded = staticmethod(make_encoded)

    def corpus(self, workspace: Workspace, name: str = "c", *, dtype: str = "float16") -> Corpus:
        return Corpus.create(
            workspace, name, encoder=self.spec, chunker={"name": "lines"}, split=self.split, dtype=dtype
        )


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def before_breaks(monkeypatch):
    """Within it corpora are made as they were before there were breaks."""
    with monkeypatch.context() as patched:
        patched.setattr(CorpusMetadata, "schema", schema_without(BREAKS_COLUMN, *HEADINGS))
        yield


@pytest.fixture
def before_headings(monkeypatch):
    """Corpora are made as they were before there were headings, until its `undo`."""
    with monkeypatch.context() as patched:
        patched.setattr(CorpusMetadata, "schema", schema_without(*HEADINGS))
        yield patched


def schema_without(*columns: str) -> Callable[[CorpusMetadata], pa.Schema]:
    schema = CorpusMetadata.schema

    def older(metadata: CorpusMetadata) -> pa.Schema:
        whole = schema(metadata)
        return pa.schema([field for field in whole if field.name not in columns], metadata=whole.metadata)

    return older
