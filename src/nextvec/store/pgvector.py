"""Corpora as tables of PostgreSQL with pgvector, to be asked with SQL: one row a chunk.

    doc_id, position     the document, and the chunk's place in it from 0: the primary key
    text, vector         of the chunk; vector(D), of norm 1, with an HNSW index by cosine up to `LARGEST_INDEXED` D
    begins               whether it begins a paragraph; null where that is not known
    heading, heading_number    the heading that it stands under, and which of its document's that is; null for none
    headings             in a document's first row: all of its headings in order, [{"text", "level"}]
    title, source, licence     of the document

What made the vectors is the table's comment, as JSON: `encoder` is its spec.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nextvec.corpus.headings import NONE
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import DataError, MissingDependencyError, UsageError
from nextvec.postgres import Address, connected, has_table, identifier
from nextvec.store.headings import Headings
from nextvec.store.snapshot import Snapshot
from nextvec.structure import BEGINS, CONTINUES

if TYPE_CHECKING:
    import psycopg

COLUMNS = {
    "doc_id": "text NOT NULL",
    "position": "integer NOT NULL",
    "text": "text NOT NULL",
    "begins": "boolean",
    "heading": "text",
    "heading_number": "integer",
    "headings": "jsonb",
    "title": "text NOT NULL",
    "source": "text NOT NULL",
    "licence": "text NOT NULL",
    "vector": "vector({}) NOT NULL",
}
LARGEST_INDEXED = 2000
"""Dimensions: pgvector's HNSW takes no more of its type `vector`."""
BLOCK_DOCUMENTS = 1024
_ADVICE = "Nothing was written. Run the same command again"

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReport:
    """What was written; `indexed`: whether vectors of this dimension can have an index."""

    database: str
    table: str
    documents: int
    chunks: int
    indexed: bool

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def export_table(snapshot: Snapshot, address: Address, table: str, *, replace: bool = False) -> TableReport:
    """Write the snapshot in one transaction, so that there is all of the table or none; memory holds a block of it.

    Raises UsageError for a table that exists, unless it may be replaced; DataError, StorageError for what the server
    says.
    """
    indexed = snapshot.dim <= LARGEST_INDEXED
    with connected(address, advice=_ADVICE) as server:
        if has_table(server, table) and not replace:
            raise UsageError(f"{address} has a table '{table}' already: choose another name, or --replace it")
        _create(server, table, snapshot.dim)
        _fill(server, table, snapshot)
        _finish(server, table, snapshot, indexed=indexed)
    return TableReport(
        database=str(address), table=table, documents=len(snapshot.documents), chunks=len(snapshot), indexed=indexed
    )


def _create(server: psycopg.Connection, table: str, dim: int) -> None:
    from psycopg.sql import SQL

    columns = ", ".join(f"{name} {kind.format(dim)}" for name, kind in COLUMNS.items())
    server.execute("CREATE EXTENSION IF NOT EXISTS vector")
    understand_vectors(server)
    server.execute(SQL("DROP TABLE IF EXISTS {}").format(identifier(table)))
    server.execute(SQL("CREATE TABLE {} ({})").format(identifier(table), SQL(columns)))


def understand_vectors(server: psycopg.Connection) -> None:
    """Vectors of pgvector to and from arrays. Raises MissingDependencyError, DataError for a server without it."""
    import psycopg

    try:
        from pgvector.psycopg import register_vector
    except ImportError:
        raise MissingDependencyError.for_extra("pgvector", "postgres") from None
    try:
        register_vector(server)
    except psycopg.ProgrammingError:
        raise DataError("this data base has no vectors: CREATE EXTENSION vector") from None


def _fill(server: psycopg.Connection, table: str, snapshot: Snapshot) -> None:
    from psycopg.sql import SQL

    copy = SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(identifier(table), SQL(", ".join(COLUMNS)))
    with server.cursor() as cursor, cursor.copy(copy) as sink:
        sink.set_types([kind.split()[0].partition("(")[0] for kind in COLUMNS.values()])
        for row in _rows(snapshot):
            sink.write_row(row)


def _finish(server: psycopg.Connection, table: str, snapshot: Snapshot, *, indexed: bool) -> None:
    """Indices are made of whole tables sooner than row by row."""
    from psycopg.sql import SQL, Literal

    name = identifier(table)
    server.execute(SQL("ALTER TABLE {} ADD PRIMARY KEY (doc_id, position)").format(name))
    if indexed:
        server.execute(SQL("CREATE INDEX ON {} USING hnsw (vector vector_cosine_ops)").format(name))
    made = {"encoder": snapshot.encoder.to_dict(), "chunker": snapshot.chunker, "fingerprint": snapshot.fingerprint}
    server.execute(SQL("COMMENT ON TABLE {} IS {}").format(name, Literal(json.dumps({"nextvec": made}))))


def encoder_of(server: psycopg.Connection, table: str) -> EncoderSpec | None:
    """What a table of ours says that its vectors are of; None for any other."""
    told = server.execute(
        "SELECT obj_description(to_regclass(%s), 'pg_class')", [identifier(table).as_string(server)]
    ).fetchone()
    try:
        made = json.loads(told[0])["nextvec"] if told and told[0] else None
    except (ValueError, TypeError, KeyError):
        return None
    return None if made is None else EncoderSpec.parse(made["encoder"], owner=f"the comment of table '{table}'")


def _rows(snapshot: Snapshot) -> Iterator[Row]:
    for start in range(0, len(snapshot.documents), BLOCK_DOCUMENTS):
        numbers = np.arange(start, min(start + BLOCK_DOCUMENTS, len(snapshot.documents)))
        offsets = snapshot.offsets[start : numbers[-1] + 2]
        texts = snapshot.texts(range(offsets[0], offsets[-1]))
        vectors = snapshot.stored[offsets[0] : offsets[-1]].astype(np.float32)
        for number, headings, (first, end) in zip(numbers, snapshot.headings(numbers), pairwise(offsets), strict=True):
            own = slice(first - offsets[0], end - offsets[0])
            yield from _document_rows(snapshot, int(number), headings, texts[own], vectors[own])


def _document_rows(
    snapshot: Snapshot, number: int, headings: Headings, texts: list[str], vectors: np.ndarray
) -> Iterator[Row]:
    from psycopg.types.json import Jsonb

    document, first = snapshot.documents[number], int(snapshot.offsets[number])
    known = {BEGINS: True, CONTINUES: False}
    told = Jsonb([{"text": one.text, "level": one.level} for one in headings.headings])
    for position, (text, vector) in enumerate(zip(texts, vectors, strict=True)):
        under = int(snapshot.heading[first + position])
        heading = (None, None) if under == NONE else (headings.headings[under].text, under)
        begins = known.get(int(snapshot.breaks[first + position]))
        about = (document.title, document.source, document.licence)
        yield (document.doc_id, position, text, begins, *heading, None if position else told, *about, vector)
