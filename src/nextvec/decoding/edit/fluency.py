"""How fluent is a text? Trigrams of words, learnt from a corpus's own texts: interpolated Kneser-Ney.

An n-gram that was met once is left out, and its share goes to shorter ones: the model is small, and a text that it was
learnt from is hardly more fluent to it than any other.

Sources: Kneser & Ney 1995; Chen & Goodman 1998, "An Empirical Study of Smoothing Techniques for Language Modeling".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from nextvec.disk import replacing, storing
from nextvec.errors import DataError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PIECE = re.compile(r"\s*(?:\w+(?:['\u2019]\w+)*|[^\w\s])")
"""A word or a mark, with the space before it."""
BOUNDARY, UNKNOWN, KNOWN = 0, 1, 2
"""The ends of a text, a word that was met once or never, and the first of the others."""
MOST_WORDS = 1 << 20
"""So that three of them fit a 64-bit key."""


def words(text: str) -> list[str]:
    """Words and marks as they are written: a capital in the middle of a sentence tells."""
    return [piece.strip() for piece in PIECE.findall(text)]


class Grams(NamedTuple):
    """Of one order: sorted `keys` with what of the probability is theirs alone, and sorted `contexts` with the share
    that is left to shorter n-grams; of a context that is not there, all."""

    keys: Ints
    shares: Floats
    contexts: Ints
    left: Floats

    @classmethod
    def of(cls, keys: Ints, counts: Ints, size: int) -> Grams:
        """From the keys, sorted, and how often each was met; `size` of the vocabulary."""
        contexts, owner = np.unique(keys // size, return_inverse=True)
        totals = np.bincount(owner, weights=counts)
        kept = counts > 1
        shares = (counts[kept] - _discount(counts)) / totals[owner[kept]]
        left = 1.0 - np.bincount(owner[kept], weights=shares, minlength=len(contexts)).astype(np.float64)
        some = left < 1
        return cls(keys[kept], shares, contexts[some], left[some])

    def interpolate(self, keys: Ints, contexts: Ints, shorter: Floats) -> Floats:
        """The probabilities of n-grams, from those of the shorter ones."""
        return _found(self.keys, self.shares, keys, 0.0) + _found(self.contexts, self.left, contexts, 1.0) * shorter


class Fluency:
    """A trigram model of texts.

    Args:
        vocabulary: known words; a word's number is its place, from KNOWN on.
        rare: distinct words that were met once, among which the probability of an unknown one is shared.
        single: float64 (KNOWN + words,), probabilities without a context.
        pairs, triples: longer n-grams.
    """

    def __init__(self, vocabulary: Sequence[str], rare: int, single: Floats, pairs: Grams, triples: Grams) -> None:
        self._vocabulary, self._rare = list(vocabulary), rare
        self._number = {word: number for number, word in enumerate(self._vocabulary, KNOWN)}
        self._single, self._pairs, self._triples = single, pairs, triples

    @classmethod
    def learn(cls, texts: Sequence[str]) -> Fluency:
        """Raises DataError where no word is met twice."""
        said = [words(text) for text in texts]
        counts = Counter(chain.from_iterable(said))
        known = [word for word, count in counts.most_common(MOST_WORDS) if count > 1]
        if not known:
            raise DataError(f"{len(said)} texts with no word that is met twice: nothing says what is fluent in them")
        number, size = {word: place for place, word in enumerate(known, KNOWN)}, KNOWN + len(known)
        keys, met = np.unique(_keys(_triples(said, number)[0], size), return_counts=True)
        pair_keys, before_pairs = np.unique(keys % size**2, return_counts=True)
        before = np.bincount(pair_keys % size, minlength=size)
        return cls(
            known,
            max(1, len(counts) - len(known)),
            (before + 1) / (before.sum() + size),
            Grams.of(pair_keys, before_pairs, size),
            Grams.of(keys, met, size),
        )

    def strangeness(self, said: Sequence[Sequence[str]]) -> Floats:
        """(N,), of texts given as their `words`: nats a word by which words are more surprising where they stand than
        by themselves. Lower is more fluent, and rare words are no matter. The end counts as a word.

        Source: the negative of SLOR, Pauls & Klein 2012, "Large-Scale Syntactic Language Modeling with Treelets".
        """
        if not said:
            return np.empty(0)
        triples_N3, lengths = _triples(said, self._number)
        nats = np.log(self._single[triples_N3[:, 2]]) - np.log(self._chances(triples_N3))
        strange: Floats = np.add.reduceat(nats, np.cumsum(lengths) - lengths) / lengths
        return strange

    def perplexity(self, texts: Sequence[str]) -> float:
        """A word of all these texts together, 1 or more. Raises DataError without a text."""
        if not texts:
            raise DataError("the perplexity of no texts was asked for; expected one text or more")
        triples_N3, _ = _triples([words(text) for text in texts], self._number)
        unknown = (triples_N3[:, 2] == UNKNOWN) * np.log(self._rare)
        return float(np.exp(np.mean(unknown - np.log(self._chances(triples_N3)))))

    def spelt(self, piece: str) -> str:
        """A word as these texts spell it most often, its space and an unknown one left as they are."""
        word = piece.strip()
        return piece.replace(word, self._spelling.get(word.casefold(), word))

    @cached_property
    def _spelling(self) -> dict[str, str]:
        """Of folded words; the most probable is the last to be entered."""
        order = np.argsort(self._single[KNOWN:], kind="stable").tolist()
        return {self._vocabulary[place].casefold(): self._vocabulary[place] for place in order}

    def save(self, path: Path) -> None:
        """Raises FullDiskError."""
        with storing("a model of what is fluent", path.parent), replacing(path) as file:
            np.savez(file, allow_pickle=False, **self._arrays())

    @classmethod
    def load(cls, path: Path) -> Fluency | None:
        """None for a file that is absent or damaged: it is disposable."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return cls._of_arrays(stored)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None

    def _arrays(self) -> dict[str, np.ndarray]:
        grams = {"pairs": self._pairs, "triples": self._triples}
        named = {f"{name}_{field}": array for name, each in grams.items() for field, array in each._asdict().items()}
        written = np.frombuffer("\n".join(self._vocabulary).encode(), dtype=np.uint8)
        return {"vocabulary": written, "rare": np.array(self._rare), "single": self._single, **named}

    @classmethod
    def _of_arrays(cls, stored: Mapping[str, np.ndarray]) -> Fluency:
        pairs, triples = (
            Grams(*(stored[f"{name}_{field}"] for field in Grams._fields)) for name in ("pairs", "triples")
        )
        vocabulary = stored["vocabulary"].tobytes().decode().split("\n")
        return cls(vocabulary, int(stored["rare"]), stored["single"], pairs, triples)

    def _chances(self, triples_N3: Ints) -> Floats:
        size, last = len(self._single), triples_N3[:, 2]
        pairs, whole = triples_N3[:, 1] * size + last, _keys(triples_N3, size)
        chance = self._pairs.interpolate(pairs, triples_N3[:, 1], self._single[last])
        return self._triples.interpolate(whole, whole // size, chance)


def _triples(said: Sequence[Sequence[str]], number: Mapping[str, int]) -> tuple[Ints, Ints]:
    """(words and ends of all texts, 3), each with the two before it, and how many of a text (texts,)."""
    lengths = np.array([len(each) + 1 for each in said], dtype=np.int64)
    flat = np.array(
        [place for each in said for place in (0, 0, *(number.get(word, UNKNOWN) for word in each), 0)], dtype=np.int64
    )
    windows_N3 = np.lib.stride_tricks.sliding_window_view(flat, 3)
    firsts = np.cumsum(lengths + 2) - lengths - 2
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return windows_N3[np.repeat(firsts, lengths) + within], lengths


def _keys(triples_N3: Ints, size: int) -> Ints:
    keys: Ints = (triples_N3[:, 0] * size + triples_N3[:, 1]) * size + triples_N3[:, 2]
    return keys


def _discount(counts: Ints) -> float:
    """Kneser and Ney's estimate, 0..1 exclusive."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return (once + 1) / (once + 2 * twice + 2)


def _found(keys: Ints, values: Floats, wanted: Ints, otherwise: float) -> Floats:
    """The values of the wanted keys, among sorted ones."""
    if not len(keys):
        return np.full(len(wanted), otherwise)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], otherwise)
