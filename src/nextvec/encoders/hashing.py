"""`hashing[:DIM]`: vectors from hashed words and letter trigrams. It needs no weights and takes microseconds, so tests,
documentation and demonstrations run on it. It knows spelling, not meaning.

Source of the method: Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from nextvec.encoders import ENCODERS
from nextvec.encoders.encoder import EncoderSpec, Progress, require_texts
from nextvec.encoders.golden import GOLDEN_SENTENCES, sketch_vectors
from nextvec.errors import UsageError

DEFAULT_DIM = 256
_WORD = re.compile(r"\w+")
_TRIGRAM_WEIGHT = 0.5
_TOGETHER = 1_024
"""Texts whose features are summed in one call, which bounds the memory for them."""


class HashingEncoder:
    """Sum of signed one-hot features (each word 1, each letter trigram of a word 0.5), scaled to norm 1.

    A text without words, or whose features cancel, becomes the vector with all components 1 / sqrt(D).

    Args:
        dim: D, at least 2.
    """

    def __init__(self, dim: int = DEFAULT_DIM) -> None:
        if dim < 2:
            raise UsageError(f"hashing:{dim}: the dimension must be at least 2, for example hashing:64")
        self._dim = dim
        sketch = sketch_vectors(self.encode(GOLDEN_SENTENCES))
        self.spec = EncoderSpec(
            name="hashing",
            reference=f"hashing:{dim}",
            revision="1",
            dim=dim,
            pooling="sum",
            weights_hash="hashing-1",
            golden=sketch,
        )

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """float32 (N, D), unit norm, in order."""
        require_texts(texts)
        vectors = np.empty((len(texts), self._dim), dtype=np.float32)
        for start in range(0, len(texts), _TOGETHER):
            some = texts[start : start + _TOGETHER]
            vectors[start : start + _TOGETHER] = self._unit(self._sums(some))
            if on_progress:
                on_progress(start + len(some), len(texts))
        return vectors

    def _sums(self, texts: Sequence[str]) -> np.ndarray:
        """(n, D) float64: exact in any order of adding, as the weights are multiples of 0.5."""
        words = [_WORD.findall(text.lower()) for text in texts]
        hashes, weights, counts = _features_of_words([word for own in words for word in own])
        rows = np.repeat(np.repeat(np.arange(len(texts)), [len(own) for own in words]), counts)
        sums = np.bincount(rows * self._dim + hashes % self._dim, weights, len(texts) * self._dim)
        return sums.reshape(len(texts), self._dim)

    def _unit(self, sums: np.ndarray) -> np.ndarray:
        norms = np.sqrt(np.einsum("nd,nd->n", sums, sums))[:, None]
        blank = np.full(sums.shape, self._dim**-0.5)
        return np.divide(sums, norms, out=blank, where=norms > 0)


def _features_of_words(words: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hashes (F,) int64 and weights (F,) of the features of all words in order, and how many each word has, (W,)."""
    numbers: dict[str, int] = {}
    chosen = np.array([numbers.setdefault(word, len(numbers)) for word in words], dtype=np.int64)
    if not words:
        return chosen, chosen, chosen
    known = [_word_features(word) for word in numbers]
    hashes, weights = (np.concatenate(part) for part in zip(*known, strict=True))
    lengths = np.array([len(own) for own, _ in known])
    counts, starts = lengths[chosen], (np.cumsum(lengths) - lengths)[chosen]
    places = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    return hashes[places], weights[places], counts


@lru_cache(maxsize=1 << 16)
def _word_features(word: str) -> tuple[np.ndarray, np.ndarray]:
    """Hashes (n,) int64 and signed weights (n,) of a word's features; the sign is a bit that the slot does not use."""
    names, weights = zip(*_weighted_features(word), strict=True)
    hashes, signs = zip(*map(_hash, names), strict=True)
    return np.array(hashes, dtype=np.int64), np.array(signs) * weights


@lru_cache(maxsize=1 << 16)
def _hash(name: str) -> tuple[int, float]:
    """Words share most of their trigrams."""
    raw = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    return raw & ((1 << 62) - 1), 1.0 if raw >> 63 else -1.0


def _weighted_features(word: str) -> Iterator[tuple[str, float]]:
    yield f"word {word}", 1.0
    padded = f"<{word}>"
    for start in range(len(padded) - 2):
        yield padded[start : start + 3], _TRIGRAM_WEIGHT


@ENCODERS.register("hashing")
def load_hashing(argument: str) -> HashingEncoder:
    """`argument`: the dimension, or "" for DEFAULT_DIM. Raises UsageError."""
    if argument and not argument.isdecimal():
        raise UsageError(f"hashing:{argument}: expected a dimension, for example hashing:64")
    return HashingEncoder(int(argument or DEFAULT_DIM))
