"""What every source passes through before its documents are used: unique ids, enough text, a limit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from nextvec.corpus.document import Document, Source, Unusable, documents_of
from nextvec.corpus.prose import MIN_WORDS, count_words, has_words, visible

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NO_TEXT = frozenset(("markup", "script", "comment", "control characters", "title"))


@dataclass(frozen=True)
class CheckedSource:
    """The documents of `source` up to `limit` usable ones; unusable ones become `Unusable`, with the reason.

    Keeps 8 bytes of hash per document (about 100 bytes as Python stores them) to notice an id that comes twice.
    """

    source: Source
    limit: int | None = None

    def documents(self) -> Iterator[Document | Unusable]:
        seen: set[bytes] = set()
        usable = 0
        for found in documents_of(self.source):
            item = _examine(found, seen) if isinstance(found, Document) else _readable(found)
            yield item
            usable += isinstance(item, Document)
            if usable == self.limit:
                return


def _examine(document: Document, seen: set[bytes]) -> Document | Unusable:
    for part in ("id", "title", "text", "source", "licence"):
        if problem := unwritable(part, getattr(document, part)):
            return _unusable(document, problem[0], "failed", problem[1])
    if of_headings := encoding_problem("\n".join(heading.text for heading in document.headings)):
        return _unusable(document, "its headings cannot be written as UTF-8", "failed", f"one {of_headings}")
    digest = hashlib.blake2b(document.id.encode(), digest_size=8).digest()
    if digest in seen:
        return _unusable(document, "its id was given to an earlier document", "failed")
    seen.add(digest)
    return _long_enough(document)


def unwritable(part: str, text: str) -> tuple[str, str] | None:
    """Why a part of a document cannot be kept (reason, detail), or None. Asked of a text before a reader of its markup
    replaces what is wrong with it."""
    problem = encoding_problem(text)
    return (f"its {part} cannot be written as UTF-8", f"it {problem}") if problem else None


def writable(text: str) -> str:
    """With what cannot be written in UTF-8 as an escape, for messages."""
    return text.encode(errors="backslashreplace").decode()


def encoding_problem(text: str) -> str | None:
    """What keeps `text` from being written as UTF-8; None when nothing does."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"has half a surrogate pair at character {error.start}"
    return None


def on_one_line(text: str) -> str:
    """A file's name, or what a library says of its content, as Unicode: bytes that are no UTF-8 and control characters
    as `\\xff`."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


def _readable(item: Unusable) -> Unusable:
    return replace(item, id=on_one_line(item.id), detail=on_one_line(item.detail))


def _long_enough(document: Document) -> Document | Unusable:
    if has_words(document.text, MIN_WORDS):
        return document
    words = count_words(document.text)
    if not words:
        return _without_words(document)
    return _unusable(document, "too short", "skipped", f"{words} words, at least {MIN_WORDS} wanted")


def _without_words(document: Document) -> Unusable:
    """What holds nothing is empty; of other documents it is told as what most of their text was left out."""
    text = {reason: count for reason, count in document.left_out.items() if reason not in _NO_TEXT}
    if not text:
        return _unusable(document, "empty", "skipped")
    return _unusable(document, "no prose", "skipped", f"most of it is left out as {max(text, key=text.__getitem__)}")


def _unusable(document: Document, reason: str, kind: Literal["skipped", "failed"], detail: str = "") -> Unusable:
    return Unusable(
        id=writable(document.id),
        reason=reason,
        kind=kind,
        detail=detail,
        characters=visible(document.text) + sum(document.left_out.values()),
    )
