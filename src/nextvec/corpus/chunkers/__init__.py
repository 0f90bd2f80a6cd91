"""Chunkers cut documents into ordered chunks. `build_chunker("sentence")` gives the default one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from nextvec.corpus.chunkers.fit import Encode, EncodingChunker, Fit, FittedChunker
from nextvec.corpus.document import Chunker
from nextvec.registry import Registry

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class ChunkerFactory(Protocol):
    """A class of chunkers, called with its options by name."""

    def __call__(self, options: Mapping[str, Any]) -> Chunker: ...


CHUNKERS: Registry[ChunkerFactory] = Registry("chunkers", "nextvec.corpus.chunkers")


def check_chunker(name: str, options: Mapping[str, Any] = NO_OPTIONS) -> None:
    """Raises UsageError for an unknown name, an unknown option or a bad value: before an encoder has been loaded."""
    CHUNKERS.get(name)(options)


def build_chunker(
    name: str, options: Mapping[str, Any] = NO_OPTIONS, fit: Fit | None = None, encode: Encode | None = None
) -> Chunker:
    """The chunker of that name. Raises UsageError for an unknown name, an unknown option or a bad value.

    fit: of the encoder that will read the chunks; without one, or for an encoder that does not count its tokens, no
        chunker can keep within `max_tokens`.
    encode: of the same encoder; without it no chunker can cut by vectors.
    """
    chunker = CHUNKERS.get(name)(options)
    if encode is not None and isinstance(chunker, EncodingChunker):
        chunker = chunker.with_encoder(encode)
    return chunker.fitted(fit) if isinstance(chunker, FittedChunker) else chunker
