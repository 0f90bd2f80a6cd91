"""Rows with named columns to documents: what jsonl, CSV, parquet and Hugging Face datasets share.

A row is a document, or one piece of a document when there is a position column: then the adjacent rows of one id are
put in order of position and joined. The text of a document is what its text column holds; other columns are no text.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from textwrap import shorten
from typing import Any, ClassVar, Generic, Literal, TypeVar
from urllib.parse import quote, urlencode

from nextvec.config import Config
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.markup.html import read_html
from nextvec.corpus.markup.markdown import read_markdown
from nextvec.corpus.markup.text_kinds import read_as_written
from nextvec.corpus.markup.wikitext import strip_wikitext
from nextvec.corpus.prose import Prose, visible
from nextvec.corpus.sources import missing_path
from nextvec.corpus.sources.checked import unwritable, writable
from nextvec.errors import UsageError

COMMON_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("doc_id", "id", "document_id", "docid", "_id"),
    "title": ("title", "headline", "name"),
    "text": ("text", "content", "body", "article", "document", "passage"),
    "position": ("position", "paragraph_index", "chunk_index"),
    "source": ("source", "url"),
    "licence": ("licence", "license"),
}
NAMES_SHOWN, NAME_SHOWN = 12, 60
ROWS_LEAVE = "of the text, what plain text or its markup leaves out; other columns are no text"
Markup = Literal["auto", "plain", "html", "markdown", "wikitext"]
_READ: Mapping[Markup, Callable[[str], Prose]] = {
    "plain": read_as_written,
    "html": read_html,
    "markdown": read_markdown,
    "wikitext": strip_wikitext,
}
_PAGE = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE)
"""How a whole page of HTML begins."""
_BLOCK = re.compile(r"\s*<(body|article|section|main|div|p|h[1-6]|ul|ol|blockquote)(?:\s[^<>]*)?>", re.IGNORECASE)
"""How a part of one begins, which closes again."""
_KINDS = {
    **dict.fromkeys(("int", "float"), "a number"),
    "list": "a list",
    "bool": "true or false",
    "bytes": "bytes that are not UTF-8",
}
_NO_TEXT = {name for part, names in COMMON_NAMES.items() if part != "text" for name in names}


class Columns(Config):
    """Names of the columns that hold each part of a document; None: the first common name that a row has.

    A dot leads into a structure: `text=article.body`. `markup`: what the text is written in; `auto` takes what begins
    as HTML does for HTML, and everything else for plain text.
    """

    id: str | None = None
    title: str | None = None
    text: str | None = None
    position: str | None = None
    source: str | None = None
    licence: str | None = None
    markup: Markup = "auto"

    def names(self, part: str) -> tuple[str, ...]:
        """Where a part of a document is looked for, in order."""
        chosen = getattr(self, part)
        return (chosen,) if chosen else COMMON_NAMES[part]

    def present(self, columns: Iterable[str]) -> list[str]:
        """Those of a table's columns that hold a part of a document; all of them when none holds its text, so that
        the error can say what there is. Raises UsageError for a named one it lacks."""
        known = list(columns)
        chosen = [_column_of(name, known) for part in COMMON_NAMES if (name := getattr(self, part))]
        for name in chosen:
            if name not in known:
                raise UsageError.unknown("column", name, known)
        common = {name for names in COMMON_NAMES.values() for name in names}
        if not self.text and not set(known) & set(COMMON_NAMES["text"]):
            return known
        return [name for name in known if name in common or name in chosen]

    def value(self, row: Mapping[str, Any], part: str) -> Any:
        """The row's value for a part of a document, or None when it has no such column or nothing in it. A blank one
        counts where no other of its columns holds more."""
        found = [_decoded(value) for name in self.names(part) if not is_null(value := _lookup(row, name))]
        return next((value for value in found if not _is_blank(value)), found[0] if found else None)

    def read(self, text: str) -> Prose:
        """The prose of a document's whole text, whatever markup it has."""
        markup = self.markup
        if markup == "auto":
            markup = "html" if _is_html(text) else "plain"
        return _READ[markup](text)

    def holds(self, row: Mapping[str, Any], part: str) -> bool:
        """Whether the row has a column for a part of a document, be there something in it or not."""
        return any(_lookup(row, name, absent := object()) is not absent for name in self.names(part))


def _is_html(text: str) -> bool:
    block = _BLOCK.match(text)
    return bool(_PAGE.match(text)) or (block is not None and f"</{block[1].lower()}>" in text.lower())


def is_null(value: Any) -> bool:
    """None, or the NaN that pandas writes in its place."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _decoded(value: Any) -> Any:
    """Text that was stored as bytes, as some writers of Parquet do, is text all the same."""
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value


def _column_of(name: str, known: list[str]) -> str:
    """The column that a name leads to: itself, or for `a.b` the structure `a`."""
    outer = name.partition(".")[0]
    return outer if name not in known and outer in known else name


def _lookup(row: Mapping[str, Any], name: str, absent: Any = None) -> Any:
    if name in row:
        return row[name]
    outer, dot, inner = name.partition(".")
    within = row.get(outer, absent) if dot else absent
    if isinstance(within, Mapping):
        return _lookup(within, inner, absent)
    return None if within is None else absent


C = TypeVar("C", bound=Columns)


@dataclass(frozen=True, slots=True)
class Row:
    """`name` identifies the row in messages and serves as the document's id where the row has none."""

    name: str
    values: Mapping[str, Any]


