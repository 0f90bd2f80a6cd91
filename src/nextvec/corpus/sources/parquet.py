"""Parquet files: one document, or one piece of one, in each row; read a batch of rows at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import missing_path, register_source
from nextvec.corpus.sources.rows import ROWS_LEAVE, Columns, Row, documents_from_rows, twice

BATCH_ROWS = 256


@register_source(
    "parquet",
    suffixes=(".parquet",),
    sniff=lambda head: head.startswith(b"PAR1"),
    options=Columns,
    leaves=ROWS_LEAVE,
)
class ParquetSource:
    """Columns are found by common names or given as options. Rows of one document (same id, own positions) must be
    adjacent. Raises NotFoundError, and UsageError for a column that the file does not have."""

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        self._path = Path(argument)
        self._columns = Columns.parse(options, owner=f"parquet file {name}")
        self._name = name
        if not self._path.is_file():
            raise missing_path(self._path)

    def documents(self) -> Iterator[Document | Unusable]:
        return documents_from_rows(self._rows(), self._columns, self._name)

    def _rows(self) -> Iterator[Row | Unusable]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        number = 0
        try:
            with pq.ParquetFile(self._path) as file:
                wanted = self._columns.present(file.schema_arrow.names)
                if doubled := [name for name, times in Counter(wanted).items() if times > 1]:
                    yield self._refused(doubled)
                    return
                for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=wanted):
                    for values in batch.to_pylist():
                        number += 1
                        yield Row(f"{self._name}:{number}", values)
        except (pa.ArrowException, OSError) as error:
            name = f"{self._name}:{number + 1}"
            detail = " ".join(str(error).split())
            yield Unusable(id=name, reason="cannot be read from here on", detail=detail, kind="failed")

    def _refused(self, doubled: list[str]) -> Unusable:
        return Unusable(id=self._name, reason="a column is there twice", detail=twice(doubled), kind="failed")
