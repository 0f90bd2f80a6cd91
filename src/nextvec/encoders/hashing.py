"""`hashing[:DIM]`: vectors from hashed words and letter trigrams. It needs no weights and takes microseconds, so tests,
documentation and demonstrations run on it. It knows spelling, not meaning.

Source of the method: Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import count, islice
from threading import Lock

import numpy as np

from nextvec.encoders import register_encoder
from nextvec.encoders.encoder import EncoderSpec, Progress, require_texts
from nextvec.encoders.golden import GOLDEN_SENTENCES, sketch_vectors
from nextvec.encoders.reading import Reading
from nextvec.errors import UsageError

DEFAULT_DIM, MOST_DIM = 256, 65_536
_WORD = re.compile(r"\w+")
_SMALL_WORDS = bytes(
    code if code > 127 else ord(chr(code).lower()) if _WORD.match(chr(code)) else ord(" ") for code in range(256)
)
"""What becomes of the bytes of ASCII: small letters, digits, underscores, and spaces for the rest."""
_END = b"\xff"
"""Of a text, among its words: no byte of UTF-8."""
_TRIGRAM_WEIGHT = 0.5
_TOGETHER = 256
"""Texts whose features are summed in one call: few enough that the sums stay in the processor's cache."""
_KEPT_WORDS = 1 << 17
"""About 30 MB."""
_LETTER_BITS = (1 << 21) - 1
_SLOT_BITS = np.uint64((1 << 62) - 1)


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
        slots, weights, counts = _table(self._dim).features(_words(texts))
        firsts = np.repeat(np.arange(len(texts)) * self._dim, counts)
        sums = np.bincount(firsts + slots, weights, len(texts) * self._dim)
        return sums.reshape(len(texts), self._dim)

    def _unit(self, sums: np.ndarray) -> np.ndarray:
        norms = np.sqrt(np.einsum("nd,nd->n", sums, sums))
        blank = norms == 0
        unit: np.ndarray = sums / np.where(blank, 1.0, norms)[:, None]
        unit[blank] = self._dim**-0.5
        return unit


def _words(texts: Sequence[str]) -> list[bytes]:
    """In small letters, as UTF-8, and `_END` behind those of each text. Of ASCII, bytes are split five times as fast as
    a pattern finds the same words."""
    ended = b"".join([b"%b %b " % (_spaced(text), _END) for text in texts])
    return ended.translate(_SMALL_WORDS).split()


def _spaced(text: str) -> bytes:
    """Its words between spaces; ASCII as it is."""
    return text.encode() if text.isascii() else " ".join(_WORD.findall(text.lower())).encode()


class _Table:
    """Numbers of the words met, and their features: those of word i begin at `starts[i]` of `slots` and `weights`. Word
    0 is `_END`, which has none.

    Every text of a language says the same words again. Shared by threads, and emptied when it has grown large.
    """

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        self._numbers: defaultdict[bytes, int] = defaultdict(count(1).__next__, {_END: 0})
        self._counts, self._starts = np.zeros(1, np.int64), np.zeros(1, np.int64)
        self._slots, self._weights = np.empty(0, np.int32), np.empty(0, np.float32)

    def features(self, words: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Slots 0..D-1 and weights (F,) of the features of all words in order, and how many each text has, (n,), whose
        words end with `_END`."""
        with self._lock:
            if len(self._numbers) > _KEPT_WORDS:
                self._forget()
            chosen = np.fromiter(map(self._numbers.__getitem__, words), np.int64, len(words))
            self._learn_all()
            counts, starts = self._counts[chosen], self._starts[chosen]
            reached = np.cumsum(counts)
            places = np.repeat(starts - reached + counts, counts)
            places += np.arange(len(places))
            of_texts = np.diff(reached[chosen == 0], prepend=0)
            return self._slots[places], self._weights[places], of_texts

    def _learn_all(self) -> None:
        """The features of the words with the last numbers; a table that is left half extended would be wrong."""
        new = len(self._numbers) - len(self._counts)
        try:
            self._learn(list(islice(reversed(self._numbers), new))[::-1])
        except BaseException:
            self._forget()
            raise

    def _learn(self, words: Sequence[bytes]) -> None:
        if not words:
            return
        hashes, weights, counts = _features(words)
        starts = len(self._slots) + np.cumsum(counts) - counts
        for own, more in (
            (self._slots, (hashes & _SLOT_BITS) % self._dim),
            (self._weights, np.where(hashes >> 63, weights, -weights)),
            (self._counts, counts),
            (self._starts, starts),
        ):
            _extend(own, more)


def _extend(array: np.ndarray, more: np.ndarray) -> None:
    """In place: copying all that is known whenever a word is new would cost more than learning it."""
    known = len(array)
    array.resize(known + len(more), refcheck=False)
    array[known:] = more


@cache
def _table(dim: int) -> _Table:
    return _Table(dim)


def _features(words: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hashes (F,) uint64 and weights (F,) of the features of all words, and how many each word has, (W,): the word
    itself, and each trigram of its letters between `<` and `>`."""
    letters = np.frombuffer(b"".join((b"<", b"><".join(words), b">")).decode().encode("utf-32-le"), np.uint32)
    inside = letters != ord(">")
    keys = (letters[:-2].astype(np.uint64) << 42) | (letters[1:-1].astype(np.uint64) << 21) | letters[2:]
    trigrams = keys[inside[:-2] & inside[1:-1]].tolist()
    counts = np.diff(np.flatnonzero(~inside), prepend=-1) - 1
    firsts = np.cumsum(counts - 1) - counts + 1
    hashes = np.frombuffer(b"".join(map(_digest_of_trigram, trigrams)), "<u8")
    own = np.frombuffer(b"".join([_digest(b"word " + word) for word in words]), "<u8")
    return np.insert(hashes, firsts, own), np.insert(np.full(len(hashes), _TRIGRAM_WEIGHT), firsts, 1.0), counts


@lru_cache(maxsize=1 << 16)
def _digest_of_trigram(key: int) -> bytes:
    """Of three letters of 21 bits each. Words share most of their trigrams."""
    return _digest((chr(key >> 42) + chr(key >> 21 & _LETTER_BITS) + chr(key & _LETTER_BITS)).encode())


def _digest(name: bytes) -> bytes:
    """A number in 8 bytes, the lowest first: its highest bit is a feature's sign, the 62 lowest tell its slot."""
    return blake2b(name, digest_size=8).digest()


@register_encoder("hashing", dim="256, or DIM", tokens="all", licence="none: no weights")
def load_hashing(argument: str, _: Reading) -> HashingEncoder:
    """`argument`: the dimension, or "" for DEFAULT_DIM. Raises UsageError."""
    if argument and not (argument.isdecimal() and len(argument) < 20):
        raise UsageError(f"hashing:{argument}: expected a dimension, for example hashing:64")
    return HashingEncoder(int(argument or DEFAULT_DIM))
