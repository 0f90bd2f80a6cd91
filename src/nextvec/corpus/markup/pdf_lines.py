"""The lines of a page of a PDF, with their places and sizes, as pypdf reads them; raised numbers as what they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median_low
from typing import Any

from nextvec.corpus.markup.carried import MARK
from nextvec.corpus.markup.quantities import POWER, superscript
from nextvec.corpus.prose import visible

LARGER = 1.15
"""Times the size of most of the text, that a heading has at least."""
APART = 1.35
"""Times the usual distance of lines, from which on a paragraph begins."""
_SMALLER = 0.85
"""Times the size of its line, that a raised number has at most."""
_RAISED = 0.15
"""Of the size of its line: how far a raised number stands above the line at least."""
_SPACE = 0.25
"""Of the size of its letters: how wide a space is."""
_SHOW = (b"Tj", b"TJ", b"'", b'"')
_NOTE = re.compile(r"[\[(]?\d{1,3}(?:\s?[,;\u2013-]\s?\d{1,3})*[\])]?|[*\u2020\u2021\u00a7\u00b6]+")
_BASE = re.compile(r"(?:(?<![^\W_])\d{1,2}|(?<![^\W_])(?<!['\u2019.])(?:[^\W\d_Ia]|[cdkmn\u00b5\u03bc]m|ft))\Z")
"""What is raised to a power: a short number, the letter of a quantity, a unit of length. Longer numbers are years."""
_LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
    | {MARK: None}
)


@dataclass(frozen=True, slots=True)
class Line:
    """`height`: of its foot above the page's, in points; `left`: where it begins; `size`: of its letters, 0 where that
    is not known; `rise`: of raised letters above the foot; `marks`: characters of note marks that were in it."""

    text: str
    height: float
    size: float
    left: float = 0.0
    rise: float = 0.0
    level: int = 0
    marks: int = 0


@dataclass(slots=True)
class _Pen:
    """Takes what pypdf reads, which does not tell how far letters were raised by an operator of their own."""

    parts: list[Line] = field(default_factory=list)
    rise: float = 0.0
    drawn: float = 0.0

    def operate(self, operator: bytes, operands: Sequence[Any], *_: object) -> None:
        if operator == b"Ts" and operands and isinstance(operands[0], int | float):
            self.rise = float(operands[0])
        elif operator in _SHOW:
            self.drawn = self.rise

    def take(self, text: str, current: Sequence[float], matrix: Sequence[float], font: object, size: float) -> None:
        left = current[0] * matrix[4] + current[2] * matrix[5] + current[4]
        height = current[1] * matrix[4] + current[3] * matrix[5] + current[5]
        scale = abs(matrix[3] * current[3]) or abs(matrix[1] * current[1])
        self.parts.append(Line(text.translate(_LIGATURES), height, size * scale, left, self.drawn * scale))


def lines_of(page: Any) -> Iterator[Line]:
    """The lines of a page in the order in which it draws them."""
    pen = _Pen()
    page.extract_text(visitor_text=pen.take, visitor_operand_before=pen.operate)
    line: list[Line] = []
    for part in pen.parts:
        first, *others = part.text.split("\n")
        line.append(replace(part, text=first))
        for text in others:
            yield from _whole(line)
            line = [replace(part, text=text)]
    yield from _whole(line)


def _whole(parts: Sequence[Line]) -> Iterator[Line]:
    filled = [part for part in parts if part.text.strip()]
    if not filled:
        return
    main = max(filled, key=lambda part: len(part.text))
    text = _text([part for part in parts if part.text], main)
    marks = sum(visible(part.text) for part in filled) - visible(text)
    first, spaces = filled[0], len(text) - len(text.lstrip())
    left = first.left + (spaces * _SPACE * main.size if spaces > 1 else 0)
    yield Line(text.strip(), round(first.height, 1), round(main.size, 1), round(left, 1), marks=marks)


def _text(parts: Sequence[Line], main: Line) -> str:
    """The parts of a line in one, raised powers as such and marks of notes left out."""
    text = ""
    for part, following in pairwise([*parts, replace(main, text=" ")]):
        mark = part.text.strip()
        if not text.strip() or not _is_raised(part, main):
            text += part.text
        elif POWER.fullmatch(mark) and _is_power(text, mark, following.text):
            text += part.text.replace(mark, superscript(mark))
        else:
            text += _NOTE.sub("", part.text) if _NOTE.fullmatch(mark) else part.text
    return text


def _is_raised(part: Line, main: Line) -> bool:
    above = part.height + part.rise - main.height - main.rise
    return part.size < _SMALLER * main.size and above >= _RAISED * main.size


def _is_power(before: str, number: str, after: str) -> bool:
    """Or the number of an isotope, which stands before a letter."""
    signed = not number[0].isdigit() and before[-1:].isalnum()
    return signed or after[:1].isalpha() or _BASE.search(before) is not None


def characters(pages: Sequence[Sequence[Line]]) -> int:
    return sum(visible(line.text) for page in pages for line in page)


def sizes(pages: Sequence[Sequence[Line]]) -> Counter[float]:
    """How much text is set in letters of each size."""
    weight: Counter[float] = Counter()
    for line in (line for page in pages for line in page):
        weight[line.size] += len(line.text)
    return weight


def main_size(pages: Sequence[Sequence[Line]]) -> float:
    """Of the letters of most of the text; 0 where there is none."""
    [(size, _)] = sizes(pages).most_common(1) or [(0.0, 0)]
    return size


def usual_distance(pages: Sequence[Sequence[Line]]) -> float:
    """Of lines of text that follow each other downwards; infinite where there are none."""
    pairs = (pair for page in pages for pair in pairwise(page))
    falls = [one.height - two.height for one, two in pairs if not one.level and not two.level]
    down = [fall for fall in falls if fall > 0]
    return median_low(down) if down else float("inf")
