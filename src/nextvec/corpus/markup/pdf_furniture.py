"""What stands on the pages of a PDF and is not their text: running heads and feet, page numbers, footnotes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from nextvec.corpus.markup.pdf_lines import APART, LARGER, main_size, usual_distance
from nextvec.corpus.markup.pdf_pieces import Line
from nextvec.corpus.prose import ends_sentence

Pages = Sequence[Sequence[Line]]

RUNNING_SHARE = 1 / 3
"""Of pages that bear a line at one place, numbers aside, for it to be a running one; and two at least."""
BUSY_SHARE = 1 / 2
"""Of pages that bear some line at the edge, set apart and at one height, for heads to change there with the chapter."""
FEWEST_PAGES = 4
NEARBY = 2
"""Pages within which a head comes again: left and right pages may differ."""
RECURRING_SHARE = 2 / 3
"""Of the lines at such a height, that come again nearby; a chapter of one page has a head of its own."""
SMALLER = 0.92
"""Times the size of most of the text, that a footnote has at most."""
SET_OFF = 1.1
"""Times the usual distance of lines, that the first footnote is below the text at least."""
COLUMN = 100
"""Points to the left and right, within which a line begins that is in the same column."""
_LETTER = 0.5
"""Times its size: how wide a letter is."""
_LEADERS = re.compile(r"(?:\.\s?){5,}\s*\w*\Z")
"""Dots at the end of a line, which lead to the number of a page: tables of contents have them."""
_LEADS = re.compile(r"\S.*\s(?:(\d{1,4})|[ivxlc]+)")
"""An entry of such a table that has a page's number and no dots, as those of chapters have none."""
_INDEXED = re.compile(r"\S.*,\s\d{1,4}(?:(?:\s?[-\u2010-\u2015]\s?|,\s)\d{1,4})*")
"""An entry of an index: a term, and the numbers of its pages."""
FEWEST_LEADERS, LEADERS_SHARE = 3, 1 / 3
"""Lines with dots, at least, of a page of contents, and their share of it."""
FEWEST_ENTRIES, ENTRIES_SHARE = 8, 3 / 4
"""Lines with a page's number, at least, of a page of contents without dots, and their share of it."""
INDEXED_SHARE = 1 / 2
"""Of the lines of a page of an index, that are entries with their pages: others go on with one, or have none."""
_NUMBER = re.compile(r"\d+")
_ROMAN = re.compile(r"[ivxlc]+")
_BEGINS_NOTE = re.compile(
    r"[\[(]?(?:\d{1,3}(?!\d|[.,]\d)|[\u00b9\u00b2\u00b3\u2070\u2074-\u2079]+|[*\u2020\u2021\u00a7\u00b6]+)"
)


def without_running(pages: Pages) -> list[list[Line]]:
    """The pages without lines that stand at one place of many pages, but within the text of none, and without heads
    that change by chapter."""
    times = Counter(key for page in pages for key in {_place(line) for line in page})
    least, gap = max(2, RUNNING_SHARE * len(pages)), APART * usual_distance(pages)
    passing = _passing(pages)
    left: list[list[Line]] = []
    for number, page in enumerate(pages):
        running = set(_running(page, {line for line in page if times[_place(line)] >= least}, gap))
        left.append([line for line in page if line not in running and (number, line) not in passing])
    return left


def _running(page: Sequence[Line], again: set[Line], gap: float) -> Iterator[Line]:
    """Those of the lines that stand there `again`, but for what is drawn in the midst of text."""
    text = [line for line in page if line not in again]
    runs = [list(run) for _, run in groupby(page, key=again.__contains__)]
    for before, run, after in zip([[], *runs], runs, [*runs[1:], []], strict=False):
        if run[0] in again and not (_is_next(before, run, gap) and _is_next(run, after, gap) and _is_amid(run, text)):
            yield from run


def _is_next(run: Sequence[Line], following: Sequence[Line], gap: float) -> bool:
    return bool(run and following) and abs(run[-1].height - following[0].height) <= gap


def _is_amid(run: Sequence[Line], text: Sequence[Line]) -> bool:
    """Whether text is above and below, and some begins no further right and some ends there or further right."""
    heights, lefts = [line.height for line in text], [line.left for line in text]
    right = max(line.left + _LETTER * line.size * len(line.text) for line in text)
    return all(min(heights) < line.height < max(heights) and min(lefts) <= line.left <= right for line in run)


def _place(line: Line) -> tuple[int, str]:
    return round(line.height), _unnumbered(line.text)


def _unnumbered(text: str) -> str:
    if ends_sentence(text):
        return text
    return "#" if _ROMAN.fullmatch(text) else _NUMBER.sub("#", text)


