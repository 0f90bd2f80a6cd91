"""What is encoded and on its way into a corpus: it waits, so that a commit holds much of it."""

from __future__ import annotations

import time
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Waiting(Generic[Item]):
    """Items in order: documents, or blocks of them. A commit is due once they have `chunks` chunks, or `seconds` after
    the last one.

    0 of either: a commit is due whenever an item waits.
    """

    def __init__(self, chunks: int, seconds: float) -> None:
        self._limit = chunks
        self._seconds = seconds
        self._items: list[Item] = []
        self._chunks = 0
        self._since = time.monotonic()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def due(self) -> bool:
        if not self._items:
            return False
        return self._chunks >= self._limit or time.monotonic() - self._since >= self._seconds

    def add(self, item: Item, chunks: int) -> None:
        self._items.append(item)
        self._chunks += chunks

    def take(self) -> list[Item]:
        """Those that wait; from now on none does, and the time to the next commit begins."""
        items, self._items = self._items, []
        self._chunks, self._since = 0, time.monotonic()
        return items
