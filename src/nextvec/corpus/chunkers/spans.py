"""Spans of a text, and the chunks made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.headings import heading_at
from nextvec.corpus.prose import collapse, has_blank_line, visible
from nextvec.structure import BEGINS, CONTINUES

Span = tuple[int, int]

NO_LETTER = "pieces without a letter"
"""Why a chunker leaves something out: `* * *`, `1998.`"""


def trim(text: str, span: Span) -> Span:
    """The span without the white space at its ends; empty (at its start) when there is nothing else in it."""
    start, end = span
    passage = text[start:end].lstrip()
    start = end - len(passage)
    return start, start + len(passage.rstrip())


def has_letter(text: str) -> bool:
    return text[:1].isalpha() or any(map(str.isalpha, text))


def chunks_of_spans(document: Document, spans: Iterable[Span]) -> list[Chunk]:
    """One chunk for each span that holds a letter, numbered from 0, its text on one line.

    One that repeats the end of the chunk before it goes on with that one's paragraph.
    """
    chunks: list[Chunk] = []
    for start, end in spans:
        passage = document.text[start:end]
        if has_letter(passage):
            chunks.append(_chunk(document, passage, (start, end), chunks))
    return chunks


def _chunk(document: Document, passage: str, span: Span, before: Sequence[Chunk]) -> Chunk:
    start, end = span
    begins = BEGINS if not before or has_blank_line(document.text, before[-1].end, start) else CONTINUES
    return Chunk(
        text=collapse(passage),
        position=len(before),
        start=start,
        end=end,
        begins=begins,
        heading=heading_at(document.headings, start),
    )


def left_out(text: str, chunks: Iterable[Chunk]) -> int:
    """Characters of `text`, as `visible` counts them, that are in none of its chunks, for the reason `NO_LETTER`.

    `chunks` are ordered by their beginnings and may overlap; with the characters that they cover, each counted once,
    the result adds up to `visible(text)`.
    """
    reached, outside = 0, []
    for chunk in chunks:
        outside.append(text[reached : chunk.start])
        reached = max(reached, chunk.end)
    return visible("".join([*outside, text[reached:]]))
