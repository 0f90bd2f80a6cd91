"""Where a PDF begins its paragraphs by an indent instead of a space: which lines those are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nextvec.corpus.markup.pdf_lines import main_size
from nextvec.corpus.markup.pdf_pieces import Line
from nextvec.corpus.prose import ends_sentence

LEAST, MOST = 0.7, 4.5
"""Times the size of letters: how far a paragraph begins from the left edge of its column."""
NEAR = 1.5
"""Points by which the left ends of lines at one edge may differ."""
FEWEST_INDENTS = 2
ENDED_SHARE = 0.75
"""Of lines above indented ones, that have ended: above a paragraph they have, in a list or a poem they go on."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Lines that follow one another at one left edge. `indent`: from the edge of those before or after, in points."""

    before: Line | None
    lines: Sequence[Line]
    indent: float


def paragraph_starts(pages: Sequence[Sequence[Line]]) -> list[set[Line]]:
    """Of each page the lines that begin a paragraph by the indent which the document has for that; none where it has
    no such indent. Lines are told apart by their places."""
    size = main_size(pages)
    stretches = [list(_indented(page, size)) for page in pages]
    usual = _usual_indent([one for page in stretches for one in page])
    return [
        {line for one in page if usual and abs(one.indent - usual) <= NEAR for line in _starts(one)}
        for page in stretches
    ]


def _indented(page: Sequence[Line], size: float) -> Iterator[_Stretch]:
    """The stretches of a page that are indented against one beside them."""
    groups = list(_groups([line for line in page if not line.level]))
    for place, lines in enumerate(groups):
        beside = [*groups[max(place - 1, 0) : place], *groups[place + 1 : place + 2]]
        indents = [lines[0].left - other[0].left for other in beside]
        fitting = [indent for indent in indents if LEAST * size <= indent <= MOST * size]
        if fitting:
            yield _Stretch(groups[place - 1][-1] if place else None, lines, fitting[0])


def _groups(lines: Sequence[Line]) -> Iterator[list[Line]]:
    group = list(lines[:1])
    for before, line in pairwise(lines):
        if abs(line.left - before.left) > NEAR:
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _usual_indent(stretches: Sequence[_Stretch]) -> float:
    """The indent of paragraphs, 0 where there is none."""
    below = [one for one in stretches if one.before is not None]
    for indent, _ in Counter(round(one.indent) for one in below).most_common(1):
        alike = [one for one in below if abs(one.indent - indent) <= NEAR]
        ended = sum(has_ended(one.before) for one in alike if one.before)
        if len(alike) >= FEWEST_INDENTS and ended >= ENDED_SHARE * len(alike):
            return indent
    return 0


def _starts(stretch: _Stretch) -> Iterator[Line]:
    """Each of its lines where all have ended, as in speeches; else the first, which a quotation has as well, and the
    last where it begins a sentence that goes on below."""
    first, *others = stretch.lines
    if stretch.before is None or has_ended(stretch.before):
        yield first
    if all(map(has_ended, stretch.lines[:-1])):
        yield from others
    elif has_ended(stretch.lines[-2]) and not has_ended(stretch.lines[-1]):
        yield stretch.lines[-1]


def has_ended(line: Line) -> bool:
    """Whether a sentence has, or one that a list follows."""
    return ends_sentence(line.text) or line.text.endswith(":")
