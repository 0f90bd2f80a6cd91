"""What an inverter learns from: chunks as tokens beside their vectors, in batches of one length or nearly.

Shape suffixes as in decoding.inverter.network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nextvec.decoding.inverter.network import BOUNDARY, Hypothesis
from nextvec.decoding.inverter.vocabulary import Vocabulary

Ints = npt.NDArray[np.int64]

IGNORED = -100
"""Target id of padding: no loss there."""
SORTED_BATCHES = 64
"""Batches' worth of chunks that are sorted by length together: enough to waste little, few enough to mix well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Tokens of many texts, one after another: text i owns tokens offsets[i]:offsets[i + 1]."""

    tokens: npt.NDArray[np.int32]
    offsets: Ints

    @classmethod
    def of(cls, rows: Sequence[Sequence[int] | npt.NDArray[np.integer]]) -> Texts:
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
        joined = np.concatenate([np.empty(0, np.int32), *(np.asarray(row, dtype=np.int32) for row in rows)])
        return cls(tokens=joined.astype(np.int32), offsets=offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Ints:
        return np.diff(self.offsets)

    def __getitem__(self, number: int) -> npt.NDArray[np.int32]:
        return self.tokens[self.offsets[number] : self.offsets[number + 1]]

    def padded(self, numbers: Ints, value: int) -> Ints:
        """(B, longest of them) int64."""
        out = np.full((len(numbers), int(self.lengths[numbers].max(initial=1))), value, dtype=np.int64)
        for place, number in enumerate(numbers.tolist()):
            text = self[number]
            out[place, : len(text)] = text
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunks:
    """Texts and their unit vectors (N, D), float16 or float32; `predicted` (N, D) is what a predictor took them for."""

    texts: Texts
    vectors: npt.NDArray[np.floating]
    predicted: npt.NDArray[np.floating] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def subset(self, numbers: Ints) -> Chunks:
        return Chunks(
            texts=Texts.of([self.texts[number] for number in numbers.tolist()]), vectors=self.vectors[numbers]
        )

    def followed_by(self, others: Chunks) -> Chunks:
        rows = [texts[number] for texts in (self.texts, others.texts) for number in range(len(texts))]
        return Chunks(texts=Texts.of(rows), vectors=np.concatenate([self.vectors, others.vectors]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """`given_BL` begins with the boundary, `wanted_BL` is the same one token later and ends with it."""

    target_BD: Tensor
    given_BL: Tensor
    wanted_BL: Tensor
    hypothesis: Hypothesis | None = None

    @property
    def tokens(self) -> int:
        return int((self.wanted_BL != IGNORED).sum())

    def to(self, device: torch.device) -> Batch:
        """The same on that device."""
        return Batch(
            target_BD=self.target_BD.to(device),
            given_BL=self.given_BL.to(device),
            wanted_BL=self.wanted_BL.to(device),
            hypothesis=self.hypothesis and self.hypothesis.to(device),
        )


def select_chunks(
    vectors: npt.NDArray[np.floating], rows: Ints, texts: Sequence[str], vocabulary: Vocabulary, longest: int
) -> tuple[Chunks, Ints]:
    """The chunks of at most `longest` - 1 tokens and at least one, and their rows. A cut text would teach to stop."""
    ids = vocabulary.encode(texts)
    kept = np.array([number for number, text in enumerate(ids) if 0 < len(text) < longest], dtype=np.int64)
    chosen = Texts.of([ids[number] for number in kept.tolist()])
    return Chunks(texts=chosen, vectors=vectors[rows[kept]]), rows[kept]


def make_batch(chunks: Chunks, numbers: Ints, vectors_BD: npt.NDArray[np.float32] | None = None) -> Batch:
    """The chunks of these numbers, to be written from `vectors_BD`; None means from their own vectors."""
    text_BL = chunks.texts.padded(numbers, IGNORED)
    given_BL = np.pad(text_BL, ((0, 0), (1, 0)), constant_values=BOUNDARY)
    wanted_BL = np.pad(text_BL, ((0, 0), (0, 1)), constant_values=IGNORED)
    wanted_BL[np.arange(len(numbers)), chunks.texts.lengths[numbers]] = BOUNDARY
    if vectors_BD is None:
        vectors_BD = chunks.vectors[numbers].astype(np.float32)
    return Batch(
        target_BD=torch.from_numpy(vectors_BD),
        given_BL=torch.from_numpy(np.where(given_BL == IGNORED, BOUNDARY, given_BL)),
        wanted_BL=torch.from_numpy(wanted_BL),
    )


def make_hypothesis(hypotheses: Chunks, numbers: Ints) -> Hypothesis:
    tokens_BH = hypotheses.texts.padded(numbers, IGNORED)
    return Hypothesis(
        tokens_BH=torch.from_numpy(np.where(tokens_BH == IGNORED, BOUNDARY, tokens_BH)),
        keep_BH=torch.from_numpy(tokens_BH != IGNORED),
        vector_BD=torch.from_numpy(hypotheses.vectors[numbers].astype(np.float32)),
    )


def disturbed(
    chunks: Chunks, numbers: Ints, *, noise: float, predicted: float, seed: Sequence[int]
) -> npt.NDArray[np.float32]:
    """(B, D) unit vectors that stand for the chunks': a share `predicted` of them as a predictor took them for (where
    there is one), all moved by noise of a norm drawn from [0, `noise`]."""
    random = np.random.default_rng(list(seed))
    vectors_BD = chunks.vectors[numbers].astype(np.float32)
    if chunks.predicted is not None:
        taken = random.random(len(numbers)) < predicted
        vectors_BD[taken] = chunks.predicted[numbers[taken]]
    direction_BD = random.standard_normal(vectors_BD.shape, dtype=np.float32)
    direction_BD /= np.linalg.norm(direction_BD, axis=1, keepdims=True)
    moved_BD = vectors_BD + random.uniform(0, noise, (len(numbers), 1)).astype(np.float32) * direction_BD
    return moved_BD / np.linalg.norm(moved_BD, axis=1, keepdims=True)


def token_batches(lengths: Ints, budget: int, seed: Sequence[int] | None) -> list[Ints]:
    """Numbers of texts, each once, in batches of at most `budget` tokens with padding and boundary (one text at least).

    `seed` None keeps the order by length; otherwise which texts meet, and the order of batches, are random.
    """
    random = None if seed is None else np.random.default_rng(list(seed))
    order = np.arange(len(lengths)) if random is None else random.permutation(len(lengths))
    block = max(1, round(SORTED_BATCHES * budget / (float(lengths.mean()) + 1))) if random is not None else len(order)
    batches: list[Ints] = []
    for first in range(0, len(order), block):
        part = order[first : first + block]
        batches += _cut(part[np.argsort(lengths[part], kind="stable")], lengths, budget)
    if random is not None:
        random.shuffle(batches)
    return batches


def _cut(ascending: Ints, lengths: Ints, budget: int) -> list[Ints]:
    batches, first = [], 0
    for place in range(1, len(ascending) + 1):
        full = place == len(ascending) or (lengths[ascending[place]] + 1) * (place + 1 - first) > budget
        if full:
            batches.append(ascending[first:place])
            first = place
    return batches


@dataclass(slots=True)
class Stream:
    """Batches without end, epoch after epoch. `epoch` and `place` say where it stands, and can be set back."""

    lengths: Ints
    budget: int
    seed: int
    epoch: int = 0
    place: int = 0

    def __iter__(self) -> Iterator[Ints]:
        while True:
            batches = token_batches(self.lengths, self.budget, (self.seed, self.epoch))
            while self.place < len(batches):
                self.place += 1
                yield batches[self.place - 1]
            self.epoch, self.place = self.epoch + 1, 0

    @property
    def passes(self) -> float:
        """Over all texts, so far."""
        return self.epoch + self.place / self.batches_an_epoch

    @property
    def batches_an_epoch(self) -> int:
        return len(token_batches(self.lengths, self.budget, (self.seed, 0)))
