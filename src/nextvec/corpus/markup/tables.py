"""Tables in plain text, as they stand in it and as PDFs are read: rows that are drawn with bars, rows of numbers, rows
whose cells stand far apart. What heads them, and what stands in between, goes with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from nextvec.corpus.markup.carried import MARK
from nextvec.corpus.prose import count_words, ends_sentence, lost

FEWEST_ROWS, FEWEST_CELLS = 3, 3
NUMBERS_SHARE = 0.5
"""Of the words of a row of numbers, which has two of them at least."""
SAID_WORDS = 2
"""Without numbers, in a line that ends as a sentence, which is one then."""
ROWS_SHARE, BETWEEN_LINES = 0.5, 2
"""Of the lines of a table, that are rows; other lines from one row to the next, at most."""
CELL_WORDS = 5
"""Of a cell, at most, on average over its row."""
LONGEST_ROW = 400
"""Characters."""
HEAD_LINES, HEAD_WORDS, BETWEEN_WORDS = 4, 14, 8
"""What heads a table, in the lines above that no sentence ends, and what stands between its rows, at most."""
_DRAWN = re.compile(r"^(?:[ \t]*(?:\|[^\n]*\||\+[-=+]{2,}\+)[ \t]*(?:\n|\Z)){2,}", re.MULTILINE)
"""Rows that begin and end with a bar, and the rules between them."""
_BAR = "[\u2502\u2503\u2551]"
_BOXED = re.compile(
    rf"^(?:[ \t]*(?:{_BAR}[^\n]*{_BAR}|[\u250c-\u2570][\u2500-\u257f]{{2,}})[ \t]*(?:\n|\Z)){{2,}}", re.MULTILINE
)
"""The same with signs that are made to draw boxes."""
_CELLS = re.compile(rf"{_BAR}[^\n]*?{_BAR}[^\n]*?{_BAR}")
_OF_BOXES = re.compile("[\u2500-\u257f]")
_DIGIT = re.compile(r"\d")
_ITEM = re.compile(r"\A\s*(?:\(?\d{1,3}[.)]|[-*+\u2022\u2013])\s")
"""The number or bullet of an item, which says nothing of what it holds: `- 2 cups flour`."""
_GAP = re.compile(r"\s*\t\s*|\s{3,}")
_NUMBER = re.compile(
    r"[(\[]?[-+\u2212\u2013\u00b1~<>\u2264\u2265$\u20ac\u00a3\u00a5]*\d[\d,.'\u2019:/\u00d7^\u2013-]*"
    r"(?:e[-+]?\d+)?[%\u2030\u00b0*\u2020\u2021]*[)\]]?[,;]?|[-\u2013\u2014\u2212.\u2026]+|n/?a|%|[$\u20ac\u00a3\u00a5]|\u00b1",
    re.IGNORECASE,
)
"""A cell without words: a number with its signs, or what stands in place of one."""


def without_tables(text: str) -> tuple[str, int]:
    """`text` without its tables, and their characters."""
    kept = _DRAWN.sub("\n", text) if "|" in text else text
    kept = _BOXED.sub(_boxed, kept) if _OF_BOXES.search(kept) else kept
    lines = kept.split("\n")
    if dropped := set(_places(lines)):
        kept = "\n".join("" if place in dropped else line for place, line in enumerate(lines))
    return kept, lost(text, kept)


def _boxed(match: re.Match[str]) -> str:
    """Nothing of a table; of a box around a text, what it says."""
    return "\n" if _CELLS.search(match[0]) else _OF_BOXES.sub("", match[0])


def _places(lines: Sequence[str]) -> Iterator[int]:
    """Of the lines that are tables."""
    rows = [_is_row(line) for line in lines]
    for first, end in _runs(lines, rows):
        yield from range(_head(lines, first), end)


def _runs(lines: Sequence[str], rows: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Rows that follow one another, and what may stand between them, from the first to behind the last."""
    places = [place for place, line in enumerate(lines) if line.strip()]
    for together, run in groupby(places, key=lambda place: rows[place] or _is_no_text(lines[place], BETWEEN_WORDS)):
        if together:
            yield from _tables(list(run), rows)


def _tables(places: Sequence[int], rows: Sequence[bool]) -> Iterator[tuple[int, int]]:
    at = [number for number, place in enumerate(places) if rows[place]]
    far = [number for number, (one, two) in enumerate(pairwise(at), start=1) if two - one > BETWEEN_LINES + 1]
    for first, end in pairwise([0, *far, len(at)] if at else ()):
        if end - first >= max(FEWEST_ROWS, ROWS_SHARE * (at[end - 1] - at[first] + 1)):
            yield places[at[first]], places[at[end - 1]] + 1


def _is_row(line: str) -> bool:
    if len(line) > LONGEST_ROW or MARK in line:
        return False
    return (_DIGIT.search(line) is not None and _has_numbers(line)) or _has_cells(line.strip())


def _has_numbers(line: str) -> bool:
    words = _ITEM.sub("", line).split()
    numbers = sum(_NUMBER.fullmatch(word) is not None for word in words)
    is_said = ends_sentence(line) and len(words) - numbers >= SAID_WORDS
    return numbers >= max(2, NUMBERS_SHARE * len(words)) and not is_said


def _has_cells(line: str) -> bool:
    cells = _GAP.split(line)
    return len(cells) >= FEWEST_CELLS and len(line.split()) <= CELL_WORDS * len(cells) and not ends_sentence(cells[-1])


def _head(lines: Sequence[str], first: int) -> int:
    """Where the lines begin that head a table: from a blank line, or the start, to its first row."""
    begin = first
    while begin and lines[begin - 1].strip():
        begin -= 1
    above = lines[begin:first]
    heads = len(above) <= HEAD_LINES and all(_is_no_text(line, HEAD_WORDS) for line in above)
    return begin if heads else first


def _is_no_text(line: str, words: int) -> bool:
    return MARK not in line and not ends_sentence(line) and count_words(line) <= words
