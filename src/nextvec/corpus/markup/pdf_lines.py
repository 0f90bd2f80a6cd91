"""The lines of a page of a PDF, with their places and sizes, as pypdf reads them; raised numbers as what they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from nextvec.corpus.markup.accents import with_accents
from nextvec.corpus.markup.pdf_fonts import Fonts
from nextvec.corpus.markup.pdf_pieces import Line, filled, is_beside, is_near, rows_of
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
_SPACE, _LETTER = 0.25, 0.5
"""Of the size of its letters: how wide a space is, and a number."""
_NOTE = re.compile(r"[\[(]?\d{1,3}(?:\s?[,;\u2013-]\s?\d{1,3})*[\])]?|[*\u2020\u2021\u00a7\u00b6]+")
_BASE = re.compile(r"(?:(?<![^\W_])\d{1,2}|(?<![^\W_])(?<!['\u2019.])(?:[^\W\d_Ia]|[cdkmn\u00b5\u03bc]m|ft))\Z")
"""What is raised to a power: a short number, the letter of a quantity, a unit of length. Longer numbers are years."""


def lines_of(page: Any, fonts: Fonts) -> Iterator[Line]:
    """The lines of a page in the order in which it draws them; `fonts`: of its file."""
    return map(_whole, _with_raised(rows_of(page, fonts)))


def _with_raised(rows: Iterable[list[Line]]) -> Iterator[list[Line]]:
    """The rows, made one where a raised number or mark was drawn on its own, and where the text goes on after it."""
    line: list[Line] = []
    for row in rows:
        if line and _is_mark(line, row):
            line = [*line, *row]
        elif line and _follows_mark(line, row):
            line = [*line, *_spaced(filled(line)[-1], row[row.index(filled(row)[0]) :])]
        else:
            yield from [line] if line else ()
            line = row
    yield from [line] if line else ()


def _is_mark(line: Sequence[Line], row: Sequence[Line]) -> bool:
    """Whether a row is a number or mark that is raised above the end of the line."""
    part, main = filled(row)[0], _main(line)
    sign = "".join(one.text for one in row).strip()
    near = filled(line)[-1].left < part.left and part.height < main.height + main.size
    return near and _is_raised(part, main) and (_NOTE.fullmatch(sign) or POWER.fullmatch(sign)) is not None


def _follows_mark(line: Sequence[Line], row: Sequence[Line]) -> bool:
    mark, part, main = filled(line)[-1], filled(row)[0], _main(line)
    return _is_raised(mark, main) and not _is_raised(part, main) and is_beside(mark, part) and is_near(line, part)


def _spaced(mark: Line, parts: Sequence[Line]) -> Sequence[Line]:
    """The parts with the space that is between the mark and them, if there is one."""
    first, *_ = parts
    gap = first.left - mark.left - _LETTER * mark.size * len(mark.text.strip())
    return [replace(first, text=" "), *parts] if gap > _SPACE / 2 * first.size else parts


def _whole(row: Sequence[Line]) -> Line:
    shown, main = filled(row), _main(row)
    drawn = _text([part for part in row if part.text], main)
    marks = sum(visible(part.text) for part in shown) - visible(drawn)
    text = with_accents(drawn)
    first, spaces = shown[0], len(text) - len(text.lstrip())
    left = first.left + (spaces * _SPACE * main.size if spaces > 1 else 0)
    return Line(text.strip(), round(first.height, 1), round(main.size, 1), round(left, 1), marks=marks)


def _main(row: Iterable[Line]) -> Line:
    return max(filled(row), key=lambda part: len(part.text))


def _text(parts: Sequence[Line], main: Line) -> str:
    """The parts of a line in one, raised powers as such and marks of notes left out."""
    text = ""
    for part, following in pairwise([*parts, replace(main, text=" ")]):
        mark = part.text.strip()
        if not text.strip() or not _is_raised(part, main):
            text += part.text
        elif POWER.fullmatch(mark) and _is_power(text, mark, following.text):
            text += part.text.replace(mark, superscript(mark))
        elif _NOTE.fullmatch(mark):
            text += _NOTE.sub("", part.text) or " " * following.text[:1].isalnum()
        else:
            text += part.text
    return text


def _is_raised(part: Line, main: Line) -> bool:
    above = part.height + part.rise - main.height - main.rise
    return part.size < _SMALLER * main.size and above >= _RAISED * main.size


def _is_power(before: str, number: str, after: str) -> bool:
    """Or the number of an isotope, which stands before a letter, and after none."""
    joined = before[-1:].isalnum()
    signed, isotope = joined and not number[0].isdigit(), after[:1].isalpha() and not joined
    return signed or isotope or _BASE.search(before) is not None


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
    """Of lines of text that follow each other downwards, the most common; infinite where there are none."""
    pairs = (pair for page in pages for pair in pairwise(page))
    falls = (one.height - two.height for one, two in pairs if not one.level and not two.level)
    down = Counter(round(2 * fall) / 2 for fall in falls if fall > 0.5)
    return max(down, key=lambda fall: (down[fall], -fall), default=float("inf"))
