"""Batches for training and evaluation, gathered from one shared tensor of vectors.

B sequences, T positions, D embedding size. Masks are right-padded: a prefix of True in every sequence; padded
vectors are zero. What a batch holds is fully determined by (seed, epoch, step), so a killed run resumes at a step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nextvec.errors import TrainingError, UsageError
from nextvec.sequences.windows import IntArray

POOL_BATCHES = 24
"""Documents are sorted by length within pools of about this many batches: measured on Wikipedia articles, the padding
share is below 5 % while neighbours in a batch still change from epoch to epoch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Vectors are float32 and as normalised as the corpus (unit norm); S = T for documents, S = 1 for windows."""

    x_BTD: Tensor
    """(B, T, D) inputs."""
    mask_BT: Tensor
    """(B, T) bool, where `x_BTD` holds a vector."""
    target_BTD: Tensor
    """(B, S, D) successors: of every position of a document, or of a window's last position."""
    target_mask_BT: Tensor
    """(B, S) bool, where `target_BTD` holds a vector."""
    rows_BT: Tensor
    """(B, S) int64, the snapshot row of each target, -1 for padding."""

    @property
    def targets(self) -> int:
        return int(self.target_mask_BT.sum())


class Batches(Protocol):
    """Epochs of batches. Every method takes the number of the epoch, from 0."""

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]: ...

    def steps(self, number: int) -> int: ...

    def targets(self, number: int) -> int: ...


def share_vectors(vectors: npt.NDArray[np.floating] | Tensor, device: torch.device | str = "cpu") -> Tensor:
    """(N, D) vectors as one tensor, in their own precision; arrays are copied into memory once, tensors are shared.

    Give the result to several `WindowBatches` and `DocumentBatches` so that they hold the vectors once.
    """
    tensor = vectors if isinstance(vectors, Tensor) else torch.from_numpy(np.array(vectors))
    return tensor.to(device)


