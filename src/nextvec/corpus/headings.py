"""Headings stand beside a text: what is under one is told by where it stands, and none is a sentence of the text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NONE = -1
"""Instead of the number of a heading, where a chunk stands under none."""
_AT_THE_END = re.compile(r"(?:\A|\n)[ ]{0,3}#{1,6}[ \t]+(?P<text>[^\n]*?)(?:[ \t]+#+)?[ \t]*\s*\Z")
"""As CommonMark 0.31 has it, 4.2: closing number signs are no part of it."""
LONGEST = 1000
"""Characters; what has more is no heading, whatever it is marked as."""
PARAGRAPHS_APART = "\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """`text` is one line with a letter or digit in it; `level` counts from 1, the highest, and may leave numbers out;
    `start`: where in the document's text the paragraph begins that it stands above."""

    text: str
    level: int
    start: int


@dataclass(frozen=True, slots=True)
class Title:
    """A heading among paragraphs, on one line."""

    text: str
    level: int


def compose(pieces: Iterable[str | Title]) -> tuple[str, tuple[Heading, ...]]:
    """The text of a document of which `pieces` are the paragraphs, none empty, and its headings in reading order.

    None is what has no letter or digit, what is longer than `LONGEST`, and what no paragraph follows.
    """
    paragraphs: list[str] = []
    headings: list[Heading] = []
    start = 0
    for piece in pieces:
        if isinstance(piece, str):
            paragraphs.append(piece)
            start += len(piece) + len(PARAGRAPHS_APART)
        elif _names_something(piece.text):
            headings.append(Heading(text=piece.text, level=piece.level, start=start))
    text = PARAGRAPHS_APART.join(paragraphs)
    return text, tuple(heading for heading in headings if heading.start < len(text))


def _names_something(text: str) -> bool:
    return len(text) <= LONGEST and any(map(str.isalnum, text))


def without_last_heading(text: str) -> tuple[str, str]:
    """A text that somebody writes on, without the Markdown headings (`## History`) that it ends with, and the last of
    them; empty where it ends with none."""
    last = ""
    while (found := _AT_THE_END.search(text)) and _names_something(found["text"]):
        text, last = text[: found.start()], last or found["text"]
    return text, last


def heading_at(headings: Sequence[Heading], place: int) -> int:
    """The number of the heading that stands last before the character `place` of the text; NONE where none does."""
    return bisect_right(headings, place, key=lambda heading: heading.start) - 1 if headings else NONE
