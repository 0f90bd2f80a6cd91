"""CSV and TSV, as spreadsheets and pandas write them: one document, or one piece of one, in each row."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping

from pydantic import Field

from nextvec.corpus.document import Unusable
from nextvec.corpus.encodings import Encoding
from nextvec.corpus.sources import register_source
from nextvec.corpus.sources.checked import encoding_problem
from nextvec.corpus.sources.packing import DAMAGED, Unpacked
from nextvec.corpus.sources.rows import ROWS_LEAVE, Columns, Row, RowFile, missing_text, twice

_SEPARATORS = (",", ";", "\t", "|")
_LONGEST_CELL = 2**31 - 1
"""Characters; the library's own limit is less than a long article. A C long has as many everywhere."""
_HEAD = 1 << 16


class SeparatedColumns(Columns):
    """`separator`: one character; None: the one of `,` `;` `|` and the tab that the first line has most of. `encoding`:
    a label of the web or of Python, for example windows-1252; None: as the file's first bytes say, else UTF-8."""

    separator: str | None = Field(None, min_length=1, max_length=1)
    encoding: Encoding | None = None


@register_source("csv", suffixes=(".csv", ".tsv"), options=SeparatedColumns, leaves=ROWS_LEAVE)
class SeparatedSource(RowFile[SeparatedColumns]):
    """The first line names the columns, which are found by common names or given as options. A row that cannot be used
    is an `Unusable` that names its line; the rest is read on.

    Raises NotFoundError, and UsageError for a column that the file does not have.
    """

    kind, form = "csv", SeparatedColumns

    def _rows(self) -> Iterator[Row | Unusable]:
        lines = _Lines()
        try:
            with Unpacked(self._path) as file:
                yield from self._read(lines.of(self._text(file)), lines)
                if file.problem:
                    raise file.problem
        except (*DAMAGED, UnicodeDecodeError) as error:
            yield self._unusable(lines.next, "cannot be read from here on", str(error))

    def _text(self, file: Unpacked) -> io.TextIOWrapper:
        buffered = io.BufferedReader(file, _HEAD)
        codec = self._columns.encoding or _codec(buffered.peek(_HEAD))
        return io.TextIOWrapper(buffered, codec, errors="surrogateescape", newline="")

    def _read(self, lines: Iterator[str], at: _Lines) -> Iterator[Row | Unusable]:
        first = next(lines, "")
        separator = self._columns.separator or max(_SEPARATORS, key=first.count)
        csv.field_size_limit(_LONGEST_CELL)
        rows = _parsed(_with_first(first, lines), separator)
        names = next(rows, [])
        if isinstance(names, str):
            yield self._unusable(1, "not CSV", names)
            return
        wanted = self._columns.present(names)
        if doubled := [name for name, times in Counter(names).items() if times > 1 and name in wanted]:
            yield Unusable(id=self._name, reason="a column is there twice", detail=twice(doubled), kind="failed")
            return
        begin = at.next
        for cells in rows:
            row = self._row(begin, names, cells) if cells else None
            if isinstance(row, Row) and not self._columns.holds(row.values, "text"):
                yield self._table(row)
                return
            if row:
                yield row
            begin = at.next

    def _table(self, row: Row) -> Unusable:
        """A file without a column of text is one of data, as folders hold beside texts: told once, not row by row."""
        detail = missing_text(row, self._columns, self._name)
        return Unusable(id=self._name, reason="no column of text", detail=detail, kind="skipped")

    def _row(self, line: int, names: list[str], cells: list[str] | str) -> Row | Unusable:
        if isinstance(cells, str):
            return self._unusable(line, "not CSV", cells)
        if len(cells) != len(names):
            told = f"it has {len(cells)} cells, and the first line names {len(names)} columns"
            return self._unusable(line, "cells and columns do not match", told)
        if encoding_problem("".join(cells)):  # of bytes that were let through, so that they spoil their row alone
            advice = f"Save it as UTF-8, or name its encoding, for example {self._name}?encoding=windows-1252"
            return self._unusable(line, f"not {self._columns.encoding or 'UTF-8'}", advice)
        values = {name: cell or None for name, cell in zip(names, cells, strict=True)}
        return Row(f"{self._name}:{line}", {**values, **self._positions(values)})

    def _positions(self, values: Mapping[str, str | None]) -> dict[str, float]:
        """Those of its columns that hold a position, as numbers."""
        found = {name: value for name in self._columns.names("position") if (value := values.get(name))}
        return {name: number for name, value in found.items() if (number := _number(value)) is not None}

    def _unusable(self, line: int, reason: str, detail: str) -> Unusable:
        return Unusable(id=f"{self._name}:{line}", reason=reason, detail=detail, kind="failed")


class _Lines:
    """Lines of a file, and the number of the `next` one, from 1."""

    def __init__(self) -> None:
        self.next = 1

    def of(self, text: io.TextIOWrapper) -> Iterator[str]:
        for line in text:
            self.next += 1
            yield line


def _parsed(lines: Iterator[str], separator: str) -> Iterator[list[str] | str]:
    """The cells of each row; of one that is no CSV, why."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield f"{error}; within quotation marks, one is written twice"


def _with_first(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _codec(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
