"""Which part of a mixture a document is of: its source begins with the part's name."""

from __future__ import annotations

from collections.abc import Sequence

APART = ": "
MOST = 32
"""Parts of a mixture. Where documents have more sources than that, or hardly more documents than sources, each is a
source of its own."""
DOCUMENTS_A_PART = 3


def named_source(name: str, source: str) -> str:
    """The source of a document of the part `name`."""
    return f"{name}{APART}{source}"


def origin_of(source: str) -> str:
    """The part's name; where there is none, the source itself, as the name of a file."""
    return source.partition(APART)[0]


def origins(sources: Sequence[str]) -> list[str] | None:
    """Of each document, by its source; None where there are not several parts, or too many to be such."""
    found = list(map(origin_of, sources))
    return found if 2 <= len(set(found)) <= min(MOST, len(found) // DOCUMENTS_A_PART) else None
