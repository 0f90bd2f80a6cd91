"""JSON lines, plain or packed, in UTF-8, UTF-16 or UTF-32: one document, or one piece of one, on each line."""

from __future__ import annotations

import codecs
import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from nextvec.corpus.document import Unusable
from nextvec.corpus.sources import register_source
from nextvec.corpus.sources.packing import DAMAGED, Unpacked
from nextvec.corpus.sources.rows import ROWS_LEAVE, Columns, Row, RowFile

_KINDS = {"list": "a list", "str": "a string", "int": "a number", "float": "a number", "bool": "true or false"}
BYTE_ORDER_MARK = "\ufeff"
_NOT_PACKED = "what stands behind what is packed is not read"
_HEAD = 4
"""Bytes that tell the encoding: a byte order mark, or where the zeros of an ASCII `{` stand."""


def _looks_like_jsonl(head: bytes) -> bool:
    return head.decode(encoding_of(head), errors="ignore").lstrip(f"{BYTE_ORDER_MARK} \t\r\n").startswith('{"')


def encoding_of(head: bytes) -> str:
    """Of a JSON text that begins so: UTF-8, -16 or -32, by the rule that json.loads follows for bytes."""
    return json.detect_encoding(head[:_HEAD])


@register_source(
    "jsonl",
    suffixes=(".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"),
    sniff=_looks_like_jsonl,
    options=Columns,
    leaves=ROWS_LEAVE,
)
class JsonlSource(RowFile[Columns]):
    """Keys are found by common names (`doc_id` or `id`, `title`, `text`, `source`, `license`) or given as options.

    A line that cannot be used is an `Unusable` that names the line; the rest is read on. Raises NotFoundError.
    """

    kind, form = "jsonl", Columns

    def _rows(self) -> Iterator[Row | Unusable]:
        number = 0
        try:
            with Unpacked(self._path) as file:
                for number, line in enumerate(_whole(file), start=1):
                    if not line.isspace():
                        yield _parse(line, f"{self._name}:{number}")
                if file.goes_on:
                    yield Unusable(id=f"{self._name}:{number + 1}", reason=_NOT_PACKED, kind="skipped")
        except (*DAMAGED, UnicodeDecodeError) as error:
            name = f"{self._name}:{number + 1}"
            yield Unusable(id=name, reason="cannot be read from here on", detail=str(error), kind="failed")


def _whole(file: Unpacked) -> Iterator[bytes | str]:
    """Its lines, without what a fault leaves of the last. Raises one of `DAMAGED` for the fault."""
    for line in _lines(io.BufferedReader(file)):
        if not (file.problem and isinstance(_parse(line, ""), Unusable)):
            yield line
    if file.problem:
        raise file.problem


def _lines(file: io.BufferedReader) -> Iterator[bytes | str]:
    """Lines as bytes where they are UTF-8, so that a bad byte spoils its line alone; otherwise decoded.

    Half a surrogate pair is let through: what has one is refused by itself, later and by name.
    """
    encoding = encoding_of(file.peek(_HEAD))
    if not encoding.startswith("utf-8"):
        with io.TextIOWrapper(file, encoding, errors="surrogatepass", newline="\n") as text:
            yield from text
        return
    if encoding == "utf-8-sig":
        file.read(len(codecs.BOM_UTF8))
    yield from file


def _parse(line: bytes | str, name: str) -> Row | Unusable:
    try:
        text = line.decode() if isinstance(line, bytes) else line
        values = json.loads(text.lstrip(BYTE_ORDER_MARK), object_pairs_hook=with_doubled)
    except UnicodeDecodeError as error:
        detail = f"at byte {error.start} of the line. Save the file as UTF-8"
        return Unusable(id=name, reason="not UTF-8", detail=detail, kind="failed")
    except (ValueError, RecursionError) as error:
        detail = f"{error}; expected one whole object on each line"
        return Unusable(id=name, reason="not JSON", detail=detail, kind="failed")
    return row_of(values, name, "one on each line")


def row_of(values: Any, name: str, where: str) -> Row | Unusable:
    """Of a value that `with_doubled` has read; `where` says in errors where such values stand."""
    if not isinstance(values, dict):
        kind = _KINDS.get(type(values).__name__, "null")
        detail = f"it is {kind}, expected an object with a text, {where}"
        return Unusable(id=name, reason="not a JSON object", detail=detail, kind="failed")
    if isinstance(values, _Doubled):
        detail = f"{', '.join(map(repr, values.doubled))}; which one counts, nobody can know"
        return Unusable(id=name, reason="a key is there twice", detail=detail, kind="failed")
    return Row(name, values)


class _Doubled(dict[str, Any]):
    """An object some of whose keys were `doubled`: of each the last value is left, as JSON's readers do."""

    doubled: tuple[str, ...]


def with_doubled(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object from its keys and values; remembered with those that were there twice."""
    if len(values := dict(pairs)) == len(pairs):
        return values
    doubled = _Doubled(values)
    doubled.doubled = tuple(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
    return doubled
