"""Arrays by name and shape: what a file holds beside what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

MOST_CHARACTERS = 200
"""Of a library's words, where there are none of our own."""


class Shaped(Protocol):
    @property
    def shape(self) -> Sequence[int]: ...


def difference(expected: Mapping[str, Shaped], found: Mapping[str, Shaped], refusal: Exception) -> str:
    """What a library refused, in a line: how many of the names that `refusal` tells differ, and the first of them."""
    told = str(refusal)
    names = sorted({*expected, *found})
    odd = [name for name in names if name in told and _shape(expected, name) != _shape(found, name)]
    if not odd:
        return " ".join(told.split())[:MOST_CHARACTERS]
    given, wanted = _shape(found, odd[0]), _shape(expected, odd[0])
    return f"{len(odd)} of {len(names)} tensors differ, for example {odd[0]}: {given} in the file, {wanted} expected"


def _shape(shaped: Mapping[str, Shaped], name: str) -> str:
    return str(tuple(shaped[name].shape)) if name in shaped else "none"
