"""Text that a page of a PDF draws again at the same place, to make it bold or give it a shadow, drawn once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from nextvec.corpus.markup.pdf_moves import SHOW, Operation, drawing, number, rewrite

_NEAR = 0.1
"""Of the size of letters: how far apart what is drawn again is at most."""
_SHOWN = re.compile(rb"(\((?:[^()\\]|\\.)*\)|<[^<>]*>|\[[^\[\]]*\])\s*(?:T[jJ]|['\"])", re.DOTALL)
_Matrix = tuple[float, float, float, float, float, float]
_HERE: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def without_overprints(page: Any) -> None:
    """Takes from a page what it draws a second time in the same letters, where it draws something twice running."""
    content = page.get_contents()
    if content is not None and any(one == two for one, two in pairwise(_SHOWN.findall(content.get_data()))):
        rewrite(page, lambda operations: drawing(_once(operations)))


@dataclass(slots=True)
class _Run:
    """What is drawn without the pen being put down anew: by the operations of these `numbers`."""

    left: float
    height: float
    size: float
    numbers: list[int] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def is_near(self, other: _Run) -> bool:
        most = _NEAR * max(self.size, other.size)
        return abs(self.left - other.left) <= most and abs(self.height - other.height) <= most


def _once(operations: Iterable[Operation]) -> Iterator[Operation]:
    found = list(operations)
    again: set[int] = set()
    drawn: dict[tuple[str, ...], list[_Run]] = defaultdict(list)
    for run in _runs(found):
        alike = drawn[tuple(run.shown)]
        if any(map(run.is_near, alike)):
            again.update(run.numbers)
        alike.append(run)
    for place, (operands, operator) in enumerate(found):
        if place not in again:
            yield operands, operator
        elif operator in (b"'", b'"'):
            yield [], b"T*"


def _runs(operations: Sequence[Operation]) -> Iterator[_Run]:
    pen = _Pen()
    run = pen.put_down()
    for place, (operands, operator) in enumerate(operations):
        if pen.moves(operator, operands):
            yield from [run] if run.shown else ()
            run = pen.put_down()
        if operator in SHOW:
            run.numbers.append(place)
            run.shown.append(f"{pen.font} {operands}")
    yield from [run] if run.shown else ()


@dataclass(slots=True)
class _Pen:
    """Where a line begins in the text's own measure (`line`), and that in the page's (PDF 32000-1, 8.3 and 9.4)."""

    page: _Matrix = _HERE
    line: _Matrix = _HERE
    leading: float = 0.0
    font: str = ""
    size: float = 0.0
    kept: list[tuple[_Matrix, float, str, float]] = field(default_factory=list)

    def put_down(self) -> _Run:
        a, b, c, d, left, height = _product(self.line, self.page)
        return _Run(left, height, self.size * abs(a * d - b * c) ** 0.5)

    def moves(self, operator: bytes, operands: Sequence[Any]) -> bool:
        """Whether an operation puts the pen down at a place that is known."""
        values = [number(value) for value in operands]
        if operator == b"q":
            self.kept.append((self.page, self.leading, self.font, self.size))
        elif operator == b"Q" and self.kept:
            self.page, self.leading, self.font, self.size = self.kept.pop()
        elif operator == b"cm" and len(values) == len(_HERE):
            self.page = _product(_matrix(values), self.page)
        elif operator == b"Tf" and len(values) > 1:
            self.font, self.size = str(operands[0]), values[1]
        elif operator == b"TL" and values:
            self.leading = values[0]
        else:
            return self._moves_line(operator, values)
        return False

    def _moves_line(self, operator: bytes, values: Sequence[float]) -> bool:
        if operator == b"BT":
            self.line = _HERE
        elif operator == b"Tm" and len(values) == len(_HERE):
            self.line = _matrix(values)
        elif operator in (b"Td", b"TD") and len(values) > 1:
            self.leading = -values[1] if operator == b"TD" else self.leading
            self.line = _product((1.0, 0.0, 0.0, 1.0, values[0], values[1]), self.line)
        elif operator in (b"T*", b"'", b'"'):
            self.line = _product((1.0, 0.0, 0.0, 1.0, 0.0, -self.leading), self.line)
        else:
            return False
        return True


def _matrix(values: Sequence[float]) -> _Matrix:
    a, b, c, d, e, f = values
    return a, b, c, d, e, f


def _product(one: _Matrix, two: _Matrix) -> _Matrix:
    a, b, c, d, e, f = one
    p, q, r, s, x, y = two
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + x, e * q + f * s + y)
