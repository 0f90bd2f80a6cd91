"""Chunkers cut documents into ordered chunks. `build_chunker("sentence")` gives the default one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from nextvec.corpus.chunkers.fit import Encode, EncodingChunker, Fit, FittedChunker
from nextvec.corpus.document import Chunker
from nextvec.errors import UsageError
from nextvec.registry import Registry

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class ChunkerFactory(Protocol):
    """A class of chunkers, called with its options by name."""

    def __call__(self, options: Mapping[str, Any]) -> Chunker: ...


CHUNKERS: Registry[ChunkerFactory] = Registry("chunkers", "nextvec.corpus.chunkers")


def check_chunker(name: str, options: Mapping[str, Any] = NO_OPTIONS) -> None:
    """Raises UsageError for an unknown name, an unknown option or a bad value: before an encoder has been loaded."""
    _made(name, options)


def _made(name: str, options: Mapping[str, Any]) -> Chunker:
    """Raises also for one of somebody's own that is no chunker, or whose `spec` no corpus could record."""
    chunker = CHUNKERS.get(name)(options)
    spec = getattr(chunker, "spec", None)
    if not callable(getattr(chunker, "chunks", None)) or not isinstance(spec, dict) or spec.get("name") != name:
        raise UsageError(
            f"chunker '{name}' ({type(chunker).__name__}): expected a method chunks(document) that gives a list of "
            f"chunks, and a property spec, a dictionary of its name, '{name}', and its options"
        )
    try:
        json.dumps(spec)
    except (TypeError, ValueError) as error:
        raise UsageError(f"chunker '{name}': its spec is recorded as JSON, which cannot hold it: {error}") from None
    return chunker


def build_chunker(
    name: str, options: Mapping[str, Any] = NO_OPTIONS, fit: Fit | None = None, encode: Encode | None = None
) -> Chunker:
    """The chunker of that name. Raises UsageError for an unknown name, an unknown option or a bad value.

    fit: of the encoder that will read the chunks; without one, or for an encoder that does not count its tokens, no
        chunker can keep within `max_tokens`.
    encode: of the same encoder; without it no chunker can cut by vectors.
    """
    chunker = _made(name, options)
    if encode is not None and isinstance(chunker, EncodingChunker):
        chunker = chunker.with_encoder(encode)
    return chunker.fitted(fit) if isinstance(chunker, FittedChunker) else chunker
