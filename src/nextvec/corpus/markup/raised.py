# ruff: noqa: RUF001 (typographic dashes and signs are this file's business)
"""What stands above and below the line, written on it: powers, ordinals and marks of notes."""

from __future__ import annotations

import re

from nextvec.corpus.markup.quantities import POWER, subscript, superscript

_FIGURES = re.compile(r"[-−–+]?\d+|\d*[-−–+]")
_PLAIN_EXPONENT = re.compile(r"[-−]?[\w.,]+|\([^()]*\)")
_EXPONENT_LETTERS = frozenset("nkmxyzjpqN")
_OPERATOR = re.compile(r"[-+−*/·]")
_BASE = re.compile(r"(?:[\d)]|(?<![^\W_])[^\W\d_])['’]*\Z")
"""A number, a bracket or a letter that stands alone; in wikitext with the marks of italics."""
_WORD_ABOVE = re.compile(r"[^\W\d_]{4}")

_MARK = r"(?:\d{1,3}|[a-h]|x{0,2}(?:i{1,3}|iv|vi{0,3}|ix)|[*†‡§]+)"
_SINGLE_MARK = re.compile(_MARK)
_MARKS = re.compile(rf"[(\[]?{_MARK}[*†‡§]*[)\]]?(?:\s?[,;–-]\s?[(\[]?{_MARK}[)\]]?)*")
_SIGNS = re.compile(r"\[.{1,24}\]|[*†‡§]+")
"""Of notes wherever they stand."""
_AFTER_STOP = re.compile(r"(?:(?<!\b\d)(?<!\b\d\d)[.!?…。]|(?<=[^\W\d_])[,;:])[\"”»’)\]]*\Z|[”»\"]\Z")
"""Not `3.` and `12.`, which may be the beginning of a number."""
_WORD_BEFORE = re.compile(r"[^\W\d_]{2,}\Z")
_LONG_WORD = 4
_ENDINGS = frozenset("defghiv")
"""Of shortened words in old texts: `return<sup>d</sup>`."""
_MEASURE = re.compile(
    r"(?:foot|feet|inch(?:es)?|miles?|yards?|\w*met(?:er|re)s?|sinh|cosh|tanh|[a-z]*(?:pouces?|pieds?|fuß|zoll))\Z",
    re.IGNORECASE,
)


def raised(text: str, before: str) -> str:
    """Figures so that no number changes: "10⁶", "2^n", "x^(n+1)"; but "1er". `before`: what stands on the line."""
    if _FIGURES.fullmatch(text):
        return superscript(text)
    return f"^{grouped(text)}" if _is_power(text, before) else text


def grouped(text: str) -> str:
    """An exponent, in brackets where it is more than a number or word and has none."""
    return text if _PLAIN_EXPONENT.fullmatch(text) else f"({text})"


def lowered(text: str, before: str) -> str:
    """The base of a number below the line: "101₂"; but "H2O"."""
    return subscript(text) if before[-1:].isdigit() and POWER.fullmatch(text) else text


def _is_power(text: str, before: str) -> bool:
    if not before or before[-1].isspace() or _WORD_ABOVE.search(text):
        return False
    if any(map(str.isdigit, text)):
        return True
    return _BASE.search(before) is not None and (text in _EXPONENT_LETTERS or _OPERATOR.search(text) is not None)


def is_note_mark(text: str, before: str) -> bool:
    """Whether what stands above the line is no power: a sign of notes, or numbers and small letters after the end of a
    sentence or a word that is neither short nor a measure."""
    if _SIGNS.fullmatch(text):
        return True
    if not before or before[-1].isspace() or not _MARKS.fullmatch(text):
        return False
    return ends_clause(before) or _marks_word(text, before)


def ends_clause(before: str) -> bool:
    """Whether what stands before a mark ends a sentence, a clause or a quotation."""
    return _AFTER_STOP.search(before) is not None


def _marks_word(text: str, before: str) -> bool:
    word = _WORD_BEFORE.search(before)
    if word is None or text in _ENDINGS or not before[-1].islower() or _MEASURE.search(before):
        return False
    return len(word[0]) >= _LONG_WORD or not _SINGLE_MARK.fullmatch(text)
