"""The words of words.toml, by language."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from nextvec.corpus.chunkers.abbreviations import NO_STARTERS, STARTERS, WHOLE


@cache
def words(kind: str, language: str) -> frozenset[str]:
    """Those of a kind of words.toml, `shortened` and `names` also capitalised; English has only `starters` and
    `whole`, without the `no` of `no. A`."""
    if language == "en":
        return {"starters": STARTERS - NO_STARTERS, "whole": WHOLE - {"no"}}.get(kind, frozenset())
    entry = _table().get(language, {})
    own = frozenset(entry.get(kind, "").split())
    if kind in ("shortened", "names"):
        own |= {word[0].upper() + word[1:] for word in own}
    return own.union(*(words(kind, other) for other in entry.get("same", ())))


@cache
def languages() -> tuple[str, ...]:
    """Those whose `starters` are known; of several that share their words the first."""
    return ("en", *(language for language, entry in _table().items() if "starters" in entry))


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text("utf-8"))
