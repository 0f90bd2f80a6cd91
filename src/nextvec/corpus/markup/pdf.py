"""PDF with a text layer: lines with their places and sizes, as pypdf reads them, to paragraphs and headings.

A page knows neither: what is set larger than most of the text is a heading, what stands at the same place of many
pages, and not within their text, is a running head or a page's number, and where lines are further apart than usual, or
one is indented, a paragraph begins.
"""

from __future__ import annotations

import logging
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from itertools import groupby, pairwise
from typing import Any

from nextvec.corpus.headings import Title, compose
from nextvec.corpus.markup.carried import LOWEST, carried, carry
from nextvec.corpus.markup.pdf_fonts import UNKNOWN, Fonts
from nextvec.corpus.markup.pdf_furniture import without_contents, without_notes, without_running
from nextvec.corpus.markup.pdf_indents import ENDED_SHARE, has_ended, paragraph_starts
from nextvec.corpus.markup.pdf_lines import (
    APART,
    LARGER,
    characters,
    lines_of,
    main_size,
    sizes,
    usual_distance,
)
from nextvec.corpus.markup.pdf_pieces import Line
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.markup.wrapping import is_divided
from nextvec.corpus.prose import Prose, collapse, count_words, ends_sentence, visible
from nextvec.errors import DataError, MissingDependencyError

HEADING_WORDS = 20
SLIGHTLY_APART, FEWEST_SPACES = 1.12, 3
"""Times the usual distance, that a paragraph may be set off with, and how many have to be."""
_DAMAGED = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, RecursionError, TypeError),
    *(ValueError, struct.error, zlib.error),
)
"""What pypdf raises besides its own errors, where it did not expect what it finds."""
_END, _ENDS, _TAIL = b"\n%%EOF\n", re.compile(rb"\bstartxref\s+\d+\s*\Z"), 100
"""The mark of a file's end, what it stands behind, and in how many bytes that is looked for."""
_UNNAMED = "it does not say which characters its letters are: recognise its text (OCR)"
_NO_TEXT = "it has no text layer, as scans have none: recognise its text first (OCR)"


def require_pypdf() -> Any:
    """Raises MissingDependencyError."""
    try:
        import pypdf
    except ImportError:
        raise MissingDependencyError.for_extra("pypdf", "documents") from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it repairs is of no use to anybody who reads the text
    return pypdf


def read_pdf(content: bytes) -> Prose:
    """The prose of a PDF; its title is the document's own. Pages that cannot be read are told as `missing`.

    Raises DataError for one without a text layer, one that needs a password, and one of which no page can be read.
    """
    title, drawn, missing = _read(content)
    pages = _without_unknown(drawn)
    marks = sum(line.marks for page in pages for line in page)
    held, unknown = characters(drawn) + marks, characters(drawn) - characters(pages)
    if held == unknown:
        raise DataError(_UNNAMED if unknown else _NO_TEXT)
    unframed = without_running(pages)
    body = without_notes(unframed)
    running, notes = characters(pages) - characters(unframed), characters(unframed) - characters(body)
    text_pages = without_contents(body)
    contents = characters(body) - characters(text_pages)
    prose = read_plain(_joined([page for page in _with_levels(text_pages) if page]))
    pieces = [carried(one) or one for one in prose.text.split("\n\n")]
    text, headings = compose(pieces)
    left_out = Counter(prose.left_out) + Counter({"running head": running, "navigation": contents})
    left_out += Counter({"footnote": notes, "note mark": marks, "unknown character": unknown})
    left_out["heading"] = sum(visible(one.text) for one in pieces if isinstance(one, Title))
    left_out["markup"] = 0
    left_out["markup"] = held - visible(text) - left_out.total()
    left_out = Counter({why: count for why, count in left_out.items() if count})
    return Prose(title=title, text=text, left_out=left_out, headings=headings, missing=missing)


