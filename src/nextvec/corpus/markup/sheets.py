"""Plain text that was set for a printer: pages end with a form feed, and most bear a running head or foot; or, where a
scanned book was recognised, with such lines alone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence, Set
from itertools import accumulate, pairwise

from nextvec.corpus.prose import collapse, ends_sentence, is_small

LEAST_PAGES = 3
RUNNING_SHARE = 1 / 3
"""Of pages, that bear a line for it to be a running one: left and right pages may differ, some have none."""
_FULL_LINE = 60
"""Columns from which a last line without an end of a sentence goes on overleaf."""
_LONGEST_RUNNING = 80
_RISING, _FARTHEST = 0.8, 3
"""Of the numbers of pages, that rise, and by how much at most: some pages bear none, and some are read wrongly."""
_NUMBER = re.compile(r"\d+")
_DIGITS = dict.fromkeys(map(ord, "0123456789"))
_FIRST, _LAST = 0, -1


def with_page_ends(text: str) -> str:
    """`text` with a form feed in place of the running lines of a page, where sentences go on beyond them. As it is
    where it has form feeds or no such lines. Line ends are newlines."""
    if "\f" in text:
        return text
    blocks = [block.strip("\n") for block in text.split("\n\n") if block.strip()]
    running = _parting(blocks)
    if not running:
        return text
    kept = (("\f" if _lone(block) in running else block) for block in blocks)
    return re.sub(r"\f(?:\n\n\f)*", "\f", "\n\n".join(kept))


def _lone(block: str) -> str:
    """A line that stands alone, whatever numbers it has; "" for any other."""
    if len(block) > _LONGEST_RUNNING or "\n" in block:
        return ""
    line = block.strip()
    bare = line.translate(_DIGITS)
    return line if bare == line else f"#{bare}"


def _parting(blocks: Sequence[str]) -> set[str]:
    """The lines that stand alone three times or more, at a third of the places in the midst of a sentence, and whose
    numbers, if they have any, are those of pages."""
    keys = list(map(_lone, blocks))
    counts = Counter(filter(None, keys))
    often = {key for key, times in counts.items() if times >= LEAST_PAGES and not ends_sentence(key)}
    parted: Counter[str] = Counter()
    numbers: dict[str, list[int]] = defaultdict(list)
    for key, block, (above, below) in zip(keys, blocks, _beside(blocks, keys, often), strict=True) if often else ():
        numbers[key] += map(int, _NUMBER.findall(block)[-1:])
        parted[key] += key in often and _is_parted(above, below)
    return {key for key in often if parted[key] >= max(2, RUNNING_SHARE * counts[key]) and _rise(numbers[key])}


def _beside(blocks: Sequence[str], keys: Sequence[str], often: Set[str]) -> Iterator[tuple[str, str]]:
    """For each block the nearest ones above and below that are none of those lines."""
    others = ["" if key in often else block for key, block in zip(keys, blocks, strict=True)]
    below = list(accumulate(reversed(others), _nearest))
    return zip(accumulate(others, _nearest), reversed(below), strict=True)


def _nearest(last: str, block: str) -> str:
    return block or last


def _is_parted(above: str, below: str) -> bool:
    return bool(above) and not ends_sentence(above) and not above.endswith(":") and is_small(below.lstrip()[:1])


def _rise(numbers: Sequence[int]) -> bool:
    steps = [two - one for one, two in pairwise(numbers)]
    return sum(0 < step <= _FARTHEST for step in steps) >= _RISING * len(steps)


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