class RowFile(ABC, Generic[C]):
    """A file of rows. `kind` names it in errors; `form` is what its options say. Raises NotFoundError."""

    kind: ClassVar[str]
    form: type[C]

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        self._path = Path(argument)
        self._columns = self.form.parse(options, owner=f"{self.kind} file {name}")
        self._name = name
        if not self._path.is_file():
            raise missing_path(self._path)

    def documents(self) -> Iterator[Document | Unusable]:
        return documents_from_rows(self._rows(), self._columns, self._name)

    @abstractmethod
    def _rows(self) -> Iterator[Row | Unusable]: ...


def documents_from_rows(rows: Iterable[Row | Unusable], columns: Columns, source: str) -> Iterator[Document | Unusable]:
    """One document for each run of adjacent rows that have positions and the same id, and for each other row.

    Args:
        source: how the rows are named on the command line: what a document's source is where its row does not say.
    """
    for _, run in groupby(rows, key=lambda row: _run_key(row, columns)):
        pieces = list(run)
        first = pieces[0]
        if isinstance(first, Unusable):
            yield first
        else:
            yield _document([piece for piece in pieces if isinstance(piece, Row)], columns, source)


def _run_key(row: Row | Unusable, columns: Columns) -> object:
    if isinstance(row, Unusable):
        return row
    identifier = columns.value(row.values, "id")
    if identifier is None or columns.value(row.values, "position") is None:
        return row.name
    return (str(identifier),)


def _document(pieces: list[Row], columns: Columns, source: str) -> Document | Unusable:
    first = pieces[0]
    identifier = _identifier(columns.value(first.values, "id"), first.name)
    texts = [columns.value(piece.values, "text") for piece in pieces]
    if problem := _problem(pieces, columns, source):
        reason, detail = problem
        characters = sum(visible(text) for text in texts if isinstance(text, str))
        return Unusable(
            id=writable(identifier),
            reason=reason,
            detail=detail,
            place=first.name,
            kind="failed",
            characters=characters,
        )
    ordered = sorted(pieces, key=lambda piece: columns.value(piece.values, "position") or 0)
    prose = columns.read("\n\n".join(columns.value(piece.values, "text") or "" for piece in ordered))
    return Document(
        id=identifier,
        title=str(columns.value(first.values, "title") or prose.title or identifier),
        text=prose.text,
        source=str(columns.value(first.values, "source") or source),
        licence=str(columns.value(first.values, "licence") or "unknown"),
        left_out=prose.left_out,
        headings=prose.headings,
    )


def _identifier(given: Any, name: str) -> str:
    return name if given is None or given == "" else str(given)


def _problem(pieces: list[Row], columns: Columns, source: str) -> tuple[str, str] | None:
    """Why these rows are no document (reason, detail), or None. A text that is null is empty, and no problem."""
    for piece in pieces:
        text = columns.value(piece.values, "text")
        if not columns.holds(piece.values, "text"):
            return "no text", missing_text(piece, columns, source)
        if not isinstance(text, str | None):
            return "its text is not a string", _wrong_text(text, piece, columns, source)
        if problem := unwritable("text", text or ""):
            return problem
    positions = [columns.value(piece.values, "position") for piece in pieces]
    if len(pieces) > 1 and not all(isinstance(position, int | float) for position in positions):
        return "its positions are not all numbers", repr(positions[:3])
    return None


def twice(doubled: Iterable[str]) -> str:
    """What to say of columns of one name."""
    return f"{', '.join(map(repr, doubled))}; which one counts, nobody can know. Rename one"


def missing_text(row: Row, columns: Columns, source: str) -> str:
    """What to say of a row without a text: where it was looked for, what there is, how to name it."""
    names = [shorten(str(name), NAME_SHOWN, placeholder=" ...") for name in row.values]
    shown = ", ".join(names[:NAMES_SHOWN]) + (f" and {len(names) - NAMES_SHOWN} more" * (len(names) > NAMES_SHOWN))
    return f"looked for {', '.join(columns.names('text'))}; has {shown or 'no columns'}" + _advice(
        row.values, columns, source
    )


def _wrong_text(text: Any, row: Row, columns: Columns, source: str) -> str:
    name = next(name for name in columns.names("text") if _lookup(row.values, name) is text)
    if not isinstance(text, Mapping):
        return f"{name} is {_kind(text)}, expected one string"
    inside = {f"{name}.{key}": value for key, value in text.items()}
    return f"{name} is a structure of {', '.join(map(str, text)) or 'nothing'}" + _advice(inside, columns, source)


def _kind(value: Any) -> str:
    return _KINDS.get(type(value).__name__, f"of type {type(value).__name__}")


def _advice(values: Mapping[str, Any], columns: Columns, source: str) -> str:
    """How to name the column that is most likely the text: a common name in other letters, else the longest string."""
    strings = {name: value for name, value in values.items() if isinstance(value, str) and name.lower() not in _NO_TEXT}
    if not strings:
        return ""
    likely = max(strings, key=lambda name: (name.lower() in COMMON_NAMES["text"], len(strings[name])))
    options = {**columns.model_dump(exclude_defaults=True), "text": likely}
    return f". Name it: {source}?{urlencode(options, quote_via=quote)}"
