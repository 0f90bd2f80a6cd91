"""Plain prose as documents hold it: paragraphs of whole lines, one blank line between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MIN_WORDS = 5
_CONTROL = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ufffe\uffff]"
)
_NEWLINE = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_ODD = re.compile(rf"[\r\x0b\x0c\x85\u2028\u2029{_CONTROL.pattern[1:-1]}]")
_PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Letters of scripts that are written without spaces: Thai, Lao, Burmese, Khmer, kana, Chinese characters."""
_UNSPACED_SIGN = rf"{_UNSPACED.pattern[:-1]}\u3001-\u303f\uff01-\uff60]"
_UNSPACED_LINE_END = re.compile(rf"(?<={_UNSPACED_SIGN})[^\S\n]*\n\s*(?={_UNSPACED_SIGN})")
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
    return len("".join(text.split()))


def is_unspaced(sign: str) -> bool:
    """Whether a character belongs to a script that is written without spaces, its punctuation included."""
    return re.fullmatch(_UNSPACED_SIGN, sign) is not None


def count_words(text: str) -> int:
    """Runs between white space; where a script is written without spaces, two of its letters count as one word."""
    unspaced = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split() if unspaced else text.split()) + -(-unspaced // _LETTERS_A_WORD)


def without_controls(text: str) -> tuple[str, int]:
    """`text` with every kind of line end as a newline and without characters that show nothing, and how many of these
    there were: controls, zero-width and soft-hyphen characters. Joiners stay: Persian, Hindi and emoji need them."""
    if _ODD.search(text) is None:
        return text, 0
    text = _NEWLINE.sub("\n", text)
    clean = _CONTROL.sub("", text)
    return clean, visible(text) - visible(clean)


def collapse(text: str) -> str:
    """`text` stripped, with every run of white space turned into one space; into nothing where it is a line end in the
    midst of a script that is written without spaces."""
    if "\n" in text:
        text = _UNSPACED_LINE_END.sub("", text)
    return " ".join(text.split())


def paragraph_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of every paragraph: the longest runs of lines that are not blank."""
    for match in _PARAGRAPH.finditer(text):
        yield match.span()


def ends_sentence(text: str) -> bool:
    """Whether the last sign, but for closing quotation marks and brackets, is one that ends sentences."""
    return text.rstrip(_CLOSERS).endswith(_ENDS)


def is_sentence(text: str) -> bool:
    """Whether a list item reads as one: at least `MIN_WORDS` words, and the end of a sentence at its end."""
    return count_words(text) >= MIN_WORDS and ends_sentence(text)


def holds_sentence(text: str) -> bool:
    """Whether a sentence ends within `text` or at its end that `is_sentence` takes for one."""
    for place in range(len(text) - 1, -1, -1):
        spaced = text[place].isascii()
        if text[place] in _ENDS and (not spaced or text[place + 1 :].lstrip(_CLOSERS)[:1].strip() == ""):
            return is_sentence(text[: place + 1])
    return False
