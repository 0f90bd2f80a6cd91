"""Chunks with vectors that exist already, from PostgreSQL: proved to be of the encoder that is named, and stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.headings import NONE, Heading
from nextvec.corpus.sources.postgres import AGAIN, PostgresOptions, read_only, rows_in_order
from nextvec.encoders.encoder import Encoder, EncoderSpec, require_same_encoder
from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.fingerprint import fingerprint_bytes
from nextvec.postgres import Address, columns_of, connected, require_table
from nextvec.store.encoded import EncodedDocument, first_bad_vector
from nextvec.store.importing import ImportReport, in_batches, store_new
from nextvec.store.ingest import open_or_create
from nextvec.store.pgvector import encoder_of, understand_vectors
from nextvec.store.proving import prove
from nextvec.structure import BEGINS, CONTINUES, UNKNOWN
from nextvec.workspace import Workspace

if TYPE_CHECKING:
    import psycopg

CHUNKER = {"name": "postgresql"}
_BETWEEN = {BEGINS: "\n\n", CONTINUES: " ", UNKNOWN: " "}
_STRUCTURE = ("begins", "heading_number", "headings")


@dataclass(frozen=True, slots=True)
class Table:
    """A relation and its columns, by the part of a chunk that they hold; `name` goes into messages and documents."""

    options: PostgresOptions
    columns: Sequence[str]
    name: str
    vector: str

    def value(self, row: Mapping[str, Any], part: str) -> Any:
        return self.options.value(row, part)


def import_table(
    workspace: Workspace,
    address: Address,
    options: PostgresOptions,
    corpus_name: str,
    encoder: Encoder,
    *,
    split: Mapping[str, Any] | None = None,
    dtype: str | None = None,
) -> ImportReport:
    """Store rows as the chunks that they are, with their vectors, which have norm 1; headings are encoded.

    Of every batch some texts are encoded, and the vectors must be theirs. Documents that are stored already are passed
    over, so a killed import continues.

    Raises MismatchError, with the cosine, for vectors of another encoder; UsageError for columns that are not there;
    DataError for rows that are no chunks, or without a text to prove anything by; StorageError.
    """
    with connected(address, advice=AGAIN) as server:
        read_only(server)
        table = _table(server, options, address)
        declared = encoder_of(server, options.table) if options.table else None
        if declared is not None:
            require_same_encoder(declared, encoder.spec, left_name=table.name, right_name="--encoder")
        corpus = open_or_create(workspace, corpus_name, CHUNKER, encoder.spec, split=split, dtype=dtype)
        rows = rows_in_order(server, options, table.columns, binary=True)
        batches = in_batches(_documents(rows, table, encoder.spec))
        proved = _proved(batches, table.name, encoder, declared=declared is not None)
        return store_new(corpus, (_with_headings(batch, encoder) for batch in proved))


def _table(server: psycopg.Connection, options: PostgresOptions, address: Address) -> Table:
    if options.table:
        require_table(server, options.table, address)
    understand_vectors(server)
    known, vector = columns_of(server, options.relation), options.vector or "vector"
    wanted = options.present(known)
    name = f"{address}/{options.table or 'query'}"
    for part in ("id", "position"):
        if not set(options.names(part)) & set(wanted):
            raise UsageError(f"{name} has no column for {part}; has {', '.join(known)}. Name it: {part}=COLUMN")
    if vector not in known:
        raise UsageError.unknown("column of vectors", vector, known)
    columns = dict.fromkeys([*wanted, vector, *(column for column in _STRUCTURE if column in known)])
    return Table(options, list(columns), name, vector)


def _documents(rows: Iterable[dict[str, Any]], table: Table, encoder: EncoderSpec) -> Iterator[EncodedDocument]:
    for identity, run in groupby(rows, key=lambda row: table.value(row, "id")):
        if identity is None:
            raise DataError(f"{table.name}: a row has no document; expected one in {' or '.join(table.columns)}")
        yield _document(str(identity), list(run), table, encoder)


def _document(identity: str, rows: list[dict[str, Any]], table: Table, encoder: EncoderSpec) -> EncodedDocument:
    """Without the vectors of its headings."""
    owner, first = f"{table.name}: document '{identity}'", rows[0]
    vectors = _vectors(rows, table, encoder, owner)
    texts = [str(table.value(row, "text") or "") for row in rows]
    breaks = [_break(row.get("begins"), place) for place, row in enumerate(rows)]
    numbers = [NONE if row.get("heading_number") is None else int(row["heading_number"]) for row in rows]
    content, starts = _joined(texts, breaks)
    headings = _headings(first.get("headings"), numbers, starts)
    document = Document(
        id=identity,
        title=str(table.value(first, "title") or identity),
        text=content if any(texts) else fingerprint_bytes([vectors.tobytes()]),
        source=str(table.value(first, "source") or table.name),
        licence=str(table.value(first, "licence") or "unknown"),
        headings=headings,
    )
    parts = enumerate(zip(texts, starts, breaks, numbers, strict=True))
    chunks = [
        Chunk(text=text, position=place, start=start, end=start + len(text), begins=begins, heading=number)
        for place, (text, start, begins, number) in parts
    ]
    return EncodedDocument(document=document, chunks=chunks, vectors=vectors)


def _vectors(rows: Sequence[Mapping[str, Any]], table: Table, encoder: EncoderSpec, owner: str) -> np.ndarray:
    """(n, D) float32. Raises DataError for the first that is none, MismatchError for another dimension."""
    found = [_array(row[table.vector]) for row in rows]
    for row, vector in zip(rows, found, strict=True):
        if vector.shape != (encoder.dim,):
            place = f"{owner}, position {table.value(row, 'position')}"
            raise MismatchError(f"{place}: {table.vector} is {_shape(vector)}, expected one of {encoder.describe()}")
    vectors = np.stack(found)
    if problem := first_bad_vector(vectors):
        place = table.value(rows[problem[0]], "position")
        advice = "expected norm 1, as encoders give it: query=SELECT ..., l2_normalize(v) AS vector"
        raise DataError(f"{owner}, position {place}: its vector {problem[1]}; {advice}")
    return vectors


def _array(value: Any) -> np.ndarray:
    if value is None:
        return np.empty(0, np.float32)
    return np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value, dtype=np.float32)


def _shape(vector: np.ndarray) -> str:
    return f"{len(vector)}-D" if vector.size else "null"


def _break(begins: bool | None, place: int) -> int:
    if begins is None:
        return UNKNOWN
    return BEGINS if begins else CONTINUES


def _joined(texts: Sequence[str], breaks: Sequence[int]) -> tuple[str, list[int]]:
    """A text in which the chunks stand one behind the other, and where each of them begins."""
    starts: list[int] = []
    content = ""
    for text, begins in zip(texts, breaks, strict=True):
        content += _BETWEEN[begins] if content else ""
        starts.append(len(content))
        content += text
    return content, starts


def _headings(told: Any, numbers: Sequence[int], starts: Sequence[int]) -> tuple[Heading, ...]:
    """Each at the first chunk that stands under it or a later one."""
    places = [
        next((start for number, start in zip(numbers, starts, strict=True) if number >= own), starts[-1])
        for own in range(len(told or []))
    ]
    return tuple(
        Heading(text=str(one["text"]), level=int(one["level"]), start=place)
        for one, place in zip(told or [], places, strict=True)
    )


def _proved(
    batches: Iterable[list[EncodedDocument]], name: str, encoder: Encoder, *, declared: bool
) -> Iterator[list[EncodedDocument]]:
    """The batches, whose vectors are those of their texts; without texts only where the table names the encoder."""
    for batch in batches:
        if not prove(batch, name, encoder) and not declared:
            raise DataError(f"{name}: without texts nothing shows that its vectors are of {encoder.spec.describe()}")
        yield batch


def _with_headings(batch: list[EncodedDocument], encoder: Encoder) -> list[EncodedDocument]:
    """Encoded all at once."""
    headings = [heading.text for one in batch for heading in one.document.headings]
    if not headings:
        return batch
    ends = np.cumsum([len(one.document.headings) for one in batch])
    vectors = np.split(encoder.encode(headings), ends[:-1])
    return [replace(one, heading_vectors=own) for one, own in zip(batch, vectors, strict=True)]
