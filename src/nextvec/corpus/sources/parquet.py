"""Parquet files: one document, or one piece of one, in each row; read a batch of rows at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nextvec.corpus.document import Unusable
from nextvec.corpus.sources import register_source
from nextvec.corpus.sources.rows import ROWS_LEAVE, Columns, Row, RowFile, twice

BATCH_ROWS = 256


@register_source(
    "parquet",
    suffixes=(".parquet",),
    sniff=lambda head: head.startswith(b"PAR1"),
    options=Columns,
    leaves=ROWS_LEAVE,
)
class ParquetSource(RowFile[Columns]):
    """Columns are found by common names or given as options. Rows of one document (same id, own positions) must be
    adjacent. Raises NotFoundError, and UsageError for a column that the file does not have."""

    kind, form = "parquet", Columns

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
