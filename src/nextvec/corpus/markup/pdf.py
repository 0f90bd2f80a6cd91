"""PDF with a text layer: lines with their places and sizes, as pypdf reads them, to paragraphs and headings.

A page knows neither: what is set larger than most of the text is a heading, what stands at the same place of many pages
is a running head or a page's number, and where lines are further apart than usual a paragraph begins.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import groupby, pairwise
from statistics import median
from typing import Any

from nextvec.corpus.headings import Title, compose
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.prose import Prose, collapse, count_words, ends_sentence, visible
from nextvec.errors import DataError, MissingDependencyError

RUNNING_SHARE = 1 / 3
"""Of pages that bear a line at one place, numbers aside, for it to be a running one; and two at least."""
LARGER = 1.15
"""Times the size of most of the text, that a heading has at least."""
APART = 1.35
"""Times the usual distance of lines, from which on a paragraph begins."""
HEADING_WORDS = 20
LOWEST = 6
_MARK = "\ufdd0"
"""Begins a heading on its way through the reader of plain text; no character at all in any text."""
_NUMBER = re.compile(r"\d+")
_LEADERS = re.compile(r"(?:\.\s?){5,}\s*\w*\Z")
"""Dots at the end of a line, which lead to the number of a page: tables of contents have them."""
_LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
    | {_MARK: None}
)
_NO_TEXT = "it has no text layer, as scans have none: recognise its text first (OCR)"


@dataclass(frozen=True, slots=True)
class Line:
    """`height`: of its foot above the page's, in points; `size`: of its letters, 0 where that is not known."""

    text: str
    height: float
    size: float
    level: int = 0


def require_pypdf() -> Any:
    """Raises MissingDependencyError."""
    try:
        import pypdf
    except ImportError:
        raise MissingDependencyError.for_extra("pypdf", "documents") from None
    return pypdf


def read_pdf(content: bytes) -> Prose:
    """The prose of a PDF; its title is the document's own.

    Raises DataError for one without a text layer, one that needs a password, and a damaged one.
    """
    title, pages = _read(content)
    held = _characters(pages)
    if not held:
        raise DataError(_NO_TEXT)
    body = _without_running(pages)
    running = held - _characters(body)
    text_pages = [[line for line in page if not _LEADERS.search(line.text)] for page in body]
    contents = _characters(body) - _characters(text_pages)
    prose = read_plain(_joined([page for page in _with_levels(text_pages) if page]))
    text, headings = compose(map(_piece, prose.text.split("\n\n")))
    left_out = Counter(prose.left_out) + Counter({"running head": running, "navigation": contents})
    left_out["heading"] = sum(visible(one[2:]) for one in prose.text.split("\n\n") if one.startswith(_MARK))
    left_out["markup"] = 0
    left_out["markup"] = held - visible(text) - left_out.total()
    return Prose(
        title=title, text=text, left_out={why: count for why, count in left_out.items() if count}, headings=headings
    )


def _characters(pages: Sequence[Sequence[Line]]) -> int:
    return sum(visible(line.text) for page in pages for line in page)


def _read(content: bytes) -> tuple[str, list[list[Line]]]:
    pypdf = require_pypdf()
    damaged = (pypdf.errors.PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error)
    try:
        reader = pypdf.PdfReader(BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DataError("it needs a password")
        title = reader.metadata.title if reader.metadata else None
        return collapse(str(title or "")), [list(lines_of(page)) for page in reader.pages]
    except pypdf.errors.DependencyError as error:
        raise DataError(f"it is encrypted: {error}") from None
    except damaged as error:
        raise DataError(f"it is no whole PDF: {error}") from None


def lines_of(page: Any) -> Iterator[Line]:
    """The lines of a page in the order in which it draws them."""
    parts: list[Line] = []

    def take(text: str, current: Sequence[float], matrix: Sequence[float], font: object, size: float) -> None:
        height = current[1] * matrix[4] + current[3] * matrix[5] + current[5]
        scale = abs(matrix[3] * current[3]) or abs(matrix[1] * current[1])
        parts.append(Line(text.translate(_LIGATURES), height, size * scale))

    page.extract_text(visitor_text=take)
    line: list[Line] = []
    for part in parts:
        first, *others = part.text.split("\n")
        line.append(replace(part, text=first))
        for text in others:
            yield from _whole(line)
            line = [replace(part, text=text)]
    yield from _whole(line)


def _whole(parts: Sequence[Line]) -> Iterator[Line]:
    filled = [part for part in parts if part.text.strip()]
    if filled:
        size = max(filled, key=lambda part: len(part.text)).size
        yield Line("".join(part.text for part in parts).strip(), round(filled[0].height, 1), round(size, 1))


def _without_running(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    times = Counter(key for page in pages for key in {_place(line) for line in page})
    least = max(2, RUNNING_SHARE * len(pages))
    return [[line for line in page if times[_place(line)] < least] for page in pages]


def _place(line: Line) -> tuple[int, str]:
    return round(line.height), line.text if ends_sentence(line.text) else _NUMBER.sub("#", line.text)


def _with_levels(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The lines, told which of them are headings, the largest of level 1."""
    weight: Counter[float] = Counter()
    for line in (line for page in pages for line in page):
        weight[line.size] += len(line.text)
    if not weight:
        return []
    body = weight.most_common(1)[0][0]
    sizes = sorted((size for size in weight if body and size >= LARGER * body), reverse=True)
    levels = {size: min(number, LOWEST) for number, size in enumerate(sizes, start=1)}
    return [[replace(line, level=_level(line, levels)) for line in page] for page in pages]


def _level(line: Line, levels: dict[float, int]) -> int:
    is_text = ends_sentence(line.text) and count_words(line.text) >= HEADING_WORDS
    return 0 if is_text or not any(map(str.isalpha, line.text)) else levels.get(line.size, 0)


def _joined(pages: Sequence[Sequence[Line]]) -> str:
    led_on = (_as_text(page) + _between(page[-1], following[0]) for page, following in pairwise(pages))
    return "".join([*led_on, *map(_as_text, pages[-1:])])


def _between(last: Line, first: Line) -> str:
    """A paragraph goes on overleaf where no sentence has ended."""
    whole = last.level or first.level or ends_sentence(last.text) or last.text.endswith(":")
    return "\n\n" if whole else "\n"


def _as_text(page: Sequence[Line]) -> str:
    """Blank lines between paragraphs; a heading of several lines on one, with its mark."""
    usual = _usual_distance(page)
    blocks = ["\n".join(_block(run, usual)) for _, run in groupby(page, key=lambda line: line.level)]
    return "\n\n".join(blocks)


def _block(run: Iterable[Line], usual: float) -> Iterator[str]:
    lines = list(run)
    if lines[0].level:
        yield f"{_MARK}{lines[0].level}{collapse(' '.join(line.text for line in lines))}"
        return
    yield lines[0].text
    for before, line in pairwise(lines):
        if before.height - line.height > APART * usual:
            yield ""
        yield line.text


def _usual_distance(page: Sequence[Line]) -> float:
    """Of lines of text that follow each other downwards; infinite where there are none."""
    falls = [one.height - two.height for one, two in pairwise(page) if not one.level and not two.level]
    down = [fall for fall in falls if fall > 0]
    return median(down) if down else float("inf")


def _piece(paragraph: str) -> str | Title:
    if not paragraph.startswith(_MARK):
        return paragraph
    return Title(paragraph[2:], level=int(paragraph[1]))
