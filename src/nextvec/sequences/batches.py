"""Batches for training and evaluation, gathered from rows of vectors that they share.

B sequences, T positions, D embedding size. Masks are right-padded: a prefix of True in every sequence; padded
vectors are zero. What a batch holds is fully determined by (seed, epoch, step), so a killed run resumes at a step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nextvec.errors import TrainingError, UsageError
from nextvec.heading import NextHeading
from nextvec.sequences.headings import HeadingRows
from nextvec.sequences.rows import VectorRows, rows_of
from nextvec.sequences.windows import IntArray
from nextvec.structure import UNKNOWN

POOL_BATCHES = 32
"""Sequences are sorted by length within random pools of about this many batches, so that a large corpus changes its
neighbours in a batch from epoch to epoch. Measured padding on 700 Wikipedia articles (47,000 targets): 2 % at 512
and 1,024 targets a batch, 4 % at 2,048, 7 % at 4,096; on 6,000 articles 2.5 % to 4 % throughout."""
BATCH_COST = 0.05
"""What one more batch costs, in full batches, when it is weighed against padding."""


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
    seen_from_B: Tensor
    """(B,) int64, the snapshot row from which on a sequence's predictions have seen their document: each has seen all
    from there to its target, and nothing else. It lies before the first input where `bases` come from more."""
    breaks_BT: Tensor | None = None
    """(B, T) int8, whether each input begins a paragraph (`structure`); None: nothing is known."""
    next_BT: Tensor | None = None
    """(B, T) int8, the same of the chunk after each input; None: nothing is known."""
    heading: NextHeading | None = None
    """Of the chunk after each input, the heading that it stands under; None: nothing is known."""
    bases: Mapping[str, Tensor] = field(default_factory=dict)
    """(B, T, E) by name: what each anchor expects at each position, where that was computed before."""

    @property
    def targets(self) -> int:
        return int(self.target_mask_BT.sum())

    def part(self, sequences: slice) -> Batch:
        """The batch of these sequences alone."""
        return Batch(
            x_BTD=self.x_BTD[sequences],
            mask_BT=self.mask_BT[sequences],
            target_BTD=self.target_BTD[sequences],
            target_mask_BT=self.target_mask_BT[sequences],
            rows_BT=self.rows_BT[sequences],
            seen_from_B=self.seen_from_B[sequences],
            breaks_BT=None if self.breaks_BT is None else self.breaks_BT[sequences],
            next_BT=None if self.next_BT is None else self.next_BT[sequences],
            heading=None if self.heading is None else self.heading[sequences],
            bases={name: base_BTE[sequences] for name, base_BTE in self.bases.items()},
        )


@dataclass(frozen=True, slots=True)
class Structure:
    """What training is told of the structure of its text.

    A model that is trained with all of it at all times would be lost without it, and one that is never told how the
    next chunk begins could not use that: `hidden` is the share of sequences, drawn anew every epoch, of which nothing
    is known; `told` the share of positions at which it is known whether the next chunk begins a paragraph.
    """

    breaks: Tensor
    """(N,) int8, whether each row begins a paragraph."""
    headings: HeadingRows | None = None
    """Those that the rows stand under; None: there are none. They are told of every sequence that hides nothing."""
    hidden: float = 0.0
    told: float = 0.0
    plain_bases: Mapping[str, Tensor | VectorRows] = field(default_factory=dict)
    """As `bases` of `SpanBatches`, of anchors that know nothing of the structure."""

    def draw(self, seed: int, number: int) -> tuple[Tensor, Tensor]:
        """(N,) bool each, of epoch `number`: a sequence that ends at the row keeps its structure; a row is told to the
        one before it."""
        random = np.random.default_rng((_epoch_seed(seed, number), 1))
        drawn = random.random((2, len(self.breaks)), dtype=np.float32)
        keep, told = drawn[0] >= self.hidden, drawn[1] < self.told
        return torch.from_numpy(keep).to(self.breaks.device), torch.from_numpy(told).to(self.breaks.device)


class Batches(Protocol):
    """Epochs of batches. Every method takes the number of the epoch, from 0."""

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]: ...

    def steps(self, number: int) -> int: ...

    def targets(self, number: int) -> int: ...


class WindowBatches:
    """Windows of `context` vectors and their successor: x (B, context, D), target (B, 1, D).

    Args:
        vectors: (N, D) float16 or float32; batches are made on its device.
        rows: (n,) target rows, from `windows.target_rows`.
        context: vectors before each target.
        batch_size: windows in a batch; the last one of an epoch may be smaller.
        seed: of the shuffle; None keeps the order of `rows`.
        structure: what is known of paragraphs and how much of it is told; None: nothing is known.

    Raises TrainingError when there are no rows, UsageError when context or batch_size is below 1.
    """

    def __init__(
        self,
        vectors: npt.NDArray[np.floating] | Tensor | VectorRows,
        rows: npt.ArrayLike,
        context: int,
        batch_size: int,
        seed: int | None,
        structure: Structure | None = None,
    ) -> None:
        _require_positive("context", context)
        _require_positive("batch_size", batch_size)
        self.vectors = rows_of(vectors)
        self.rows = torch.from_numpy(np.array(rows, np.int64)).to(self.vectors.device)
        if not len(self.rows):
            raise TrainingError(
                f"no windows: no document is longer than context = {context}. Choose a smaller context."
            )
        self.context, self.batch_size, self.seed, self.structure = context, batch_size, seed, structure
        self._reach = torch.arange(-context, 1, device=self.vectors.device)

    def steps(self, number: int) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def targets(self, number: int) -> int:
        return len(self.rows)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of epoch `number` from step `start` on."""
        rows, structure = self._order(number), self.structure
        drawn = None if structure is None else structure.draw(self.seed or 0, number)
        for first in range(start * self.batch_size, len(rows), self.batch_size):
            batch = self._batch(rows[first : first + self.batch_size])
            yield batch if structure is None or drawn is None else _told_window(batch, structure, *drawn)

    def _order(self, number: int) -> Tensor:
        if self.seed is None:
            return self.rows
        generator = torch.Generator().manual_seed(_epoch_seed(self.seed, number))
        return self.rows[torch.randperm(len(self.rows), generator=generator).to(self.rows.device)]

    def _batch(self, rows: Tensor) -> Batch:
        index = rows[:, None] + self._reach
        window = self.vectors.gather(index)
        mask = torch.ones_like(index, dtype=torch.bool)
        k = self.context
        return Batch(window[:, :k], mask[:, :k], window[:, k:], mask[:, k:], rows[:, None], index[:, 0])


