"""What a worker does with a block of documents: it cuts and encodes them, as an ingest of one process does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nextvec.corpus.document import Chunker, Document, Unusable
from nextvec.distributed.parcels import items_of, packed_items, parcel, told_of
from nextvec.encoders.encoder import Encoder, require_same_encoder
from nextvec.errors import NextvecError
from nextvec.store.ingest import Encoding, language_of
from nextvec.store.report import IngestReport
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

Items = Sequence[Document | Unusable]
Tools = Callable[[], tuple[Encoder, Chunker]]
"""How a worker gets what it cuts and encodes with; it is pickled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of a block.

    offered: the ids of its documents; `known`: the content hashes of those that were taken for stored already.
    stored: content hashes by id, in order, of those whose rows were made; `kept` counts them, `seen` all others.
    """

    offered: frozenset[str]
    known: Mapping[str, str]
    stored: Mapping[str, str]
    seen: IngestReport
    kept: IngestReport


def encode_block(
    corpus: Corpus, encoder: Encoder, chunker: Chunker, items: Items, known: Mapping[str, str]
) -> tuple[Told, pa.Table | None]:
    """What becomes of a block, and the rows of the documents to be stored, which are numbered from 0."""
    seen, kept = IngestReport(corpus=corpus.name), IngestReport(corpus=corpus.name, language=language_of(chunker))
    encoding = Encoding(
        chunker, encoder, known, seen, keeps_headings=corpus.keeps_headings, progress=lambda documents: None
    )
    documents = encoding.encode(items)
    kept.note_stored(documents)
    told = Told(
        offered=ids_of(items),
        known=known,
        stored={one.document.id: one.document.content_hash for one in documents},
        seen=seen,
        kept=kept,
    )
    return told, corpus.rows(documents, 0) if documents else None


def ids_of(items: Items) -> frozenset[str]:
    return frozenset(item.id for item in items if isinstance(item, Document))


class BlockEncoder:
    """An actor of Ray Data, with an encoder of its own. Errors that are meant for people travel as what is told: in a
    block's place, so that everything before it is stored, and as they are, not as an error of Ray."""

    def __init__(self, workspace: Workspace, corpus: str, tools: Tools) -> None:
        self._workspace = workspace
        self._name = corpus
        self._tools = tools

    def __call__(self, sent: pa.Table) -> Iterator[pa.Table]:
        """From the source's parcel two: one for the driver, and one with what it may never need itself."""
        known = told_of(sent)
        try:
            if isinstance(known, Exception):
                raise known
            told, rows = encode_block(self._corpus, *self._own_tools, items_of(sent), known)
            yield parcel(told=told)
            yield parcel(items=packed_items(sent), rows=rows)
        except (NextvecError, OSError) as error:
            yield parcel(told=error)
            yield parcel()

    @cached_property
    def _corpus(self) -> Corpus:
        return Corpus.open(self._workspace, self._name)

    @cached_property
    def _own_tools(self) -> tuple[Encoder, Chunker]:
        encoder, chunker = self._tools()
        owner = f"corpus '{self._name}'"
        require_same_encoder(self._corpus.metadata.encoder, encoder.spec, left_name=owner, right_name="a worker")
        return encoder, chunker
