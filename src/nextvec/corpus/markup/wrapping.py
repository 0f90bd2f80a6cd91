"""Which line ends of plain text are only there because a line was full, and which are meant.

Evidence comes from the lines themselves. Hard-wrapped text has full lines (the next word would not have fitted) that
break off in mid-sentence; in a list or in verse lines are uneven and each its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median
from unicodedata import combining, east_asian_width

from nextvec.corpus.prose import ends_sentence, is_unspaced

NARROWEST = 40
"""Columns. A narrower block is not taken for hard-wrapped by its own witness."""
NARROW = 28
"""Columns from which a text is taken for hard-wrapped if all of its blocks together look like it. In narrower ones
lines are joined where a sentence clearly goes on."""
NARROW_BREAKS = 5
NARROW_FULL_SHARE = 0.85
NARROW_LOWER_SHARE = 0.5
NARROW_ENDED_SHARE = 0.34
"""Verse is seldom full and seldom goes on in small letters; sentences that have a line each end with it."""
WIDE = 60
"""Columns from which the first of two lines may have been full, when no other lines can tell."""
FULL_SHARE = 0.75
LOWER_SHARE = 0.25
RAGGED = 0.85
"""A line that the next word would have brought to this share of the widest is full: not all wrapping is greedy."""

_INNER_END = re.compile(r"[.!?,;:]\s|[\u3001\u3002\uff01\uff0c\uff1b\uff1f\u060c\u061f\u0964]")
_INNER_STOP = re.compile(r"[.!?\u061f\u0964]\s+\w|[\u3002\uff01\uff1f]\w")
_RUNS_ON = re.compile(r"[\w,\u3001\uff0c\u060c]\Z")
_INNER_START = re.compile(r"[.!?]\W*\s\W*[A-ZÀ-ÖØ-ÞΑ-ΩА-ЯЁ]")
_HYPHEN_END = re.compile(r"[^\W\d_][-\u2010]\Z")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_PUSHED = 2
"""Columns by which a line of Chinese or Japanese may be short, so that none begins with a full stop."""


@dataclass(frozen=True)
class Line:
    """A line that is not blank: its text, indentation (columns), depth of quotation, and whether it starts an item."""

    text: str
    indent: int = 0
    depth: int = 0
    starts: bool = False

    @cached_property
    def end(self) -> int:
        """The column after its last character."""
        return self.indent + columns(self.text)

    @cached_property
    def first(self) -> int:
        """Columns that its first word would have taken on the line before."""
        if is_unspaced(self.text[0]):
            return columns(self.text[0]) + _PUSHED
        return 1 + columns(self.text.split()[0])

    @cached_property
    def letter(self) -> str:
        """Its first letter, "" when it has none."""
        return next(filter(str.isalpha, self.text), "")

    @cached_property
    def ended(self) -> bool:
        return ends_sentence(self.text) or self.text.endswith(":")


def columns(text: str) -> int:
    """Width as a terminal shows it: East Asian characters take two columns, combining marks none."""
    if text.isascii():
        return len(text)
    others = "".join(_BEYOND_ASCII.findall(text))
    return len(text) - len(others) + sum(map(_columns_of_sign, others))


def _columns_of_sign(sign: str) -> int:
    return 2 if east_asian_width(sign) in "WF" else int(not combining(sign))


def common_column(blocks: Sequence[Sequence[Line]]) -> float | None:
    """The column at which a text is wrapped, as the blocks show that are evidently wrapped; None without one."""
    several = [block for block in blocks if len(block) > 1]
    widths = [_widest(block) for block in several if _is_evident(_breaks(block))]
    return median(widths) if widths else _narrow_column(several)


def _narrow_column(blocks: Sequence[Sequence[Line]]) -> float | None:
    """The column of a text that is narrow throughout: its lines are full, by the widest, most go on in the next in a
    small letter, and sentences begin within lines. Text without capitals gives no such witness."""
    widest = max(map(_widest, blocks), default=0)
    breaks = [pair for block in blocks for pair in _breaks(block)]
    if not NARROW <= widest < WIDE or len(breaks) < NARROW_BREAKS:
        return None
    full = sum(_is_full(one, two, widest) or is_divided(one.text, two.text) for one, two in breaks)
    ended = sum(one.ended for one, _ in breaks)
    is_even = full >= NARROW_FULL_SHARE * len(breaks) and ended <= NARROW_ENDED_SHARE * len(breaks)
    starts_inside = any(_INNER_START.search(line.text) for block in blocks for line in block)
    return widest if is_even and starts_inside and _lower_share(breaks) >= NARROW_LOWER_SHARE else None


def _widest(block: Sequence[Line]) -> int:
    return max(line.end for line in block)


def is_divided(one: str, two: str) -> bool:
    """Whether a word is divided between two lines; a prefix on a line of its own is an item."""
    return _HYPHEN_END.search(one) is not None and " " in one and two[0].islower()


def group_lines(block: Sequence[Line], column: float | None) -> Iterator[list[Line]]:
    """The lines of a block, those together that make one paragraph. `column`: where the whole text is wrapped."""
    breaks = _breaks(block)
    wrapped = _is_evident(breaks) or (column is not None and _is_wrapped_at(breaks, column))
    limit = RAGGED * max(column or 0, _widest(block)) if wrapped else None
    group, sentences = [block[0]], _Sentences(block)
    for place, line in enumerate(block[1:], start=1):
        goes_on = _joins(group, line, limit) or (not wrapped and _goes_on_at(column, group[-1], line))
        if not goes_on and (line.starts or not sentences.go_on_at(place)):
            yield group
            group = []
        group.append(line)
    yield group


def group_items(block: Sequence[Line]) -> Iterator[list[Line]]:
    """The lines of a block that is known to be wrapped: only items and quotations begin anew."""
    group = [block[0]]
    for line in block[1:]:
        if line.starts or line.depth != group[-1].depth:
            yield group
            group = []
        group.append(line)
    yield group


def _breaks(block: Sequence[Line]) -> list[tuple[Line, Line]]:
    return [(one, two) for one, two in pairwise(block) if not two.starts and one.depth == two.depth]


def _is_evident(breaks: Sequence[tuple[Line, Line]]) -> bool:
    """Whether lines are full and break off in mid-sentence, by their own witness."""
    widest = max((line.end for pair in breaks for line in pair), default=0)
    if widest < NARROWEST:
        return widest >= NARROW and _runs_on(breaks, RAGGED * widest)
    if len(breaks) == 1:
        [(one, two)] = breaks
        return one.end >= WIDE and not one.ended and two.ended and bool(_INNER_END.search(one.text))
    if any(line.letter.isupper() for pair in breaks for line in pair):
        return _full_share(breaks, RAGGED * widest) >= FULL_SHARE and _lower_share(breaks) >= LOWER_SHARE
    if _runs_on(breaks, RAGGED * widest):
        return True
    return _full_share(breaks, widest) >= FULL_SHARE and _breaks_sentences(breaks)


def _runs_on(breaks: Sequence[tuple[Line, Line]], limit: float) -> bool:
    """For writing without capitals: whether a full sentence stops inside of a line, and most lines, which are about as
    wide, stop at none nor at a quotation mark. Verse has seldom the first, speeches the last."""
    lines = [breaks[0][0], *(two for _, two in breaks)]
    if len(breaks) == 1 or any(line.letter.lower() != line.letter.upper() for line in lines):
        return False
    inside = any(_INNER_STOP.search(line.text) for line in lines)
    run_on = sum(_RUNS_ON.search(one.text) is not None for one, _ in breaks)
    return inside and 2 * run_on >= len(breaks) and _full_share(breaks, limit) >= FULL_SHARE


def _is_wrapped_at(breaks: Sequence[tuple[Line, Line]], column: float) -> bool:
    """Whether a block of a text that is wrapped at a column is, too; in a narrow one it is none where every line of
    several begins with a capital letter, as in verse."""
    is_verse = column < NARROWEST and len(breaks) > 1 and _lower_share(breaks) == 0.0
    return not is_verse and _full_share(breaks, RAGGED * column) >= FULL_SHARE


def _full_share(breaks: Sequence[tuple[Line, Line]], limit: float) -> float:
    return sum(_is_full(one, two, limit) for one, two in breaks) / len(breaks) if breaks else 0.0


def _is_full(one: Line, two: Line, limit: float) -> bool:
    return one.end + two.first > limit


def _lower_share(breaks: Sequence[tuple[Line, Line]]) -> float:
    return sum(two.letter.islower() and not one.ended for one, two in breaks) / len(breaks)


def _breaks_sentences(breaks: Sequence[tuple[Line, Line]]) -> bool:
    """For writing without capitals: sentences end inside of lines, and most lines do not end one."""
    inside = any(_INNER_END.search(one.text) for one, _ in breaks)
    return inside and sum(not one.ended for one, _ in breaks) >= len(breaks) / 2


def _joins(group: Sequence[Line], line: Line, limit: float | None) -> bool:
    """Whether a line goes on where the group stopped, to judge by the layout. `limit`: columns of a full line, None
    where text is not wrapped."""
    last = group[-1]
    if line.starts or line.depth != last.depth:
        return False
    if is_divided(last.text, line.text) or (group[0].starts and line.indent > group[0].indent):
        return True
    if limit is None:
        return False
    full = _is_full(last, line, limit)
    if last.ended and line.indent > last.indent + 1:
        return False
    return full or (not last.ended and last.end >= limit / 2)


def _goes_on_at(column: float | None, last: Line, line: Line) -> bool:
    """In a block of which not all is wrapped, as of text and code: whether one line is as full as those of the text and
    the next goes on in a small letter, or did not fit at all; verse may fill a narrow column."""
    if column is None or line.starts or line.depth != last.depth or line.indent > last.indent + 1:
        return False
    if line.letter.islower():
        return _is_full(last, line, RAGGED * column)
    return column >= NARROWEST and _is_full(last, line, column)


class _Sentences:
    """Of a block: which of its lines continue one that then comes to its end. Each line is looked at once."""

    def __init__(self, block: Sequence[Line]) -> None:
        self._block = block

    def go_on_at(self, place: int) -> bool:
        last, line = self._block[place - 1], self._block[place]
        continues = not last.ended and last.depth == line.depth and line.letter.islower()
        return continues and self._has_capitals and self._ends[place]

    @cached_property
    def _has_capitals(self) -> bool:
        return any(line.letter.isupper() for line in self._block)

    @cached_property
    def _ends(self) -> list[bool]:
        """By line, whether a sentence ends there or below, before another begins."""
        ends, told = False, []
        for line in reversed(self._block):
            ends = not (line.starts or line.letter.isupper()) and (ends or ends_sentence(line.text))
            told.append(ends)
        return told[::-1]
