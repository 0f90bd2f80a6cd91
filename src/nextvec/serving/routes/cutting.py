"""Where a completion's text ends before its sentences do: at a number of words, or at a stop text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

WORD = re.compile(r"\S+")


class Cutter:
    """Takes sentences one by one and gives what of each belongs to the answer.

    An end that may be the beginning of a stop text is held back until the next sentence shows whether it is.

    Args:
        most_words: of the whole answer; None for any number.
        stop: texts, or one, that the answer ends before; looked for inside a sentence and across sentences.

    Attributes:
        words: given so far.
        ended: why nothing more is wanted; None as long as there is.
        cut: whether the last sentence does not belong to the answer whole.
    """

    def __init__(self, most_words: int | None, stop: str | Sequence[str] | None) -> None:
        self._most_words = most_words
        self._stops = [stop] if isinstance(stop, str) else list(stop or ())
        self._text, self._sent = "", 0
        self.words = 0
        self.ended: Literal["stop", "length"] | None = None
        self.cut = False

    def take(self, sentence: str) -> str:
        """What to send of `sentence`, with a space before it unless it is the first."""
        whole = taken = f"{self._text} {sentence}" if self._text else sentence
        ends = [at for stop in self._stops if stop and (at := whole.find(stop)) >= 0]
        if ends:
            whole, self.ended = whole[: min(ends)], "stop"
        words = list(WORD.finditer(whole))
        if self._most_words is not None and len(words) >= self._most_words:
            whole, self.ended = whole[: words[self._most_words - 1].end()], self.ended or "length"
        self._text, self.words = whole, min(len(words), self._most_words or len(words))
        self.cut = len(whole) < len(taken)
        return self._send(len(whole) if self.ended else len(whole) - self._begun())

    def rest(self) -> str:
        """What was held back, once no sentence comes any more."""
        return self._send(len(self._text))

    def _send(self, until: int) -> str:
        piece, self._sent = self._text[self._sent : until], until
        return piece

    def _begun(self) -> int:
        """Characters at the end that a stop text may begin with."""
        longest = min(max(map(len, self._stops), default=0) - 1, len(self._text))
        return next((n for n in range(longest, 0, -1) if self._may_begin(self._text[-n:])), 0)

    def _may_begin(self, end: str) -> bool:
        return any(stop.startswith(end) for stop in self._stops)

    def to_dict(self) -> dict[str, str]:
        """Why it ended, in words."""
        what = "max_tokens was reached" if self.ended == "length" else "a stop text came up"
        return {"detail": what}
