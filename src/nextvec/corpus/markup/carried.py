"""Headings on their way through the reader of plain text, which knows paragraphs alone."""

from __future__ import annotations

from nextvec.corpus.headings import Title

MARK = "\ufdd0"
"""Begins one; no character at all in any text. To be taken out of a text before."""
LOWEST = 6


def carry(text: str, level: int) -> str:
    """A paragraph, on one line, that is a heading; levels beyond `LOWEST` are that."""
    return f"{MARK}{min(level, LOWEST)}{text}"


def carried(paragraph: str) -> Title | None:
    """The heading that a paragraph is, None for any other."""
    is_one = paragraph.startswith(MARK) and paragraph[1:2].isdecimal()
    return Title(paragraph[2:], level=int(paragraph[1])) if is_one else None
