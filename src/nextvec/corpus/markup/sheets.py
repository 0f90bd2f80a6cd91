"""Plain text that was set for a printer: pages end with a form feed, and most bear a running head or foot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from nextvec.corpus.prose import collapse, ends_sentence

LEAST_PAGES = 3
RUNNING_SHARE = 1 / 3
"""Of pages, that bear a line for it to be a running one: left and right pages may differ, some have none."""
_FULL_LINE = 60
"""Columns from which a last line without an end of a sentence goes on overleaf."""
_NUMBER = re.compile(r"\d+")
_FIRST, _LAST = 0, -1


def join_pages(text: str) -> str:
    """`text` without form feeds and running lines, with paragraphs whole that go on overleaf. As it is where it has
    fewer than three pages. Line ends are newlines."""
    pages = [page.strip("\n").split("\n") for page in text.split("\f") if page.strip()]
    if len(pages) < LEAST_PAGES:
        return text
    for end in (_LAST, _FIRST):
        running = _running(pages, end)
        pages = [_without(page, end) if _key(page, end) in running else page for page in pages]
    return "".join(_joined([page for page in pages if any(map(str.strip, page))]))


def _running(pages: Sequence[list[str]], end: int) -> set[str]:
    counts = Counter(_key(page, end) for page in pages)
    return {line for line, times in counts.items() if line and times >= max(2, RUNNING_SHARE * len(pages))}


def _key(page: Sequence[str], end: int) -> str:
    """The first or last line, whatever numbers it has unless it is a sentence; "" for one with text beside it."""
    beside = page[:_LAST][end:] if end == _LAST else page[1:2]
    line = collapse(page[end])
    if any(map(str.strip, beside)):
        return ""
    return line if ends_sentence(line) else _NUMBER.sub("#", line)


def _without(page: Sequence[str], end: int) -> list[str]:
    kept = page[:-1] if end == _LAST else page[1:]
    return "\n".join(kept).strip("\n").split("\n")


def _joined(pages: Sequence[list[str]]) -> Iterator[str]:
    for page, following in pairwise(pages):
        yield "\n".join(page)
        yield "\n" if _goes_on(page[_LAST], following[_FIRST]) else "\n\n"
    yield from map("\n".join, pages[-1:])


def _goes_on(line: str, following: str) -> bool:
    line = line.rstrip()
    if ends_sentence(line) or line.endswith(":"):
        return False
    return len(line) >= _FULL_LINE or following.lstrip()[:1].islower()
