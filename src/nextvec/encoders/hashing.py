"""`hashing[:DIM]`: vectors from hashed words and letter trigrams. It needs no weights and takes microseconds, so tests,
documentation and demonstrations run on it. It knows spelling, not meaning.

Source of the method: Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from threading import Lock

import numpy as np

from nextvec.encoders import register_encoder
from nextvec.encoders.encoder import EncoderSpec, Progress, require_texts
from nextvec.encoders.golden import GOLDEN_SENTENCES, sketch_vectors
from nextvec.encoders.reading import Reading
from nextvec.errors import UsageError

DEFAULT_DIM, MOST_DIM = 256, 65_536
_WORD = re.compile(r"\w+")
_TRIGRAM_WEIGHT = 0.5
_TOGETHER = 256
"""Texts whose features are summed in one call: few enough that the sums stay in the processor's cache."""
_KEPT_WORDS = 1 << 16


class HashingEncoder:
    """Sum of signed one-hot features (each word 1, each letter trigram of a word 0.5), scaled to norm 1.

    A text without words, or whose features cancel, becomes the vector with all components 1 / sqrt(D).

    Args:
        dim: D, 2 to MOST_DIM.
    """

    def __init__(self, dim: int = DEFAULT_DIM) -> None:
        if not 2 <= dim <= MOST_DIM:
            raise UsageError(f"hashing:{dim}: the dimension must be 2 to {MOST_DIM:,}, for example hashing:64")
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
        slots, weights, counts = _table(self._dim).features([word for own in words for word in own])
        firsts = np.repeat(np.arange(len(texts)) * self._dim, [len(own) for own in words])
        sums = np.bincount(np.repeat(firsts, counts) + slots, weights, len(texts) * self._dim)
        return sums.reshape(len(texts), self._dim)

    def _unit(self, sums: np.ndarray) -> np.ndarray:
        norms = np.sqrt(np.einsum("nd,nd->n", sums, sums))
        blank = norms == 0
        unit: np.ndarray = sums / np.where(blank, 1.0, norms)[:, None]
        unit[blank] = self._dim**-0.5
        return unit


class _Table(dict[str, int]):
    """Numbers of the words met, and their features: those of word i begin at `starts[i]` of `slots` and `weights`.

    Every text of a language says the same words again. Shared by threads, and emptied when it has grown large.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self._dim = dim
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        self.clear()
        self._slots, self._counts = np.empty(0, np.int64), np.empty(0, np.int64)
        self._weights = np.empty(0)
        self._starts = np.empty(0, np.int64)
        self._new: list[tuple[np.ndarray, np.ndarray]] = []

    def __missing__(self, word: str) -> int:
        self._new.append(_word_features(word))
        self[word] = len(self)
        return len(self) - 1

    def features(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Slots 0..D-1 and weights (F,) of the features of all words in order, and how many each word has, (W,)."""
        with self._lock:
            if len(self) > _KEPT_WORDS:
                self._forget()
            chosen = np.fromiter(map(self.__getitem__, words), np.int64, len(words))
            self._learn()
            counts, starts = self._counts[chosen], self._starts[chosen]
            ends = np.cumsum(counts)
            places = np.repeat(starts - ends + counts, counts)
            places += np.arange(len(places))
            return self._slots[places], self._weights[places], counts

    def _learn(self) -> None:
        if not self._new:
            return
        hashes, weights = (np.concatenate(part) for part in zip(*self._new, strict=True))
        self._slots = np.append(self._slots, hashes % self._dim)
        self._weights = np.append(self._weights, weights)
        self._counts = np.append(self._counts, [len(own) for own, _ in self._new])
        self._starts = np.cumsum(self._counts) - self._counts
        self._new = []


@cache
def _table(dim: int) -> _Table:
    return _Table(dim)


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


@register_encoder("hashing", dim="256, or DIM", tokens="all", licence="none: no weights")
def load_hashing(argument: str, _: Reading) -> HashingEncoder:
    """`argument`: the dimension, or "" for DEFAULT_DIM. Raises UsageError."""
    if argument and not (argument.isdecimal() and len(argument) < 20):
        raise UsageError(f"hashing:{argument}: expected a dimension, for example hashing:64")
    return HashingEncoder(int(argument or DEFAULT_DIM))
