"""Tables in plain text, as they stand in it and as PDFs are read: rows that are drawn with bars, rows of numbers, rows
whose cells stand far apart. What heads them, and what stands in between, goes with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from nextvec.corpus.markup.carried import MARK
from nextvec.corpus.prose import ends_sentence, visible

FEWEST_ROWS, FEWEST_CELLS = 3, 3
NUMBERS_SHARE = 0.5
"""Of the words of a row of numbers, which has two of them at least."""
SAID_WORDS = 2
"""Without numbers, in a line that ends as a sentence, which is one then."""
ROWS_SHARE = 0.6
"""Of the lines of a table, that are rows of numbers."""
CELL_WORDS = 5
"""Of a cell, at most, on average over its row."""
LONGEST_ROW = 400
"""Characters."""
HEAD_LINES, HEAD_WORDS, BETWEEN_WORDS = 4, 14, 8
"""What heads a table, in the lines above that no sentence ends, and what stands between its rows, at most."""
_DRAWN = re.compile(r"^(?:[ \t]*(?:\|[^\n]*\||\+[-=+]{2,}\+)[ \t]*(?:\n|\Z)){2,}", re.MULTILINE)
"""Rows that begin and end with a bar, and the rules between them."""
_DIGIT = re.compile(r"\d")
_ITEM = re.compile(r"\A\s*\(?\d{1,3}[.)]\s")
"""The number of an item, which says nothing of what it holds."""
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
    lines = kept.split("\n")
    if dropped := set(_places(lines)):
        kept = "\n".join("" if place in dropped else line for place, line in enumerate(lines))
    return kept, visible(text) - visible(kept)


def _places(lines: Sequence[str]) -> Iterator[int]:
    """Of the lines that are tables."""
    rows = [_is_row(line) for line in lines]
    for first, end in _runs(lines, rows):
        yield from range(_head(lines, first), end)


def _runs(lines: Sequence[str], rows: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Rows, and what may stand between them, from the first to behind the last."""
    places = [place for place, line in enumerate(lines) if line.strip()]
    for together, run in groupby(places, key=lambda place: rows[place] or _may_be_between(lines[place])):
        found = list(run)
        while found and not rows[found[-1]]:
            found.pop()
        while found and not rows[found[0]]:
            found.pop(0)
        count = sum(rows[place] for place in found)
        if together and count >= FEWEST_ROWS and count >= ROWS_SHARE * len(found):
            yield found[0], found[-1] + 1


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


def _may_be_between(line: str) -> bool:
    return len(line.split()) <= BETWEEN_WORDS and not ends_sentence(line) and MARK not in line


def _head(lines: Sequence[str], first: int) -> int:
    """Where the lines begin that head a table: from a blank line, or the start, to its first row."""
    begin = first
    while begin and lines[begin - 1].strip():
        begin -= 1
    above = lines[begin:first]
    heads = len(above) <= HEAD_LINES and all(
        len(line.split()) <= HEAD_WORDS and not ends_sentence(line) and MARK not in line for line in above
    )
    return begin if heads else first
