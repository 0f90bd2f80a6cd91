"""What a page of a PDF draws, piece by piece, as pypdf reads it; words that are set one by one make lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from nextvec.corpus.markup.carried import MARK
from nextvec.corpus.markup.pdf_actual import with_actual_text
from nextvec.corpus.markup.pdf_fonts import Fonts
from nextvec.corpus.markup.pdf_moves import SHOW, with_word_spaces, without_rests
from nextvec.corpus.markup.pdf_overprints import without_overprints

_LETTER, _GAP = 0.65, 1.5
"""Times the size of letters: how wide one is, and a space of justified text, at most."""
_WORDS_SHARE = 1 / 3
"""Of pieces with another to their right, that are a word and near to it, on a page that sets words one by one."""
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

    fonts: Fonts
    parts: list[Line] = field(default_factory=list)
    rise: float = 0.0
    drawn: float = 0.0

    def operate(self, operator: bytes, operands: Sequence[Any], *_: object) -> None:
        if operator == b"Ts" and operands and isinstance(operands[0], int | float):
            self.rise = float(operands[0])
        elif operator in SHOW:
            self.drawn = self.rise

    def take(self, text: str, current: Sequence[float], matrix: Sequence[float], font: object, size: float) -> None:
        left = current[0] * matrix[4] + current[2] * matrix[5] + current[4]
        height = current[1] * matrix[4] + current[3] * matrix[5] + current[5]
        scale = abs(matrix[3] * current[3]) or abs(matrix[1] * current[1])
        self.parts.append(
            Line(self.fonts.read(text, font).translate(_LIGATURES), height, size * scale, left, self.drawn * scale)
        )


def rows_of(page: Any, fonts: Fonts) -> Iterator[list[Line]]:
    """The pieces of each line of a page in the order in which it draws them; no line is blank.

    pypdf breaks a line at each piece that is set on its own: where those are words, their lines are made whole."""
    fonts.complete(page)
    with_actual_text(page)
    without_overprints(page)
    with_word_spaces(page)
    rows = list(_rows(page, fonts))
    if not _sets_words(rows):
        yield from rows
        return
    without_rests(page)
    for row in _rows(page, fonts):
        yield from _parted(row)


def filled(row: Iterable[Line]) -> list[Line]:
    """The pieces that are not blank."""
    return [part for part in row if part.text.strip()]


def _rows(page: Any, fonts: Fonts) -> Iterator[list[Line]]:
    """As pypdf breaks them."""
    pen = _Pen(fonts)
    page.extract_text(visitor_text=pen.take, visitor_operand_before=pen.operate)
    row: list[Line] = []
    for part in pen.parts:
        first, *others = part.text.split("\n")
        row.append(replace(part, text=first))
        for text in others:
            yield from [row] if filled(row) else ()
            row = [replace(part, text=text)]
    yield from [row] if filled(row) else ()


def _sets_words(rows: Sequence[Sequence[Line]]) -> bool:
    pairs = [(row, filled(following)[0]) for row, following in pairwise(rows)]
    beside = [(row, part) for row, part in pairs if is_beside(filled(row)[-1], part)]
    words = sum(_is_word(row) and is_near(row, part) for row, part in beside)
    return words > 0 and words >= _WORDS_SHARE * len(beside)


def is_beside(part: Line, following: Line) -> bool:
    """Whether it goes on to the right; places of what a scan shows differ in height."""
    return following.left > part.left and abs(following.height - part.height) <= max(part.size, following.size) / 2


def _is_word(row: Iterable[Line]) -> bool:
    text = "".join(part.text for part in row)
    return len(text.split()) == 1 and any(map(str.isalpha, text))


def is_near(row: Iterable[Line], following: Line) -> bool:
    """Whether no more than a space is between; where a piece ends is not known, only how many letters it has."""
    before = filled(row)
    last = before[-1]
    letters = sum(len(part.text) for part in before if part.left == last.left)
    return 0 <= following.left - last.left <= (_LETTER * letters + _GAP) * last.size


def _parted(row: Iterable[Line]) -> Iterator[list[Line]]:
    """A row in parts between which there is more than a space, as between columns."""
    line: list[Line] = []
    for part in row:
        if part.text.strip() and filled(line) and not is_near(line, part):
            yield line
            line = []
        line.append(part)
    yield line
