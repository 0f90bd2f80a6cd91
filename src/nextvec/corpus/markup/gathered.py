"""Paragraphs gathered line by line from a text whose line ends mean nothing, with what is left out of it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Protocol

from nextvec.corpus.headings import PARAGRAPHS_APART, ruled
from nextvec.corpus.prose import Prose, collapse, lost, visible


def read_said(text: str, said: str, left_out: Counter[str], read: Callable[[str], Prose]) -> Prose:
    """What `read` makes of what a `text` says, with what was `left_out` of it before, and as markup the rest of it."""
    prose = read(said)
    markup = lost(text, said) - left_out.total()
    return replace(prose, left_out=+Counter(markup=markup) + left_out + Counter(prose.left_out))


class Lines(Protocol):
    """A document that is written line by line."""

    def read(self, lines: Sequence[str]) -> tuple[str, str, Counter[str]]:
        """Its paragraphs, its title, and what is left out of it: characters by reason."""
        ...


def read_lines(text: str, document: Lines, read: Callable[[str], Prose]) -> Prose:
    """What `read` makes of what `document` says of the lines of a text."""
    said, title, left_out = document.read(text.lstrip("\ufeff").replace("\r\n", "\n").split("\n"))
    prose = read_said(text, said, left_out, read)
    return replace(prose, title=title or prose.title)


def has_marks(text: str, mark: re.Pattern[str], fewest: int) -> bool:
    return sum(1 for _ in islice(mark.finditer(text), fewest)) == fewest


class Signs:
    """Strings that are looked for in a text, by a character of each that is no letter: most texts do not have it, and
    it is found ten times as fast."""

    def __init__(self, *signs: str) -> None:
        self._by_character: defaultdict[str, list[str]] = defaultdict(list)
        for sign in signs:
            telling = next(character for character in sign if not character.isalpha() and not character.isspace())
            self._by_character[telling].append(sign)

    def any_in(self, text: str) -> bool:
        return any(sign in text for telling, signs in self._by_character.items() if telling in text for sign in signs)


class Paragraphs:
    """`left_out`: characters by reason; `words`: what a whole paragraph or title says. One that is begun goes on until
    it is ended."""

    def __init__(self, words: Callable[[str], str]) -> None:
        self._words = words
        self.left_out: Counter[str] = Counter()
        self._done: list[str] = []
        self._begun: list[str] = []

    @property
    def is_begun(self) -> bool:
        return bool(self._begun)

    def add(self, line: str) -> None:
        if line := line.strip():
            self._begun.append(line)

    def begin(self, line: str) -> None:
        self.end()
        self.add(line)

    def end(self) -> None:
        if self._begun:
            self._done.append(collapse(self._words("\n".join(self._begun))))
            self._begun = []

    def title(self, text: str, level: int) -> None:
        """A heading, as plain text has it; `level` counts from 1."""
        self.end()
        self._done.append(ruled(collapse(self._words(text)), level))

    def leave_out(self, reason: str, text: str) -> None:
        self.left_out[reason] += visible(text)

    def text(self) -> str:
        self.end()
        return PARAGRAPHS_APART.join(filter(None, self._done))
