"""The words of a corpus, and which of them a vector tells: see `decoding.discriminant`.

Shape suffixes: Q vectors, D their size, V words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import torch

from nextvec.decoding.discriminant import Discriminant, Moments
from nextvec.decoding.edit.fluency import words
from nextvec.disk import replacing, storing

MOST_WORDS = 65_536
"""The most frequent ones; a vector's worth of memory each."""
FEWEST = 3
"""Texts that a word must be in to be told."""
BLOCK = 16_384


class Lexicon:
    """Words and how a vector tells them.

    Args:
        written: (V,) as the corpus writes them.
        weight: (V, D), bias: (V,) of the log odds, in nats, of a word being in a text. It is kept in half precision.
    """

    def __init__(self, written: Sequence[str], weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> None:
        self._written, self._weight_VD, self._bias_V = list(written), weight, bias

    @classmethod
    def learn(cls, texts: Sequence[str], vectors_ND: npt.NDArray[np.floating]) -> Lexicon:
        """From texts and their unit vectors. It may have no word."""
        said = [_said(text) for text in texts]
        counts = Counter(chain.from_iterable(said))
        written = [word for word, count in counts.most_common(MOST_WORDS) if count >= FEWEST]
        number = {word: place for place, word in enumerate(written)}
        moments = Moments(vectors_ND.shape[1], len(written))
        for first in range(0, len(texts), BLOCK):
            block = slice(first, first + BLOCK)
            moments.add(vectors_ND[block], list(_numbered(said[block], number)))
        found, shares_V = Discriminant.of(moments), moments.counts_V / max(1, len(texts))
        bias_V = torch.log(shares_V).float() + found.bias
        return cls(written, found.weight.half().float().numpy(), bias_V.numpy())

    def told(self, target_QD: npt.NDArray[np.float32], most: int) -> list[list[str]]:
        """The `most` likeliest words of each vector, likeliest first."""
        odds_QV = target_QD @ self._weight_VD.T + self._bias_V
        likeliest_QK = np.argsort(-odds_QV, axis=1, kind="stable")[:, :most]
        return [[self._written[place] for place in places] for places in likeliest_QK.tolist()]

    def save(self, path: Path) -> None:
        """Raises FullDiskError."""
        written = np.frombuffer("\n".join(self._written).encode(), dtype=np.uint8)
        with storing("a lexicon", path.parent), replacing(path) as file:
            weight_VD = self._weight_VD.astype(np.float16)
            np.savez(file, allow_pickle=False, written=written, weight=weight_VD, bias=self._bias_V)

    @classmethod
    def load(cls, path: Path) -> Lexicon | None:
        """None for a file that is absent or damaged: it is disposable."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                written = stored["written"].tobytes().decode().split("\n")
                return cls(written, stored["weight"].astype(np.float32), stored["bias"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None


def _said(text: str) -> set[str]:
    """Words, without marks."""
    return {word for word in words(text) if word[-1].isalnum()}


def _numbered(said: Sequence[set[str]], number: dict[str, int]) -> Iterator[npt.NDArray[np.int64]]:
    """Of each text, the numbers of its words that are known."""
    for own in said:
        yield np.array([number[word] for word in own if word in number], dtype=np.int64)
