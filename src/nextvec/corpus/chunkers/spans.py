"""Spans of a text, and the chunks made of them."""

from __future__ import annotations

from collections.abc import Iterable

from nextvec.corpus.document import Chunk
from nextvec.corpus.prose import collapse, has_blank_line, visible
from nextvec.structure import BEGINS, CONTINUES

Span = tuple[int, int]

NO_LETTER = "pieces without a letter"
"""Why a chunker leaves something out: `* * *`, `1998.`"""


def trim(text: str, span: Span) -> Span:
    """The span without the white space at its ends; empty (at its start) when there is nothing else in it."""
    start, end = span
    passage = text[start:end]
    start += len(passage) - len(passage.lstrip())
    return start, start + len(passage.strip())


def has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def chunks_of_spans(text: str, spans: Iterable[Span]) -> list[Chunk]:
    """One chunk for each span that holds a letter, numbered from 0, its text on one line.

    One that repeats the end of the chunk before it goes on with that one's paragraph.
    """
    chunks: list[Chunk] = []
    for start, end in spans:
        passage = text[start:end]
        if has_letter(passage):
            begins = BEGINS if not chunks or has_blank_line(text, chunks[-1].end, start) else CONTINUES
            chunks.append(Chunk(text=collapse(passage), position=len(chunks), start=start, end=end, begins=begins))
    return chunks


def left_out(text: str, chunks: Iterable[Chunk]) -> int:
    """Characters of `text`, as `visible` counts them, that are in none of its chunks, for the reason `NO_LETTER`.

    `chunks` are ordered by their beginnings and may overlap; with the characters that they cover, each counted once,
    the result adds up to `visible(text)`.
    """
    reached = outside = 0
    for chunk in chunks:
        outside += visible(text[reached : chunk.start])
        reached = max(reached, chunk.end)
    return outside + visible(text[reached:])