def _passing(pages: Pages) -> set[tuple[int, Line]]:
    """Heads and feet, with the numbers of their pages, that no great part of the pages has in common."""
    at: dict[int, list[tuple[int, Line]]] = defaultdict(list)
    largest, gap = LARGER * main_size(pages), APART * usual_distance(pages)
    for number, page in enumerate(pages):
        for line in _edges(page, gap):
            if line.size < largest:
                at[round(line.height)].append((number, line))
    least = max(FEWEST_PAGES, BUSY_SHARE * len(pages))
    busy = (found for found in at.values() if len({number for number, _ in found}) >= least)
    return {one for found in busy if _recurring(found) >= RECURRING_SHARE * len(found) for one in found}


def _edges(page: Sequence[Line], gap: float) -> Iterator[Line]:
    """The highest and the lowest line of a page, with what is beside them, where they are set apart from the rest."""
    rows = sorted({round(line.height) for line in page}, reverse=True)
    for edge, beside in (rows[:2], rows[:-3:-1]) if len(rows) > 1 else ():
        if abs(edge - beside) > gap:
            yield from (line for line in page if round(line.height) == edge)


def _recurring(found: Sequence[tuple[int, Line]]) -> int:
    """How many of the lines come again on a page nearby."""
    pages: dict[str, set[int]] = defaultdict(set)
    keys = [(number, _unnumbered(line.text)) for number, line in found]
    for number, text in keys:
        pages[text].add(number)
    return sum(any(0 < abs(number - other) <= NEARBY for other in pages[text]) for number, text in keys)


def without_notes(pages: Pages) -> list[list[Line]]:
    """The pages without footnotes: smaller lines at the foot, set off from the text, that begin with a number or mark,
    or go on with a note of the page before."""
    limit, gap = SMALLER * main_size(pages), SET_OFF * usual_distance(pages)
    left: list[list[Line]] = []
    goes_on = False
    for page in pages:
        notes = {line for run in _runs_at_foot(page, limit) for line in _notes(run, page, gap, goes_on)}
        left.append([line for line in page if line not in notes])
        goes_on = bool(notes) and not ends_sentence(min(notes, key=lambda line: line.height).text)
    return left


def without_contents(pages: Pages) -> list[list[Line]]:
    """The pages without tables of contents and indexes: lines that lead to a page's number by dots, and on a page of
    such entries those without dots, too, and what is between them and no sentence: entries that take several lines."""
    return [_without_entries(page, len(pages)) for page in pages]


def _without_entries(page: Sequence[Line], last: int) -> list[Line]:
    dotted = {line for line in page if _LEADERS.search(line.text)}
    entries = _contents(page, dotted, last) | _index(page)
    within = [place for place, line in enumerate(page) if line in entries]
    between = {line for line in page[within[0] : within[-1]] if not ends_sentence(line.text)} if within else set()
    return [line for line in page if line not in dotted | entries | between]


def _contents(page: Sequence[Line], dotted: set[Line], last: int) -> set[Line]:
    """The entries of a page of contents; none where it is no such page. `last`: the number of the last page."""
    found = {line: number for line in page if (number := _LEADS.fullmatch(line.text))}
    numbers = [int(number[1]) for number in found.values() if number[1]]
    many = len(numbers) >= max(FEWEST_ENTRIES, ENTRIES_SHARE * len(page))
    counts_up = many and all(one <= two for one, two in pairwise([*numbers, last]))
    by_dots = len(dotted) >= max(FEWEST_LEADERS, LEADERS_SHARE * len(page))
    return dotted | found.keys() if by_dots or counts_up else set()


def _index(page: Sequence[Line]) -> set[Line]:
    entries = {line for line in page if _INDEXED.fullmatch(line.text)}
    return entries if len(entries) >= max(FEWEST_ENTRIES, INDEXED_SHARE * len(page)) else set()


def _runs_at_foot(page: Sequence[Line], limit: float) -> Iterator[list[Line]]:
    """Smaller lines that follow one another, and below which no text is in their column."""
    text = [line for line in page if line.size > limit and any(map(str.isalpha, line.text))]
    for small, run in groupby(page, key=lambda line: line.size <= limit):
        lines = list(run)
        above = [line for line in text if abs(line.left - lines[0].left) < COLUMN]
        if small and above and all(line.height > lines[-1].height for line in above):
            yield lines


def _notes(run: list[Line], page: Sequence[Line], gap: float, goes_on: bool) -> list[Line]:
    """What of smaller lines are notes: from the first on that is set off and begins as one does."""
    for place, line in enumerate(run):
        begins = _BEGINS_NOTE.match(line.text) or (goes_on and line.text[0].islower())
        if begins and _distance_above(line, page) > gap:
            return run[place:]
    return []


def _distance_above(line: Line, page: Sequence[Line]) -> float:
    """To the next line above in the same column; 0 where there is none."""
    higher = (one.height for one in page if one.height > line.height and abs(one.left - line.left) < COLUMN)
    return min(higher, default=line.height) - line.height
