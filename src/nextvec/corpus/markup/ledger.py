"""What a reader of markup leaves out, counted where it is left out."""

from __future__ import annotations

from collections import Counter

from nextvec.corpus.markup.arguments import HOLE
from nextvec.corpus.prose import visible


class Ledger:
    """Characters left out so far, by reason."""

    def __init__(self) -> None:
        self._characters: Counter[str] = Counter()

    def leave(self, text: str, reason: str) -> str:
        """Count `text` as left out; the empty string that stands in its place. A hole in it was counted before."""
        self._characters[reason] += visible(text) - text.count(HOLE)
        return ""

    def settle(self, original: str, kept: str) -> dict[str, int]:
        """By reason what was left out, with "markup" for the rest: syntax, which is no text.

        All values and `visible(kept)` add up to `visible(original)`. Markup alone may be below zero: where a template
        says more than it is written with.
        """
        named = {reason: count for reason, count in self._characters.items() if count}
        markup = visible(original) - visible(kept) - sum(named.values())
        return {**named, "markup": markup} if markup else named
