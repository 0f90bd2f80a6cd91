"""Which hyphens at the ends of lines only divide a word, and which belong to it, as other lines of the text show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

_LETTERS = r"[^\W\d_]+"
_HYPHEN = re.compile(r"[-\u2010]")
_COMPOUND = re.compile(rf"{_LETTERS}(?:{_HYPHEN.pattern}{_LETTERS})*")
_DIVISION = re.compile(rf"({_COMPOUND.pattern})({_HYPHEN.pattern})\n(?=({_LETTERS}))")
_DIVIDED = re.compile(rf"{_DIVISION.pattern}{_COMPOUND.pattern}")


def in_one_elsewhere(divided: Iterable[str], text: str) -> int:
    """How many of the pairs of lines divide a word that stands in one in the text, which has small letters."""
    matches = (match for lines in divided for match in _DIVISION.finditer(lines))
    return sum((_HYPHEN.split(match[1])[-1] + match[3]).lower() in text for match in matches)


@dataclass(frozen=True, slots=True)
class Spelling:
    """Words of a text as they stand within its lines, in small letters: all of them; two that a hyphen joins; and those
    that stand before one."""

    words: frozenset[str]
    joined: frozenset[tuple[str, str]]
    before: frozenset[str]

    @classmethod
    def of(cls, lines: Iterable[str]) -> Spelling:
        text = _DIVIDED.sub(" ", "\n".join(lines)).lower()
        compounds = [_HYPHEN.split(word) for word in set(_COMPOUND.findall(text))]
        joined = frozenset(pair for parts in compounds for pair in pairwise(parts))
        words = frozenset(parts[0] for parts in compounds if len(parts) == 1)
        return cls(words, joined, frozenset(first for first, _ in joined))

    def without_divisions(self, text: str) -> str:
        """`text` with words whole that its line ends divide, and with the hyphens that belong to words."""
        return _DIVISION.sub(self._undivided, text)

    def _undivided(self, match: re.Match[str]) -> str:
        first, hyphen, second = match.groups()
        return first + hyphen if self._has_hyphen(first, second) else first

    def _has_hyphen(self, first: str, second: str) -> bool:
        """Where nothing tells, a word is taken for divided."""
        *others, last = _HYPHEN.split(first)
        one, two = last.lower(), second.lower()
        if one + two in self.words:
            return False
        of_its_kind = one in self.before and two in self.words
        named = last[-1].islower() and second[0].isupper()
        return named or of_its_kind or (one, two) in self.joined or (bool(others) and one in self.words)
