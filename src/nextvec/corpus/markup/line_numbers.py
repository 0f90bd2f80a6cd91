"""Plain text whose lines bear numbers: depositions number every line of a page, editions of poems every fifth line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import gcd

from nextvec.corpus.prose import ends_sentence

FEWEST_NUMBERED, FEWEST_NOW_AND_THEN = 8, 3
"""Lines where every one has a number, and where some have."""
SHARE = 0.8
"""Of lines that have a number, and of numbers that follow the last as numbers of lines do."""
GO_ON = 0.15
"""Of numbered lines, that begin with a small letter, and that end a sentence: of numbered items, and of a program's
lines, hardly any does the one or the other."""
_STEPS = (4, 5, 10, 20, 25, 50)
_BEFORE = re.compile(r"[ \t]{0,12}(\d{1,4})(?=[ \t]|\Z)(?![ \t]+(?:[+*/=<>|%-][ \t]*)?\d)")
_ALONE = re.compile(r"[ \t]*(\d{1,4})[ \t]*\Z")
_BESIDE = re.compile(r"\A[ \t]*(\d{1,4})[ \t]{2,}(?=\S)|(?<=\S)[ \t]{2,}(\d{1,4})[ \t]*\Z")

_Numbers = Mapping[int, int]
"""By the places of lines."""


def without_line_numbers(text: str) -> str:
    """`text` with spaces for the numbers of its lines, and for those of pages among them; as it is where it has none.
    Line ends are newlines."""
    lines = text.split("\n")
    filled = [place for place, line in enumerate(lines) if line.strip()]
    if sum(_has_number_at_edge(lines[place]) for place in filled) < FEWEST_NOW_AND_THEN:
        return text
    if numbers := _of_every_line(lines, filled):
        return "\n".join(_blanked(line, _BEFORE if place in numbers else _ALONE) for place, line in enumerate(lines))
    if numbers := _now_and_then(lines, filled):
        return "\n".join(_blanked(line, _BESIDE) if place in numbers else line for place, line in enumerate(lines))
    return text


def _has_number_at_edge(line: str) -> bool:
    """A look at what is quick to find."""
    bare = line.strip()
    return bare[0].isdecimal() or bare[-1].isdecimal()


def _blanked(line: str, number: re.Pattern[str]) -> str:
    return number.sub(lambda found: " " * len(found[0]), line, count=1).rstrip() if number.search(line) else line


def _of_every_line(lines: Sequence[str], filled: Sequence[int]) -> _Numbers:
    """Where most lines have one, one more than the line before or the first of a page."""
    found = {place: int(match[1]) for place in filled if (match := _BEFORE.match(lines[place]))}
    if len(found) < max(FEWEST_NUMBERED, SHARE * len(filled)):
        return {}
    follow = dict(_following(found))
    small = sum(lines[place].split(None, 1)[-1][:1].islower() for place in follow)
    ends = sum(ends_sentence(lines[place]) for place in follow)
    return follow if len(follow) >= SHARE * len(found) and min(small, ends) >= GO_ON * len(follow) else {}


def _following(found: _Numbers) -> Iterator[tuple[int, int]]:
    last = 0
    for place, number in found.items():
        if number in (last + 1, 1):
            last = number
            yield place, number


def _now_and_then(lines: Sequence[str], filled: Sequence[int]) -> _Numbers:
    """Where most numbers at the edge of a line are as far apart as their lines."""
    edges = [(row, lines[place]) for row, place in enumerate(filled) if _has_number_at_edge(lines[place])]
    beside = [(row, _BESIDE.search(line)) for row, line in edges]
    found = {row: int(match[1] or match[2]) for row, match in beside if match}
    follow = [(one, two) for one, two in pairwise(found) if two - one == found[two] - found[one]]
    rows = {row for pair in follow for row in pair}
    if len(rows) < max(FEWEST_NOW_AND_THEN, SHARE * len(found)) or gcd(*(found[row] for row in rows)) not in _STEPS:
        return {}
    return {filled[row]: found[row] for row in rows}
