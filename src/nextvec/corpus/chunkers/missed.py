"""Ends of sentences that sentencex does not see."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import chain

from nextvec.corpus.chunkers.abbreviations import LIST_ENDS, NUMBERED, WHOLE, WITH_LETTERS
from nextvec.corpus.prose import is_small

_WINDOW = 40
"""Characters before a stop that are looked at."""
_SHORTEST_CLAUSE = 24
"""Characters: in Thai and Lao a space ends a sentence or a clause, and after fewer often only an item of a list."""

_STOP = re.compile(r"\.\s+(?=[^\W\d_])")
_NOTED_STOP = re.compile(r"\.[\"”»’]?\d{1,3}\s+(?=[^\W\d_])")
_BRACKETED_STOP = re.compile(r"[.!?…。！？][)）\]]")
_BRACKETED = re.compile(r"[(（\[][^()（）\[\]]*[.!?…。！？][)）\]]\s*(?=\S)")
_STOPS = ".!?…。！？"
_GOING_ON = ".,;:!?)。，"
_OTHER = re.compile(r"[。！？｡\u037e\u0e01-\u0edf\u0f0d\u0f0e\u17d4\u17d5]")
_OTHER_STOP = re.compile(r"[\u037e\u0f0d\u0f0e\u17d4\u17d5]+[\"”»]*\s*|[。！？｡]+(?=[0-9a-z])")
_THAI_SPACE = re.compile(r"(?<=[\u0e01-\u0edf])\s+(?=[\u0e01-\u0edf])")


def missed_ends(text: str, found: Collection[int], uncased: bool) -> Iterator[int]:
    """Ends of sentences in the paragraph `text` beside those `found` so far; like them, none between quotation marks.

    uncased: sentences of the paragraph begin with small letters.
    """
    for end in chain(_after_names(text, found, uncased), _after_notes(text), _after_brackets(text, found)):
        if not _is_quoted(text, end):
            yield end
    if not text.isascii() and _OTHER.search(text):
        yield from (stop.end() for stop in _OTHER_STOP.finditer(text))
        yield from _clauses(text)


def _after_names(text: str, found: Collection[int], uncased: bool) -> Iterator[int]:
    """After `plan B.` or an enumeration (`etc.`) before a capital letter, after words like `no` before a small one."""
    for stop in _STOP.finditer(text):
        if stop.end() in found or not (words := _before(text, stop)):
            continue
        if is_small(text[stop.end()]):
            is_end = uncased and words[-1] in WHOLE
        else:
            is_end = (
                words == ["No"] or not LIST_ENDS.isdisjoint((words[-1], "".join(words))) or _is_letter_of_noun(words)
            )
        if is_end:
            yield stop.end()


def _before(text: str, stop: re.Match[str]) -> list[str]:
    """The last words before it, at most two."""
    return text[max(0, stop.start() - _WINDOW) : stop.start()].split()[-2:]


def _is_letter_of_noun(words: list[str]) -> bool:
    return len(words) == 2 and len(words[1]) == 1 and words[1].isupper() and words[0].lower() in WITH_LETTERS


def _after_notes(text: str) -> Iterator[int]:
    """After the number of a footnote: `was over.12 The`, not `p.12 The` or `v1.12 The`."""
    for stop in _NOTED_STOP.finditer(text):
        word = text[max(0, stop.start() - _WINDOW) : stop.start()].split()[-1:]
        is_word = word != [] and len(word[0]) > 2 and word[0].isalpha() and word[0] not in NUMBERED
        if is_word and not is_small(text[stop.end()]):
            yield stop.end()


def _after_brackets(text: str, found: Collection[int]) -> Iterator[int]:
    """After a bracket that holds a sentence of its own: it begins where one may, and what follows begins another."""
    if not (")" in text or "）" in text or "]" in text) or not _BRACKETED_STOP.search(text):
        return
    for bracket in _BRACKETED.finditer(text):
        start, following = bracket.start(), text[bracket.end()]
        begins = start == 0 or start in found or text[:start].rstrip()[-1:] in _STOPS
        if begins and not is_small(following) and following not in _GOING_ON:
            yield bracket.end()


def _is_quoted(text: str, end: int) -> bool:
    """Whether a quotation is open there."""
    opened = text.count("“", 0, end) + text.count("«", 0, end) - text.count("”", 0, end) - text.count("»", 0, end)
    return opened > 0 or text.count('"', 0, end) % 2 == 1


def _clauses(text: str) -> Iterator[int]:
    start = 0
    for space in _THAI_SPACE.finditer(text):
        if space.start() - start >= _SHORTEST_CLAUSE:
            start = space.end()
            yield start
