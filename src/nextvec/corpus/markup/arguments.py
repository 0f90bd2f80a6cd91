"""What a template is called with, and the sign for what cannot be said."""

from __future__ import annotations

import re

HOLE = "\ufffc"
"""Stands where something that cannot be said in words was; OBJECT REPLACEMENT CHARACTER."""

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

    def more_than(self, count: int, *names: str) -> bool:
        """Whether there is something beyond `count` positional arguments and those of these names."""
        return any(self.positional[count:]) or bool({name for name, value in self._named.items() if value} - {*names})