def _told_window(batch: Batch, structure: Structure, keep_N: Tensor, told_N: Tensor) -> Batch:
    """The windows with as much of their structure as an epoch tells."""
    breaks, headings = structure.breaks, structure.headings
    after_BT = batch.seen_from_B[:, None] + torch.arange(1, batch.x_BTD.shape[1] + 1, device=breaks.device)
    hidden_B1 = ~keep_N[batch.rows_BT]
    return replace(
        batch,
        breaks_BT=breaks[after_BT - 1].masked_fill(hidden_B1, UNKNOWN),
        next_BT=breaks[after_BT].masked_fill(~told_N[after_BT] | hidden_B1, UNKNOWN),
        heading=None if headings is None else headings.before(after_BT).hidden(hidden_B1),
    )


class DocumentBatches:
    """Whole documents, every position a target: for a document of n rows, x = rows[:-1] and target = rows[1:].

    Iterating gives batches of documents of similar length, from the shortest to the longest, the same in every pass.
    Documents of one row have no target and are dropped.

    Args:
        vectors: (N, D) float16 or float32; batches are made on its device.
        offsets: (n_docs + 1,), document i owns rows offsets[i]:offsets[i+1].
        documents: (m,) document indexes to use.
        targets_per_batch: bound on B * T, padding included; a longer document makes a batch of its own.
        breaks: (N,) int8, which rows begin a paragraph; None: nothing is known.
        headings: those that the rows stand under; None: there are none.

    Raises TrainingError when no document has two rows, UsageError when targets_per_batch is below 1.
    """

    def __init__(
        self,
        vectors: npt.NDArray[np.floating] | Tensor | VectorRows,
        offsets: npt.ArrayLike,
        documents: npt.ArrayLike,
        targets_per_batch: int,
        breaks: Tensor | None = None,
        headings: HeadingRows | None = None,
    ) -> None:
        _require_positive("targets_per_batch", targets_per_batch)
        self.vectors, self.breaks, self.headings = rows_of(vectors), breaks, headings
        self.first, self.targets, self.documents = _with_targets(offsets, documents)
        self.targets_per_batch = targets_per_batch

    @cached_property
    def plan(self) -> list[IntArray]:
        """The document indexes of every batch; sequence b of a batch is its document b."""
        return [self.documents[batch] for batch in self._batches]

    @cached_property
    def _batches(self) -> list[IntArray]:
        return _by_length(self.targets, np.arange(len(self.targets)), self.targets_per_batch)

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._batches:
            first = self.first[batch]
            made = _sequences(self.vectors, first, self.targets[batch], seen_from=first, breaks=self.breaks)
            yield made if self.headings is None else replace(made, heading=self.headings.before(made.rows_BT))


