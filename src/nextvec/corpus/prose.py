"""Plain prose as documents hold it: paragraphs of whole lines, one blank line between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MIN_WORDS = 5
_WRAP_COLUMN = 120
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\u200b\u200e\u200f\u2060\ufeff]")
_NEWLINE = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Letters of scripts that are written without spaces: Thai, Lao, Burmese, Khmer, kana, Chinese characters."""
_LETTERS_A_WORD = 2
_ENDS = (".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f", "\uff0e", "\u0964", "\u06d4", "\u061f")
_CLOSERS = "\"')]\u201d\u2019\u00bb\u300d\u300f\uff09"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """What a reader of markup made of a page: title ("" for none), prose, and by reason the characters left out.

    `visible(text)` and the counts of `left_out` add up to `visible` of the page.
    """

    title: str
    text: str
    left_out: Mapping[str, int] = field(default_factory=dict)


def visible(text: str) -> int:
    """Characters other than white space: the unit in which text that is kept or left out is counted."""
    return sum(map(len, text.split()))


def count_words(text: str) -> int:
    """Runs between white space; where a script is written without spaces, two of its letters count as one word."""
    if text.isascii():
        return len(text.split())
    unspaced = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split() if unspaced else text.split()) + -(-unspaced // _LETTERS_A_WORD)


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


def is_small(letter: str) -> bool:
    """A small letter of a script whose sentences begin with capital ones (Georgian's do not)."""
    return letter.islower() and letter.title() != letter


def collapse(text: str) -> str:
    """`text` stripped, with every run of white space turned into one space."""
    return " ".join(text.split())


def paragraph_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of every paragraph: the longest runs of lines that are not blank."""
    for match in _PARAGRAPH.finditer(text):
        yield match.span()


def is_sentence(text: str) -> bool:
    """Whether a list item reads as one: at least `MIN_WORDS` words, and the end of a sentence at its end."""
    return count_words(text) >= MIN_WORDS and text.rstrip(_CLOSERS).endswith(_ENDS)
