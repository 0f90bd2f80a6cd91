"""What chunkers may know of an encoder: how much of a text it reads, and what it makes of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from nextvec.corpus.document import Chunker, Document
from nextvec.errors import UsageError

Encode = Callable[[Sequence[str]], np.ndarray]
"""Texts to float32 (N, D), unit norm."""


@dataclass(frozen=True)
class Fit:
    """`max_tokens`: of a text, special ones included; what follows is not read. `count`: tokens of each of some texts,
    special ones included."""

    max_tokens: int
    count: Callable[[Sequence[str]], Sequence[int]]

    def limited(self, max_tokens: int, *, owner: str) -> Fit:
        """The same encoder, of which fewer tokens are used. Raises UsageError for more than it reads."""
        if max_tokens > self.max_tokens:
            raise UsageError(
                f"{owner}: max_tokens = {max_tokens}, but the encoder reads {self.max_tokens} tokens of a text"
            )
        return Fit(max_tokens, self.count)

    @property
    def room(self) -> int:
        """Tokens that are left beside the special ones."""
        return self.max_tokens - self.count([""])[0]

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """What each text adds to the tokens of a longer one that it stands in, behind a space."""
        special = self.count([""])[0]
        return [length - special for length in self.count([f" {text}" for text in texts])] if texts else []


@runtime_checkable
class FittedChunker(Chunker, Protocol):
    """A chunker with an option `max_tokens` (0: no limit), which counts them as an encoder does."""

    def fitted(self, fit: Fit | None) -> Chunker:
        """The same chunker, for the encoder that `fit` is of. Raises UsageError when there is none and it needs one."""
        ...


@runtime_checkable
class EncodingChunker(Chunker, Protocol):
    """A chunker that cuts by the vectors of sentences."""

    def reads(self, document: Document) -> list[str]:
        """The texts that it will have encoded for a document."""
        ...

    def with_encoder(self, encode: Encode) -> Chunker:
        """The same chunker, with what encodes."""
        ...


def require_fit(fit: Fit | None, max_tokens: int, *, owner: str) -> Fit | None:
    """What to keep within: None when `max_tokens` is 0. Raises UsageError when nobody can count tokens."""
    if max_tokens == 0:
        return None
    if fit is None:
        raise UsageError(
            f"{owner}: max_tokens = {max_tokens}, but the encoder does not count its tokens. Leave max_tokens out"
        )
    return fit.limited(max_tokens, owner=owner)