class WindowBatches:
    """Windows of `context` vectors and their successor: x (B, context, D), target (B, 1, D).

    Args:
        vectors: (N, D) float16 or float32; batches are made on its device.
        rows: (n,) target rows, from `windows.target_rows`.
        context: vectors before each target.
        batch_size: windows in a batch; the last one of an epoch may be smaller.
        seed: of the shuffle; None keeps the order of `rows`.

    Raises TrainingError when there are no rows, UsageError when context or batch_size is below 1.
    """

    def __init__(
        self,
        vectors: npt.NDArray[np.floating] | Tensor,
        rows: npt.ArrayLike,
        context: int,
        batch_size: int,
        seed: int | None,
    ) -> None:
        _require_positive("context", context)
        _require_positive("batch_size", batch_size)
        self.vectors = share_vectors(vectors)
        self.rows = torch.from_numpy(np.array(rows, np.int64)).to(self.vectors.device)
        if not len(self.rows):
            raise TrainingError(
                f"no windows: no document is longer than context = {context}. Choose a smaller context."
            )
        self.context, self.batch_size, self.seed = context, batch_size, seed
        self._reach = torch.arange(-context, 1, device=self.vectors.device)

    def steps(self, number: int) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def targets(self, number: int) -> int:
        return len(self.rows)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of epoch `number` from step `start` on."""
        rows = self._order(number)
        for first in range(start * self.batch_size, len(rows), self.batch_size):
            yield self._batch(rows[first : first + self.batch_size])

    def _order(self, number: int) -> Tensor:
        if self.seed is None:
            return self.rows
        generator = torch.Generator().manual_seed(_epoch_seed(self.seed, number))
        return self.rows[torch.randperm(len(self.rows), generator=generator).to(self.rows.device)]

    def _batch(self, rows: Tensor) -> Batch:
        index = rows[:, None] + self._reach
        window = _gather(self.vectors, index)
        mask = torch.ones_like(index, dtype=torch.bool)
        k = self.context
        return Batch(window[:, :k], mask[:, :k], window[:, k:], mask[:, k:], rows[:, None])


class DocumentBatches:
    """Whole documents, every position a target: for a document of n rows, x = rows[:-1] and target = rows[1:].

    Documents of similar length share a batch. Documents of one row have no target and are dropped.

    Args:
        vectors: (N, D) float16 or float32; batches are made on its device.
        offsets: (n_docs + 1,), document i owns rows offsets[i]:offsets[i+1].
        documents: (m,) document indexes to use.
        targets_per_batch: bound on B * T, padding included; a longer document makes a batch of its own.
        seed: of the shuffle; None gives the documents from the shortest to the longest.

    Raises TrainingError when no document has two rows, UsageError when targets_per_batch is below 1.
    """

    def __init__(
        self,
        vectors: npt.NDArray[np.floating] | Tensor,
        offsets: npt.ArrayLike,
        documents: npt.ArrayLike,
        targets_per_batch: int,
        seed: int | None,
    ) -> None:
        _require_positive("targets_per_batch", targets_per_batch)
        self.vectors = share_vectors(vectors)
        self._offsets = np.asarray(offsets, np.int64)
        chosen = np.asarray(documents, np.int64)
        self.documents: IntArray = chosen[np.diff(self._offsets)[chosen] > 1]
        if not len(self.documents):
            raise TrainingError(
                f"none of {len(chosen)} documents has two chunks: there is no next vector to learn from"
            )
        self.targets_per_batch, self.seed = targets_per_batch, seed
        self._targets = np.diff(self._offsets) - 1
        self._plan = lru_cache(maxsize=2)(self._make_plan)

    def steps(self, number: int) -> int:
        return len(self.plan(number))

    def targets(self, number: int) -> int:
        return int(self._targets[self.documents].sum())

    def plan(self, number: int) -> list[IntArray]:
        """The document indexes of every batch of epoch `number`, in order; sequence b of a batch is its document b."""
        return self._plan(number if self.seed is not None else 0)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of epoch `number` from step `start` on."""
        for documents in self.plan(number)[start:]:
            yield self._batch(documents)

    def padding(self, number: int) -> float:
        """The share of B * T that is padding in epoch `number`, [0, 1)."""
        padded = sum(len(batch) * int(self._targets[batch].max()) for batch in self.plan(number))
        return 1.0 - self.targets(number) / padded

    def _make_plan(self, number: int) -> list[IntArray]:
        if self.seed is None:
            return self._cut(self._by_length(self.documents))
        random = np.random.default_rng(_epoch_seed(self.seed, number))
        batches = self._cut(self._pooled(random.permutation(self.documents)))
        return [batches[i] for i in random.permutation(len(batches))]

    def _pooled(self, documents: IntArray) -> IntArray:
        """Sorted by length within consecutive pools, up and down in turn so that no batch spans a jump in length."""
        ends = np.cumsum(self._targets[documents])
        pool = (ends - 1) // (POOL_BATCHES * self.targets_per_batch)
        pools = [self._by_length(documents[pool == p]) for p in np.unique(pool)]
        return np.concatenate([p[::-1] if i % 2 else p for i, p in enumerate(pools)])

    def _by_length(self, documents: IntArray) -> IntArray:
        return documents[np.argsort(self._targets[documents], kind="stable")]

    def _cut(self, documents: IntArray) -> list[IntArray]:
        """Consecutive runs whose padded size stays within `targets_per_batch`."""
        cuts, longest, first = [], 0, 0
        for i, targets in enumerate(self._targets[documents].tolist()):
            longest = max(longest, targets)
            if i > first and (i - first + 1) * longest > self.targets_per_batch:
                cuts.append(i)
                longest, first = targets, i
        return np.split(documents, cuts)

    def _batch(self, documents: IntArray) -> Batch:
        device = self.vectors.device
        first = torch.from_numpy(self._offsets[documents]).to(device)
        targets = torch.from_numpy(self._targets[documents]).to(device)
        step = torch.arange(int(targets.max()) + 1, device=device)
        index = first[:, None] + torch.minimum(step, targets[:, None])
        mask = step[:-1] < targets[:, None]
        rows = index[:, 1:].masked_fill(~mask, -1)
        x, target = (_padded(_gather(self.vectors, part), mask) for part in (index[:, :-1], index[:, 1:]))
        return Batch(x, mask, target, mask, rows)


def _gather(vectors: Tensor, index: Tensor) -> Tensor:
    """vectors[index] in float32: (N, D) by (B, T) to (B, T, D)."""
    return vectors.index_select(0, index.flatten()).float().unflatten(0, index.shape)


def _padded(x_BTD: Tensor, mask_BT: Tensor) -> Tensor:
    """`x_BTD` with zeros where the mask is False, in place; touches the padding only, which is little."""
    padding = mask_BT.logical_not().flatten().nonzero().squeeze(1)
    x_BTD.flatten(0, 1).index_fill_(0, padding, 0.0)
    return x_BTD


def _epoch_seed(seed: int, number: int) -> int:
    """One 63-bit seed an epoch, unrelated between neighbouring seeds and epochs."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)


def _require_positive(name: str, value: int) -> None:
    if value < 1:
        raise UsageError(f"{name} = {value}: expected at least 1")
