"""Encoders read only so many tokens of a text: which texts are longer, and how to say so."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from nextvec.encoders.encoder import Encoder, EncoderSpec


@runtime_checkable
class TokenLimited(Encoder, Protocol):
    """An encoder that reads `spec.max_length` tokens of a text (None: all of it) and can count them."""

    def count_tokens(self, texts: Sequence[str]) -> np.ndarray:
        """int64 (N,): tokens of each whole text, special ones included, however many of them are read."""
        ...


@dataclass(frozen=True, slots=True)
class Cut:
    """`cut` of `counted` texts are longer than their encoder reads. Where nobody could count, both are 0."""

    cut: int = 0
    counted: int = 0

    def __add__(self, other: Cut) -> Cut:
        return Cut(self.cut + other.cut, self.counted + other.counted)

    def sentence(self, spec: EncoderSpec, what: str) -> str:
        """For people: how many of `what` (chunks, texts) end outside their vectors."""
        return (
            f"{self.cut:,} of {self.counted:,} {what} {'is' if self.cut == 1 else 'are'} longer than {spec.name} reads "
            f"({spec.max_length} tokens): {'its end is' if self.cut == 1 else 'their ends are'} not in the vectors"
        )

    def to_dict(self) -> dict[str, int]:
        return {"cut": self.cut, "counted": self.counted}


def cut_texts(encoder: Encoder, texts: Sequence[str]) -> np.ndarray | None:
    """bool (N,), the texts of which `encoder` does not read the end; None when it cannot tell.

    Only texts that could be too long are counted, so that short ones cost next to nothing.
    """
    limit = encoder.spec.max_length
    if limit is None or not isinstance(encoder, TokenLimited):
        return None
    cut = np.zeros(len(texts), dtype=bool)
    special = int(encoder.count_tokens([""])[0])
    long = [row for row, text in enumerate(texts) if _most_tokens(text) + special > limit]
    if long:
        cut[long] = encoder.count_tokens([texts[row] for row in long]) > limit
    return cut


def count_cut(encoder: Encoder, texts: Sequence[str]) -> Cut:
    """How many of the texts are longer than `encoder` reads."""
    cut = cut_texts(encoder, texts)
    return Cut() if cut is None else Cut(int(cut.sum()), len(texts))


def count_with(tokenizer: Any, texts: Sequence[str]) -> np.ndarray:
    """`TokenLimited.count_tokens` with a tokenizer of transformers, which is not asked to cut anything."""
    if not texts:
        return np.zeros(0, dtype=np.int64)
    tokens = tokenizer(list(texts), truncation=False, return_attention_mask=False, verbose=False)["input_ids"]
    return np.array([len(ids) for ids in tokens], dtype=np.int64)


def _most_tokens(text: str) -> int:
    """No tokenizer makes more tokens of a text than it has bytes, in the longest form that it may bring it into."""
    return len(text) if text.isascii() else len(unicodedata.normalize("NFKD", text).encode())