def _read(content: bytes) -> tuple[str, list[list[Line]], tuple[str, ...]]:
    """Title and pages, and the names of those that cannot be read, where others can."""
    pypdf = require_pypdf()
    try:
        reader = pypdf.PdfReader(BytesIO(_ended(content)))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DataError("it needs a password")
        title = reader.metadata.title if reader.metadata else None
        return collapse(str(title or "")), *_pages(reader)
    except pypdf.errors.DependencyError as error:
        raise DataError(f"it is encrypted: {error}") from None
    except NotImplementedError as error:
        raise DataError(f"it is encrypted or packed in a way that cannot be read: {collapse(str(error))}") from None
    except (pypdf.errors.PyPdfError, *_DAMAGED) as error:
        raise DataError(f"it is no whole PDF: {collapse(str(error))}") from None


def _ended(content: bytes) -> bytes:
    """With the mark of its end, where that is all that it lacks."""
    return content.rstrip() + _END if _ENDS.search(content[-_TAIL:]) else content


def _pages(reader: Any) -> tuple[list[list[Line]], tuple[str, ...]]:
    from pypdf.errors import PyPdfError

    pages: list[list[Line]] = []
    failed: dict[str, Exception] = {}
    fonts = Fonts()
    for number, page in enumerate(reader.pages, start=1):
        try:
            pages.append(list(lines_of(page, fonts)))
        except (PyPdfError, NotImplementedError, *_DAMAGED) as error:
            failed[f"page {number}"] = error
    if failed and not any(pages):
        raise next(iter(failed.values()))
    return pages, tuple(failed)


def _without_unknown(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without characters of which nothing is known, and without lines that have no others."""
    return [[kept for line in page if (kept := _known(line)).text] for page in pages]


def _known(line: Line) -> Line:
    return replace(line, text=collapse(line.text.replace(UNKNOWN, ""))) if UNKNOWN in line.text else line


def _with_levels(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The lines, told which of them are headings, the largest of level 1."""
    body = main_size(pages)
    larger = sorted((size for size in sizes(pages) if body and size >= LARGER * body), reverse=True)
    levels = {size: min(number, LOWEST) for number, size in enumerate(larger, start=1)}
    return [[replace(line, level=_level(line, levels)) for line in page] for page in pages]


def _level(line: Line, levels: dict[float, int]) -> int:
    is_text = ends_sentence(line.text) and count_words(line.text) >= HEADING_WORDS
    return 0 if is_text or not any(map(str.isalpha, line.text)) else levels.get(line.size, 0)


def _joined(pages: Sequence[Sequence[Line]]) -> str:
    apart = _distance_of_paragraphs(pages)
    texts = [_as_text(page, starts, apart) for page, starts in zip(pages, paragraph_starts(pages), strict=True)]
    ends = (_between(page[-1], following[0]) for page, following in pairwise(pages))
    return "".join(text + end for text, end in zip(texts, [*ends, ""], strict=False))


def _between(last: Line, first: Line) -> str:
    """A paragraph goes on overleaf where no sentence has ended."""
    whole = last.level or first.level or ends_sentence(last.text) or last.text.endswith(":")
    return "\n\n" if whole else "\n"


def _distance_of_paragraphs(pages: Sequence[Sequence[Line]]) -> float:
    """Times the usual distance of lines, from which on one begins: less than elsewhere where lines that are a little
    further apart follow on such that have ended, nearly all of them."""
    usual = usual_distance(pages)
    pairs = [pair for page in pages for pair in pairwise(page) if not pair[0].level and not pair[1].level]
    before = [one for one, two in pairs if SLIGHTLY_APART * usual < one.height - two.height <= APART * usual]
    is_space = len(before) >= FEWEST_SPACES and sum(map(has_ended, before)) >= ENDED_SHARE * len(before)
    return SLIGHTLY_APART if is_space else APART


def _as_text(page: Sequence[Line], starts: set[Line], apart: float) -> str:
    """Blank lines between paragraphs; a heading of several lines on one, with its mark."""
    gap = apart * usual_distance([page])
    blocks = ["\n".join(_block(run, gap, starts)) for _, run in groupby(page, key=lambda line: line.level)]
    return "\n\n".join(blocks)


def _block(run: Iterable[Line], gap: float, starts: set[Line]) -> Iterator[str]:
    lines = list(run)
    if lines[0].level:
        yield carry(collapse(" ".join(line.text for line in lines)), lines[0].level)
        return
    yield lines[0].text
    for before, line in pairwise(lines):
        begins = before.height - line.height > gap or line in starts
        if begins and not is_divided(before.text, line.text):
            yield ""
        yield line.text