class SpanBatches:
    """Spans of documents, every chunk but a document's first a target once an epoch; where one is cut is drawn anew.

    Spans fill a batch with pieces of many documents, so that its targets are less alike and a recurrent network, which
    takes one step over time for the whole batch, has rows to work on.

    The longest span doubles from epoch to epoch until it is `span` (sequence-length warm-up: Li, Zhang, He 2022,
    "The Stability-Efficiency Dilemma", arXiv 2108.06084): at first it is variety that a network learns from, and
    shorter spans are spans of more documents.

    Args:
        vectors, offsets, documents: as for `DocumentBatches`.
        span: most targets in a sequence.
        targets_per_batch: bound on B * T, padding included.
        seed: of the cuts and the shuffle.
        first_span: most targets in a sequence of the first epoch; None for `span` in all epochs.
        bases: by name (N, E), for each row what an anchor expects after it from the beginning of its document; go into
            the batches, whose predictions have then seen their documents from the beginning.
        structure: what is known of paragraphs and how much of it is told; None: nothing is known.

    Raises TrainingError when no document has two rows, UsageError when span or targets_per_batch is below 1.
    """

    def __init__(
        self,
        vectors: npt.NDArray[np.floating] | Tensor | VectorRows,
        offsets: npt.ArrayLike,
        documents: npt.ArrayLike,
        span: int,
        targets_per_batch: int,
        seed: int,
        first_span: int | None = None,
        bases: Mapping[str, Tensor | VectorRows] | None = None,
        structure: Structure | None = None,
    ) -> None:
        _require_positive("span", span)
        if first_span is not None:
            _require_positive("first_span", first_span)
        _require_positive("targets_per_batch", targets_per_batch)
        self.vectors = rows_of(vectors)
        self._first, self._targets, _ = _with_targets(offsets, documents)
        self.span, self.first_span = span, first_span or span
        self.targets_per_batch, self.seed = targets_per_batch, seed
        self.bases = {name: rows_of(base_NE) for name, base_NE in (bases or {}).items()}
        self.structure = structure
        self._cut = lru_cache(maxsize=2)(self._make_cut)
        self._draw = lru_cache(maxsize=2)(self._draw_told)

    def steps(self, number: int) -> int:
        return len(self._cut(number))

    def targets(self, number: int) -> int:
        return int(self._targets.sum())

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of epoch `number` from step `start` on."""
        for first, targets, beginning in self._cut(number)[start:]:
            seen_from = beginning if self.bases else first
            breaks = None if self.structure is None else self.structure.breaks
            batch = _sequences(self.vectors, first, targets, seen_from, self.bases, breaks)
            yield batch if self.structure is None else self._told(batch, number)

    def _told(self, batch: Batch, number: int) -> Batch:
        """The batch with as much of its structure as an epoch tells."""
        structure = self.structure
        assert structure is not None
        headings = structure.headings
        keep_N, next_N = self._draw(number)
        last_B1 = batch.rows_BT.gather(1, batch.mask_BT.sum(1, keepdim=True) - 1)
        hidden_B1 = ~keep_N[last_B1]
        next_BT = structure.breaks[batch.rows_BT].masked_fill(~next_N[batch.rows_BT] | hidden_B1, UNKNOWN)
        assert batch.breaks_BT is not None
        return replace(
            batch,
            breaks_BT=batch.breaks_BT.masked_fill(hidden_B1, UNKNOWN),
            next_BT=next_BT.masked_fill(~batch.mask_BT, UNKNOWN),
            heading=None if headings is None else headings.before(batch.rows_BT).hidden(hidden_B1),
            bases={name: self._base(name, base, batch, hidden_B1) for name, base in batch.bases.items()},
        )

    def _base(self, name: str, base_BTE: Tensor, batch: Batch, hidden_B1: Tensor) -> Tensor:
        """What an anchor expects where a sequence's structure is hidden from it too."""
        assert self.structure is not None
        plain_NE = self.structure.plain_bases.get(name)
        if plain_NE is None or not hidden_B1.any():
            return base_BTE
        rows_BT = (batch.rows_BT - 1).clamp(min=0)
        return torch.where(hidden_B1[..., None], rows_of(plain_NE).gather(rows_BT), base_BTE)

    def _draw_told(self, number: int) -> tuple[Tensor, Tensor]:
        assert self.structure is not None
        return self.structure.draw(self.seed, number)

    def longest(self, number: int) -> int:
        """Most targets in a sequence of epoch `number`."""
        return min(self.span, self.first_span << min(number, self.span.bit_length()))

    def _make_cut(self, number: int) -> list[tuple[IntArray, IntArray, IntArray]]:
        """First row, number of targets and its document's first row for every span, batch by batch."""
        random = np.random.default_rng(_epoch_seed(self.seed, number))
        first, targets, beginning = self._spans(self.longest(number), random)
        batches = _shuffled(targets, self.targets_per_batch, random)
        return [(first[batch], targets[batch], beginning[batch]) for batch in batches]

    def _spans(self, longest: int, random: np.random.Generator) -> tuple[IntArray, IntArray, IntArray]:
        """In order. The first span of a long document has 1..`longest` targets, others but its last have `longest`."""
        lead = np.where(self._targets > longest, random.integers(1, longest + 1, len(self._targets)), self._targets)
        pieces = 1 + -(-(self._targets - lead) // longest)
        document = np.repeat(np.arange(len(pieces)), pieces)
        piece = np.arange(len(document)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        start = np.where(piece > 0, lead[document] + (piece - 1) * longest, 0)
        end = np.minimum(lead[document] + piece * longest, self._targets[document])
        beginning = self._first[document]
        return beginning + start, end - start, beginning


def _with_targets(offsets: npt.ArrayLike, documents: npt.ArrayLike) -> tuple[IntArray, IntArray, IntArray]:
    """First row, number of targets and index of those `documents` that have a target."""
    edges, chosen = np.asarray(offsets, np.int64), np.asarray(documents, np.int64)
    targets = np.diff(edges)[chosen] - 1
    some = targets > 0
    if not some.any():
        raise TrainingError(f"none of {len(chosen)} documents has two chunks: there is no next vector to learn from")
    return edges[chosen[some]], targets[some], chosen[some]


def _shuffled(lengths: IntArray, capacity: int, random: np.random.Generator) -> list[IntArray]:
    """The positions in `lengths` of every batch, in order: alike in length within a batch, and the batches mixed."""
    count = max(1, round(int(lengths.sum()) / (POOL_BATCHES * capacity)))
    pools = np.array_split(random.permutation(len(lengths)), count)
    batches = [batch for pool in pools for batch in _by_length(lengths, pool, capacity)]
    return [batches[i] for i in random.permutation(len(batches))]


def _by_length(lengths: IntArray, positions: IntArray, capacity: int) -> list[IntArray]:
    order = positions[np.argsort(lengths[positions], kind="stable")]
    return np.split(order, cheapest_cuts(lengths[order].tolist(), capacity))


def _sequences(
    vectors: VectorRows,
    first: IntArray,
    targets: IntArray,
    seen_from: IntArray,
    bases: Mapping[str, VectorRows] | None = None,
    breaks: Tensor | None = None,
) -> Batch:
    """Sequences of `targets` (B,) targets, the inputs from rows `first` (B,) on, the targets one row later."""
    device = vectors.device
    first_B, targets_B = torch.from_numpy(first).to(device), torch.from_numpy(targets).to(device)
    step = torch.arange(int(targets.max()) + 1, device=device)
    index = first_B[:, None] + torch.minimum(step, targets_B[:, None])
    mask = step[:-1] < targets_B[:, None]
    rows = index[:, 1:].masked_fill(~mask, -1)
    read = vectors.gather(index)
    x, target = (_padded(part.contiguous(), mask) for part in (read[:, :-1], read[:, 1:]))
    known = {name: base_NE.gather(index[:, :-1]) for name, base_NE in (bases or {}).items()}
    begins = None if breaks is None else breaks[index[:, :-1]].masked_fill(~mask, UNKNOWN)
    return Batch(x, mask, target, mask, rows, torch.from_numpy(seen_from).to(device), begins, bases=known)


def cheapest_cuts(lengths: Sequence[int], capacity: int) -> list[int]:
    """Where to cut ascending `lengths` into batches so that padding plus the batches' own cost is least.

    A batch of n sequences is as large as n times its longest, at most `capacity` unless n = 1, and costs its size
    plus `BATCH_COST` * capacity. Dynamic programme over the end of the last batch; returns the first index of every
    batch but the first.
    """
    cost, start = np.zeros(len(lengths) + 1), [0]
    for end, longest in enumerate(lengths, start=1):
        lowest = max(0, end - max(1, capacity // longest))
        after = cost[lowest:end] + np.arange(end - lowest, 0, -1) * longest
        first = lowest + int(after.argmin())
        cost[end] = after[first - lowest] + BATCH_COST * capacity
        start.append(first)
    cuts, first = [], start[-1]
    while first > 0:
        cuts.append(first)
        first = start[first]
    return cuts[::-1]


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
