"""Headings stand beside a text: what is under one is told by where it stands, and none is a sentence of the text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

NONE = -1
"""Instead of the number of a heading, where a chunk stands under none."""
_MARKED = re.compile(r"[ ]{0,3}#{1,6}[ \t]+(?P<text>.*)", re.DOTALL)
"""A line that is a heading, as CommonMark 0.31 has it, 4.2. Read line by line: in one pattern for a whole text, a few
hundred blanks within a heading took minutes."""
_RULE = re.compile(r"[ ]{0,3}(?:={3,}|-{3,})[ \t\r]*")
"""A line below a heading that stands alone, as CommonMark 0.31 has it, 4.3."""
_SIGNS = '*#=-~^"'
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
    text, headings = _composed(pieces)
    return text, tuple(heading for heading in headings if heading.start < len(text))


def _composed(pieces: Iterable[str | Title]) -> tuple[str, tuple[Heading, ...]]:
    """The same with headings that no paragraph follows: they start where one would."""
    paragraphs: list[str] = []
    headings: list[Heading] = []
    start = 0
    for piece in pieces:
        if isinstance(piece, str):
            paragraphs.append(piece)
            start += len(piece) + len(PARAGRAPHS_APART)
        elif _names_something(piece.text):
            headings.append(Heading(text=piece.text, level=piece.level, start=start))
    return PARAGRAPHS_APART.join(paragraphs), tuple(headings)


def _names_something(text: str) -> bool:
    return len(text) <= LONGEST and any(map(str.isalnum, text))


def beside_headings(text: str) -> tuple[str, tuple[Heading, ...]]:
    """A text that somebody writes on as a source would give it: without its headings, in Markdown (`## History`, or
    underlined) or in wikitext (`== History ==`), and they, those at its end as well, which stand above what comes next.
    """
    return _composed(_pieces(text))


def _pieces(text: str) -> Iterator[str | Title]:
    """Its headings, and as they are the lines between them, where those are not blank."""
    between: list[str] = []
    for line in text.split("\n"):
        title = _title(line) or _titled(line) or _underlined(between, line)
        if title is None:
            between.append(line)
            continue
        yield from _not_blank(between)
        yield title
        between = []
    yield from _not_blank(between)


def _not_blank(lines: Sequence[str]) -> Iterator[str]:
    text = "\n".join(lines)
    if text.strip():
        yield text


def _title(line: str) -> Title | None:
    """The heading that a line is, None for any other line."""
    found = _MARKED.fullmatch(line)
    if found is None:
        return None
    text = _unclosed(found["text"].strip())
    return Title(text, level=line.count("#", 0, found.start("text"))) if _names_something(text) else None


def _titled(line: str) -> Title | None:
    """The same of a heading in wikitext: between as many equals signs as its level."""
    line = line.strip()
    level = min(len(line) - len(line.lstrip("=")), len(line) - len(line.rstrip("=")))
    text = line[level:-level].strip() if 1 <= level <= 6 else ""
    return Title(text, level) if _names_something(text) else None


def _underlined(before: list[str], line: str) -> Title | None:
    """The heading that `line` is the rule of, taken from the lines before: the last one where it stands alone, and the
    rule is about as long. What might be a sentence above a line that parts stays in the text."""
    if not before or not _RULE.fullmatch(line) or (len(before) > 1 and before[-2].strip()):
        return None
    text, rule = before[-1].strip(), line.strip()
    if not _names_something(text) or not underlines(rule, text):
        return None
    before.pop()
    return Title(text, 1 if rule[0] == "=" else 2)


def underlines(rule: str, text: str) -> bool:
    """Whether a rule is about as long as the text above it, from two thirds of it to twice."""
    return 2 * len(text) <= 3 * len(rule) <= 6 * len(text) + 9


def ruled(text: str, level: int) -> str:
    """A heading as plain text has it, above a rule, whose sign tells its level: the deepest ones have the last."""
    return f"{text}\n{_SIGNS[min(level, len(_SIGNS)) - 1] * max(4, len(text))}"


def _unclosed(text: str) -> str:
    """Without the number signs that close it, which are no part of it."""
    before = text.rstrip("#")
    return before.rstrip() if before != before.rstrip() or not before else text


def heading_at(headings: Sequence[Heading], place: int) -> int:
    """The number of the heading that stands last before the character `place` of the text; NONE where none does."""
    return bisect_right(headings, place, key=lambda heading: heading.start) - 1 if headings else NONE
