"""JSON in one piece: an array of objects, as pandas writes records, each a document or one piece of one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from nextvec.corpus.document import Unusable
from nextvec.corpus.sources import register_source
from nextvec.corpus.sources.jsonl import BYTE_ORDER_MARK, encoding_of, row_of, with_doubled
from nextvec.corpus.sources.packing import DAMAGED, Unpacked
from nextvec.corpus.sources.rows import ROWS_LEAVE, Columns, Row, RowFile

_BEGIN = re.compile(r"\s*\[\s*(?=\{)")
_BETWEEN = re.compile(r"\s*(?:,\s*|(?=\]))")
_BLOCK = 1 << 20


def _looks_like_array(head: bytes) -> bool:
    return _BEGIN.match(_decoded(head)) is not None


def _decoded(content: bytes) -> str:
    """A bad byte spoils its object alone: what it becomes is no text."""
    return content.decode(encoding_of(content), errors="surrogateescape").lstrip(BYTE_ORDER_MARK)


@register_source("json", sniff=_looks_like_array, options=Columns, leaves=ROWS_LEAVE)
class JsonSource(RowFile[Columns]):
    """A file of any ending that begins with `[{`. Keys are found by common names (`doc_id` or `id`, `title`, `text`,
    `source`, `license`) or given as options. The whole file is held in memory: JSON lines are read as they come.

    An object that cannot be used is an `Unusable` with its number, from 1; the rest is read on. Raises NotFoundError.
    """

    kind, form = "json", Columns

    def _rows(self) -> Iterator[Row | Unusable]:
        try:
            content, problem = self._content()
        except DAMAGED as error:
            yield self._ended(1, error)
            return
        number = 0
        try:
            for number, values in enumerate(_objects(_decoded(content)), 1):
                yield row_of(values, f"{self._name}:{number}", "one after another in the array")
            if problem:
                raise problem
        except (*DAMAGED, ValueError, RecursionError) as error:
            yield self._ended(number + 1, problem or error)

    def _content(self) -> tuple[bytes, Exception | None]:
        """What there is, and what hides the rest."""
        with Unpacked(self._path) as file:
            content = b"".join(iter(lambda: file.read(_BLOCK) or b"", b""))
            return content, file.problem

    def _ended(self, number: int, error: Exception) -> Unusable:
        name, why = f"{self._name}:{number}", "cannot be read from here on"
        return Unusable(id=name, reason=why, detail=str(error), kind="failed")


def _objects(text: str) -> Iterator[Any]:
    """The values of an array. Raises ValueError for what is none, behind those before it."""
    read = json.JSONDecoder(object_pairs_hook=with_doubled).raw_decode
    begin = _BEGIN.match(text)
    place = begin.end() if begin else len(text)
    while not text.startswith("]", place):
        value, place = read(text, place)
        yield value
        if (between := _BETWEEN.match(text, place)) is None:
            raise json.JSONDecodeError("Expecting ',' or ']'", text, place)
        place = between.end()
    if text[place + 1 :].strip():
        raise json.JSONDecodeError("Extra data", text, place + 1)
