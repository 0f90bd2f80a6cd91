"""What a reader of markup leaves out, counted where it happens."""

from __future__ import annotations

from collections import Counter

from nextvec.corpus.markup.arguments import HOLE
from nextvec.corpus.prose import lost, visible, without_controls


class Ledger:
    """Characters that were left out so far, by reason, as `prose.visible` counts them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def drop(self, reason: str, text: str, kept: str = "") -> str:
        """Count what `text` has more than `kept`, which is returned. Placeholders were never in the page."""
        lost = _characters(text) - (_characters(kept) if kept else 0)
        if lost > 0:
            self._counts[reason] += lost
        return kept

    def drop_controls(self, text: str) -> str:
        clean, characters = without_controls(text)
        if characters:
            self._counts["control characters"] += characters
        return clean

    def closed(self, page: str, prose: str) -> dict[str, int]:
        """All reasons. "markup" is what remains of `page` when its `prose` and all that was dropped are taken away.

        Words that are longer than the template they stand for (`as of|2012|9`) are taken from it; only in a page with
        hardly any markup can it fall below zero.
        """
        markup = lost(page, prose) - self._counts.total()
        return {**self._counts, "markup": markup} if markup else dict(self._counts)


def _characters(text: str) -> int:
    return visible(text) - text.count(HOLE)
