"""Rows with named columns to documents: what jsonl, parquet and Hugging Face datasets share.

A row is a document, or one piece of a document when there is a position column: then the adjacent rows of one id are
put in order of position and joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from nextvec.config import Config
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.markup.plain import read_plain
from nextvec.errors import UsageError

COMMON_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("doc_id", "id", "document_id", "docid", "_id"),
    "title": ("title", "headline", "name"),
    "text": ("text", "content", "body", "article", "document", "passage"),
    "position": ("position", "paragraph_index", "chunk_index"),
    "source": ("source", "url"),
    "licence": ("licence", "license"),
}


class Columns(Config):
    """Names of the columns that hold each part of a document; None: the first common name that a row has."""

    id: str | None = None
    title: str | None = None
    text: str | None = None
    position: str | None = None
    source: str | None = None
    licence: str | None = None

    def present(self, columns: Iterable[str]) -> list[str]:
        """Those of a table's columns that hold a part of a document. Raises UsageError for a named one it lacks."""
        known = list(columns)
        chosen = [name for name in self.to_dict().values() if name]
        for name in chosen:
            if name not in known:
                raise UsageError.unknown("column", name, known)
        common = {name for names in COMMON_NAMES.values() for name in names}
        return [name for name in known if name in common or name in chosen]

    def value(self, row: Mapping[str, Any], part: str) -> Any:
        """The row's value for a part of a document, or None when it has no such column."""
        chosen = getattr(self, part)
        names = (chosen,) if chosen else COMMON_NAMES[part]
        return next((row[name] for name in names if row.get(name) is not None), None)


@dataclass(frozen=True, slots=True)
class Row:
    """`name` identifies the row in messages and serves as the document's id where the row has none."""

    name: str
    values: Mapping[str, Any]


def documents_from_rows(rows: Iterable[Row | Unusable], columns: Columns, source: str) -> Iterator[Document | Unusable]:
    """One document for each run of adjacent rows that have positions and the same id, and for each other row.

    Args:
        source: what a document's source is where its row does not say.
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
    if problem := _problem(pieces, columns):
        return Unusable(id=identifier, reason=f"{first.name}: {problem}", kind="failed")
    ordered = sorted(pieces, key=lambda piece: columns.value(piece.values, "position") or 0)
    prose = read_plain("\n\n".join(columns.value(piece.values, "text") for piece in ordered))
    return Document(
        id=identifier,
        title=str(columns.value(first.values, "title") or identifier),
        text=prose.text,
        source=str(columns.value(first.values, "source") or source),
        licence=str(columns.value(first.values, "licence") or "unknown"),
        left_out=prose.left_out,
    )


def _identifier(given: Any, name: str) -> str:
    return name if given is None or given == "" else str(given)


def _problem(pieces: list[Row], columns: Columns) -> str | None:
    """Why these rows are no document, or None."""
    for piece in pieces:
        text = columns.value(piece.values, "text")
        if text is None:
            return f"no text: looked for {columns.text or ', '.join(COMMON_NAMES['text'])}; has {_names(piece)}"
        if not isinstance(text, str):
            return f"its text is {type(text).__name__}, expected a string"
    positions = [columns.value(piece.values, "position") for piece in pieces]
    if len(pieces) > 1 and not all(isinstance(position, int | float) for position in positions):
        return f"its positions are not all numbers: {positions[:3]!r}"
    return None


def _names(row: Row) -> str:
    return ", ".join(map(str, row.values)) or "no columns"
