"""Plain prose as documents hold it: paragraphs of whole lines, one blank line between them."""

from __future__ import annotations

import re
from collections.abc import Iterator

MIN_WORDS = 5
_WRAP_COLUMN = 120
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\u200b\u200e\u200f\u2060\ufeff]")
_NEWLINE = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")


def tidy(text: str) -> str:
    """`text` with control characters dropped, space collapsed, and every paragraph on one line.

    A block of lines is one paragraph when it is hard-wrapped (no line above 120 characters); otherwise each of its
    lines is one. The result is stripped and may be empty.
    """
    clean = _CONTROL.sub("", _NEWLINE.sub("\n", text))
    return "\n\n".join(line for block in _PARAGRAPH.findall(clean) for line in _lines(block))


def _lines(block: str) -> Iterator[str]:
    lines = block.split("\n")
    if max(map(len, lines)) <= _WRAP_COLUMN:
        lines = [block]
    for line in lines:
        if collapsed := collapse(line):
            yield collapsed


def collapse(text: str) -> str:
    """`text` stripped, with every run of white space turned into one space."""
    return " ".join(text.split())


def paragraph_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of every paragraph: the longest runs of lines that are not blank."""
    for match in _PARAGRAPH.finditer(text):
        yield match.span()


def is_sentence(text: str) -> bool:
    """Whether a list item reads as one: at least `MIN_WORDS` words, and the end of a sentence at its end."""
    return text.count(" ") >= MIN_WORDS - 1 and text.rstrip("\"')]\u201d\u2019").endswith((".", "!", "?"))
