"""JSON lines, plain or gzipped: one document, or one piece of one, on each line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import missing_path, register_source
from nextvec.corpus.sources.rows import Columns, Row, documents_from_rows

_GZIP_MAGIC = b"\x1f\x8b"


@register_source(
    "jsonl",
    suffixes=(".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"),
    sniff=lambda head: head.lstrip().startswith((b'{"', _GZIP_MAGIC)),
)
class JsonlSource:
    """Keys are found by common names (`doc_id` or `id`, `title`, `text`, `source`, `license`) or given as options.

    A line that cannot be used is an `Unusable` that names the line; the rest is read on. Raises NotFoundError.
    """

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        self._path = Path(argument)
        self._columns = Columns.parse(options, owner=f"jsonl file {name}")
        self._name = name
        if not self._path.is_file():
            raise missing_path(self._path)

    def documents(self) -> Iterator[Document | Unusable]:
        return documents_from_rows(self._rows(), self._columns, self._name)

    def _rows(self) -> Iterator[Row | Unusable]:
        number = 0
        try:
            with self._open() as file:
                for number, line in enumerate(file, start=1):
                    if not line.isspace():
                        yield _parse(line, f"{self._name}:{number}")
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            name = f"{self._name}:{number + 1}"
            yield Unusable(id=name, reason=f"{name}: the file is damaged from here on: {error}", kind="failed")

    def _open(self) -> BinaryIO:
        with self._path.open("rb") as file:
            zipped = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        return cast(BinaryIO, gzip.open(self._path, "rb")) if zipped else self._path.open("rb")


def _parse(line: bytes, name: str) -> Row | Unusable:
    try:
        values = json.loads(line)
    except UnicodeDecodeError as error:
        return Unusable(id=name, reason=f"{name}: not UTF-8 at byte {error.start}", kind="failed")
    except (ValueError, RecursionError) as error:
        return Unusable(id=name, reason=f"{name}: not JSON: {error}", kind="failed")
    if not isinstance(values, dict):
        reason = f"{name}: a JSON {type(values).__name__}, expected an object with a text"
        return Unusable(id=name, reason=reason, kind="failed")
    return Row(name, values)
