"""Where a completion's text ends before its sentences do: at a number of words, or at a stop text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

WORD = re.compile(r"\S+")


class Cutter:
    """Takes sentences one by one and gives what of each belongs to the answer.

    Args:
        most_words: of the whole answer; None for any number.
        stop: texts, or one, that the answer ends before; looked for inside a sentence and across sentences.

    Attributes:
        words: given so far.
        ended: why nothing more is wanted; None as long as there is.
    """

    def __init__(self, most_words: int | None, stop: str | Sequence[str] | None) -> None:
        self._most_words = most_words
        self._stops = [stop] if isinstance(stop, str) else list(stop or ())
        self._text = ""
        self.words = 0
        self.ended: Literal["stop", "length"] | None = None

    def take(self, sentence: str) -> str:
        """What to send of `sentence`, with a space before it unless it is the first."""
        whole = f"{self._text} {sentence}" if self._text else sentence
        ends = [at for stop in self._stops if stop and (at := whole.find(stop)) >= 0]
        if ends:
            whole, self.ended = whole[: min(ends)], "stop"
        words = list(WORD.finditer(whole))
        if self._most_words is not None and len(words) >= self._most_words:
            whole, self.ended = whole[: words[self._most_words - 1].end()], self.ended or "length"
        piece = whole[len(self._text) :]
        self._text, self.words = whole, min(len(words), self._most_words or len(words))
        return piece

    def to_dict(self) -> dict[str, str]:
        """Why it ended, in words."""
        what = "max_tokens was reached" if self.ended == "length" else "a stop text came up"
        return {"detail": what}
