"""A corpus as rows of Parquet: one a chunk, in order, with its vector. What a data set of the hub holds of it.

document, title, source, licence, content_hash   of its document, and `number`, the place of that in the corpus
position, text, start, end, vector                of the chunk: start and end are where it was in the document's text
begins                                            1 where it begins a paragraph, 0 where not, -1 where nobody knows
heading, headings, heading_vectors                the number of the heading it stands under, or -1; the first chunk of a
                                                  document has the list of them all
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from nextvec.corpus.document import Chunk, Document
from nextvec.errors import DataError
from nextvec.store.breaks import breaks_of_table
from nextvec.store.encoded import EncodedDocument
from nextvec.store.headings import headings_of_table, numbers_of_table
from nextvec.store.metadata import CorpusMetadata, numpy_dtype

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = {"doc_id": "document", "doc_number": "number"}
"""Columns that are called otherwise than in the corpus."""
LEFT_OUT = "digest"
"""Made again from the others on the way in."""
MAX_RATIO = 100
"""Times its size that a file may unpack to."""
BATCH_ROWS = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDocument(Document):
    """A document whose text is not at hand, but was identified when it was."""

    recorded_hash: str

    @property
    def content_hash(self) -> str:
        return self.recorded_hash


def shared_batch(batch: pa.RecordBatch) -> pa.Table:
    """Rows of a corpus as they are shared."""
    import pyarrow as pa

    table = pa.Table.from_batches([batch]).drop_columns([LEFT_OUT])
    return table.rename_columns([NAMES.get(name, name) for name in table.column_names]).replace_schema_metadata()


def read_documents(files: Sequence[Path], metadata: CorpusMetadata) -> Iterator[tuple[int, EncodedDocument]]:
    """(its number, the document) of consecutive files of one part, in order; what they claim is checked.

    Raises DataError, naming the file, for anything that is not rows of such a corpus.
    """
    rest: pa.Table | None = None
    for file in files:
        for table in _tables(file, metadata):
            whole = table if rest is None else _joined(file, rest, table)
            starts = np.flatnonzero(whole["position"].to_numpy() == 0)
            if not len(starts) or starts[0] != 0:
                _refuse(file, "a document does not begin with its chunk 0")
            for first, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
                yield _document(file, whole.slice(first, end - first), metadata)
            rest = whole.slice(int(starts[-1]))
    if rest is not None:
        yield _document(files[-1], rest, metadata)


def _tables(file: Path, metadata: CorpusMetadata) -> Iterator[pa.Table]:
    """Its rows in the columns of a corpus, of the types that those have."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(file) as opened:
            _require_harmless(file, opened.metadata)
            schema = _schema(file, opened.schema_arrow, metadata)
            for batch in opened.iter_batches(BATCH_ROWS, columns=[NAMES.get(name, name) for name in schema.names]):
                table = pa.Table.from_batches([batch])
                if any(column.null_count for column in table.columns):
                    _refuse(file, "there are rows without a value")
                yield (
                    table.select([NAMES.get(name, name) for name in schema.names])
                    .rename_columns(schema.names)
                    .cast(schema)
                )
    except (pa.ArrowException, OSError) as error:
        _refuse(file, str(error).partition("\n")[0])


def _require_harmless(file: Path, metadata: Any) -> None:
    unpacked = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    if unpacked > MAX_RATIO * max(file.stat().st_size, 1 << 20):
        _refuse(file, f"it unpacks to {unpacked:,} bytes, more than {MAX_RATIO} times its size")


def _schema(file: Path, given: pa.Schema, metadata: CorpusMetadata) -> pa.Schema:
    """Of the corpus, without what a corpus from before it was kept lacks. Raises DataError for missing columns."""
    import pyarrow as pa

    newer = {"begins", "heading", "headings", "heading_vectors"}
    wanted = [field for field in metadata.schema() if field.name != LEFT_OUT]
    there = [field for field in wanted if NAMES.get(field.name, field.name) in given.names]
    missing = {NAMES.get(field.name, field.name) for field in wanted if field not in there} - newer
    if missing:
        _refuse(file, f"it has no column {', '.join(sorted(missing))}")
    return pa.schema([pa.field(field.name, field.type) for field in there])


def _joined(file: Path, rest: pa.Table, table: pa.Table) -> pa.Table:
    import pyarrow as pa

    if rest.column_names != table.column_names:
        _refuse(file, "it has other columns than the file before it")
    return pa.concat_tables([rest, table]).combine_chunks()


def _document(file: Path, table: pa.Table, metadata: CorpusMetadata) -> tuple[int, EncodedDocument]:
    table = table.combine_chunks()
    first = table.slice(0, 1).to_pylist()[0]
    _require_one(file, table, first["doc_id"])
    (headings,) = headings_of_table(table.slice(0, 1), metadata.dim, numpy_dtype(metadata.dtype))
    document = RecordedDocument(
        id=first["doc_id"], title=first["title"], text="", source=first["source"], licence=first["licence"],
        headings=headings.headings, recorded_hash=first["content_hash"],
    )  # fmt: skip
    numbers = (table["start"], table["end"], breaks_of_table(table), numbers_of_table(table))
    parts = zip(
        table["text"].to_pylist(),
        *(column.tolist() if isinstance(column, np.ndarray) else column.to_pylist() for column in numbers),
        strict=True,
    )
    chunks = [
        Chunk(text=text, position=position, start=start, end=end, begins=begins, heading=heading)
        for position, (text, start, end, begins, heading) in enumerate(parts)
    ]
    vectors = table["vector"].chunk(0).flatten().to_numpy().reshape(-1, metadata.dim).astype(np.float32)
    encoded = EncodedDocument(
        document=document, chunks=chunks, vectors=vectors, heading_vectors=headings.vectors.astype(np.float32)
    )
    return first["doc_number"], encoded


def _require_one(file: Path, table: pa.Table, doc_id: str) -> None:
    """Raises DataError unless the rows are those of one document, whole and in order."""
    for name in ("doc_id", "doc_number", "title", "source", "licence", "content_hash"):
        if len(table[name].unique()) != 1:
            _refuse(file, f"the chunks of document '{doc_id}' differ in {NAMES.get(name, name)}")
    if not np.array_equal(table["position"].to_numpy(), np.arange(len(table))):
        _refuse(file, f"the chunks of document '{doc_id}' are not at positions 0 to {len(table) - 1}, in order")


def _refuse(file: Path, what: str) -> NoReturn:
    raise DataError(f"{file.name}: {what}; expected rows as `nextvec corpus export --format hf` writes them")
