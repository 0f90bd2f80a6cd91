# ruff: noqa: RUF001 (typographic signs are names of arguments)
"""What follows a template's name, between pipes; and the signs that stand for what a template says."""

from __future__ import annotations

import re
from collections.abc import Callable

HOLE = "\ufffc"
"""Stands where something that cannot be said in words was; OBJECT REPLACEMENT CHARACTER."""

BREAK = "\n\n"

_NAMED = re.compile(r"\s*([\w -]*?|[±×+])\s*=(.*)", re.DOTALL)


class Arguments:
    """What follows a template's name: `at(0)` is the first positional one, `named("u")` one by name; "" if absent."""

    def __init__(self, parts: list[str]) -> None:
        self.positional: list[str] = []
        self._named: dict[str, str] = {}
        for part in parts:
            match = _NAMED.fullmatch(part)
            if match is None:
                self.positional.append(part.strip())
            else:
                self._named[match[1].lower()] = match[2].strip()

    def at(self, index: int) -> str:
        """MediaWiki also takes the first positional argument as `1=...`."""
        by_number = self._named.get(str(index + 1))
        if by_number is not None:
            return by_number
        return self.positional[index] if index < len(self.positional) else ""

    def named(self, *names: str) -> str:
        """The first of these that is given and not empty."""
        return next((self._named[name] for name in names if self._named.get(name)), "")

    def beyond(self, count: int) -> list[str]:
        """What is given by position after the first `count`, without empty ones."""
        return [value for value in self.positional[count:] if value]


Renderer = Callable[[Arguments], str]
"""From what a template is given to the words that it stands for."""
