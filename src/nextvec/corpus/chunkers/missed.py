"""Ends of sentences that sentencex does not see."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from nextvec.corpus.chunkers.abbreviations import LIST_ENDS, NUMBERED, WHOLE, WITH_LETTERS
from nextvec.corpus.prose import is_small

_WINDOW = 40
"""Characters before a stop that are looked at."""
_SHORTEST_CLAUSE = 30
"""Characters: in Thai and Lao a space ends a sentence or a clause, and after fewer often only an item of a list."""

_STOP = re.compile(r"\.\s+(?=[^\W\d_])")
_NOTED_STOP = re.compile(r"\.[\"”»’]?\d{1,3}\s+(?=[^\W\d_])")
_BRACKETED_STOP = re.compile(r"[.!?…。！？][)）\]]")
_BRACKETED = re.compile(r"[(（\[][^()（）\[\]]*[.!?…。！？][)）\]]\s*(?=\S)")
_OTHER = re.compile(r"[\u037e\u0e01-\u0edf\u0f0d\u0f0e\u17d4\u17d5]")
_OTHER_STOP = re.compile(r"[\u037e\u0f0d\u0f0e\u17d4\u17d5]+[\"”»]*\s*")
_THAI_SPACE = re.compile(r"(?<=[\u0e01-\u0edf])\s+(?=[\u0e01-\u0edf])")


def missed_ends(text: str, found: Collection[int], uncased: bool) -> Iterator[int]:
    """Ends of sentences in the paragraph `text` beside those `found` so far.

    uncased: sentences of the paragraph begin with small letters.
    """
    for match in _STOP.finditer(text):
        if match.end() not in found and _ends(text, match, uncased):
            yield match.end()
    for match in _NOTED_STOP.finditer(text):
        if _has_note(text, match):
            yield match.end()
    if (")" in text or "）" in text or "]" in text) and _BRACKETED_STOP.search(text):
        yield from (match.end() for match in _BRACKETED.finditer(text) if _is_whole(text, match, found))
    if not text.isascii() and _OTHER.search(text):
        yield from (match.end() for match in _OTHER_STOP.finditer(text))
        yield from _clauses(text)


def _ends(text: str, stop: re.Match[str], uncased: bool) -> bool:
    """Whether the stop ends `plan B.` or an enumeration (`etc.`) before a capital letter, or a word like `no`."""
    words = text[max(0, stop.start() - _WINDOW) : stop.start()].split()[-2:]
    if not words:
        return False
    if is_small(text[stop.end()]):
        return uncased and words[-1] in WHOLE
    is_letter = len(words) == 2 and len(words[1]) == 1 and words[1].isupper()
    return words[-1] in LIST_ENDS or "".join(words) in LIST_ENDS or (is_letter and words[0].lower() in WITH_LETTERS)


def _has_note(text: str, stop: re.Match[str]) -> bool:
    """Whether the number is that of a footnote: `was over.12 The`, not `p.12 The` or `v1.12 The`."""
    words = text[max(0, stop.start() - _WINDOW) : stop.start()].split()
    is_word = bool(words) and len(words[-1]) > 2 and words[-1].isalpha() and words[-1] not in NUMBERED
    return is_word and not is_small(text[stop.end()])


def _is_whole(text: str, bracket: re.Match[str], found: Collection[int]) -> bool:
    """Whether the bracket holds a sentence of its own: it begins where one may, and what follows begins another."""
    begins = bracket.start() == 0 or bracket.start() in found or text[: bracket.start()].rstrip()[-1:] in ".!?。！？"
    return begins and not is_small(text[bracket.end()]) and text[bracket.end()] not in ".,;:!?)。，"


def _clauses(text: str) -> Iterator[int]:
    start = 0
    for space in _THAI_SPACE.finditer(text):
        if space.start() - start >= _SHORTEST_CLAUSE:
            start = space.end()
            yield start
