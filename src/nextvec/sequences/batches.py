"""Batches for training and evaluation, gathered from rows of vectors that they share.

B sequences, T positions, D embedding size. Masks are right-padded: a prefix of True in every sequence; padded
vectors are zero. What a batch holds is fully determined by (seed, epoch, step), so a killed run resumes at a step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import tee
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nextvec.errors import TrainingError, UsageError
from nextvec.heading import NextHeading
from nextvec.sequences.headings import HeadingRows
from nextvec.sequences.planning import Part, Sequences, by_length, part_of, shuffled
from nextvec.sequences.rows import VectorRows, rows_of
from nextvec.sequences.windows import IntArray
from nextvec.structure import UNKNOWN


@dataclass(frozen=True, slots=True)
class Contrast:
    """All targets of a batch and where they stand, as a `Batch` has its own."""

    target_BTD: Tensor
    target_mask_BT: Tensor
    rows_BT: Tensor
    seen_from_B: Tensor


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
    begins_BT: Tensor | None = None
    """(B, S) int8, whether each target begins a paragraph, whoever is told of it; None: nothing is known."""
    bases: Mapping[str, Tensor] = field(default_factory=dict)
    """(B, T, E) by name: what each anchor expects at each position, where that was computed before."""
    whole: Contrast | None = None
    """The targets of the whole batch, where this is a process's part of one; None: it has all of them here, or nothing
    contrasts with them."""
    share: float = 1.0
    """What its targets weigh among those of the whole batch; 0 where another process has the same."""
    planned: int | None = None
    """Targets of the whole batch; None: those here."""

    @property
    def targets(self) -> int:
        """Of the whole batch, as they were planned: a device is not asked."""
        return int(self.target_mask_BT.sum()) if self.planned is None else self.planned


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
    told_bases: Mapping[str, Tensor | VectorRows] = field(default_factory=dict)
    """The same of anchors that know of every chunk how the next one begins, as far as they make anything of that."""

    def draw(self, seed: int, number: int) -> tuple[Tensor, Tensor]:
        """(N,) bool each, of epoch `number`: a sequence that ends at the row keeps its structure; a row is told to the
        one before it."""
        random = np.random.default_rng((_epoch_seed(seed, number), 1))
        drawn = random.random((2, len(self.breaks)), dtype=np.float32)
        keep, told = drawn[0] >= self.hidden, drawn[1] < self.told
        return torch.from_numpy(keep).to(self.breaks.device), torch.from_numpy(told).to(self.breaks.device)


class Batches(Protocol):
    """Epochs of batches. Every method takes the number of the epoch, from 0."""

    def epoch(self, number: int, start: int = 0, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """The batches from step `start` on; for process `rank` of `world`, of each every `world`-th sequence."""
        ...

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
        contrast: whether a process's part of a batch comes with the targets of all of it.

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
        *,
        contrast: bool = True,
    ) -> None:
        _require_positive("context", context)
        _require_positive("batch_size", batch_size)
        self.vectors = rows_of(vectors)
        self.rows = np.array(rows, np.int64)
        if not len(self.rows):
            raise TrainingError(
                f"no windows: no document is longer than context = {context}. Choose a smaller context."
            )
        self.context, self.batch_size, self.seed, self.structure = context, batch_size, seed, structure
        self.contrast = contrast

    def steps(self, number: int) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def targets(self, number: int) -> int:
        return len(self.rows)

    def epoch(self, number: int, start: int = 0, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """See `Batches`."""
        rows, structure = self._order(number), self.structure
        drawn = None if structure is None else structure.draw(self.seed or 0, number)
        firsts = range(start * self.batch_size, len(rows), self.batch_size)
        windows = (self._windows(rows[first : first + self.batch_size]) for first in firsts)
        for part, read in _gathered(self.vectors, windows, rank, world, contrast=self.contrast):
            batch = _batch(part, read)
            yield batch if structure is None or drawn is None else _told_window(batch, structure, *drawn)

    def _order(self, number: int) -> IntArray:
        if self.seed is None:
            return self.rows
        generator = torch.Generator("cpu").manual_seed(_epoch_seed(self.seed, number))
        return self.rows[torch.randperm(len(self.rows), generator=generator, device="cpu").numpy()]

    def _windows(self, rows: IntArray) -> Sequences:
        first = rows - self.context
        return Sequences(first, np.full_like(rows, self.context), first, self.context, last_only=True)


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
        return by_length(self.targets, [np.arange(len(self.targets))], self.targets_per_batch)

    def __iter__(self) -> Iterator[Batch]:
        planned = (_runs(self.first[batch], self.targets[batch], self.first[batch]) for batch in self._batches)
        for part, read in _gathered(self.vectors, planned):
            made = _padded(part, read, breaks=self.breaks)
            if self.breaks is not None:
                begins_BT = self.breaks[made.rows_BT].masked_fill(~made.target_mask_BT, UNKNOWN)
                made = replace(made, begins_BT=begins_BT)
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
        contrast: as for `WindowBatches`.

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
        *,
        contrast: bool = True,
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
        self.structure, self.contrast = structure, contrast
        self._cut = lru_cache(maxsize=2)(self._make_cut)
        self._draw = lru_cache(maxsize=2)(self._draw_told)

    def steps(self, number: int) -> int:
        return len(self._cut(number))

    def targets(self, number: int) -> int:
        return int(self._targets.sum())

    def epoch(self, number: int, start: int = 0, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """See `Batches`."""
        breaks = None if self.structure is None else self.structure.breaks
        planned = iter(self._cut(number)[start:])
        for part, read in _gathered(self.vectors, planned, rank, world, contrast=self.contrast):
            batch = _padded(part, read, self.bases, breaks)
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
        next_BT = next_BT.masked_fill(~batch.mask_BT, UNKNOWN)
        others = (structure.plain_bases, hidden_B1), (structure.told_bases, next_BT != UNKNOWN)
        return replace(
            batch,
            breaks_BT=batch.breaks_BT.masked_fill(hidden_B1, UNKNOWN),
            next_BT=next_BT,
            heading=None if headings is None else headings.before(batch.rows_BT).hidden(hidden_B1),
            bases={name: _base(name, base, batch, others) for name, base in batch.bases.items()},
        )

    def _draw_told(self, number: int) -> tuple[Tensor, Tensor]:
        assert self.structure is not None
        return self.structure.draw(self.seed, number)

    def longest(self, number: int) -> int:
        """Most targets in a sequence of epoch `number`."""
        return min(self.span, self.first_span << min(number, self.span.bit_length()))

    def _make_cut(self, number: int) -> list[Sequences]:
        """The spans of every batch."""
        random = np.random.default_rng(_epoch_seed(self.seed, number))
        first, targets, beginning = self._spans(self.longest(number), random)
        seen_from = beginning if self.bases else first
        batches = shuffled(targets, self.targets_per_batch, random)
        return [_runs(first[batch], targets[batch], seen_from[batch]) for batch in batches]

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


def _base(
    name: str, base_BTE: Tensor, batch: Batch, others: Iterable[tuple[Mapping[str, Tensor | VectorRows], Tensor]]
) -> Tensor:
    """What an anchor expects that knows as much of the structure as the sequence tells: one of the `others` where its
    mask, (B, T) or (B, 1), says so."""
    rows_BT = (batch.rows_BT - 1).clamp(min=0)
    for bases, where_BT in others:
        if (other_NE := bases.get(name)) is not None:
            base_BTE = torch.where(where_BT[..., None], rows_of(other_NE).gather(rows_BT), base_BTE)
    return base_BTE


def _with_targets(offsets: npt.ArrayLike, documents: npt.ArrayLike) -> tuple[IntArray, IntArray, IntArray]:
    """First row, number of targets and index of those `documents` that have a target."""
    edges, chosen = np.asarray(offsets, np.int64), np.asarray(documents, np.int64)
    targets = np.diff(edges)[chosen] - 1
    some = targets > 0
    if not some.any():
        raise TrainingError(f"none of {len(chosen)} documents has two chunks: there is no next vector to learn from")
    return edges[chosen[some]], targets[some], chosen[some]


def _runs(first_B: IntArray, length_B: IntArray, seen_from_B: IntArray) -> Sequences:
    return Sequences(first_B, length_B, seen_from_B, int(length_B.max()))


def _gathered(
    vectors: VectorRows, planned: Iterable[Sequences], rank: int = 0, world: int = 1, *, contrast: bool = False
) -> Iterator[tuple[Part, Tensor]]:
    """A process's part of every batch with the rows it needs, (n, D); they may be read ahead of their time."""
    parts, asked = tee(part_of(whole, rank, world, contrast=contrast) for whole in planned)
    return zip(parts, vectors.gather_each(part.index for part in asked), strict=True)


def _batch(part: Part, read_ND: Tensor) -> Batch:
    """Unpadded sequences: windows. Inputs and targets are views of what was read."""
    own, device = part.own, read_ND.device
    size = len(own) * (own.width + 1)
    read = read_ND[:size].unflatten(0, (len(own), own.width + 1))
    mask, target_mask, rows = (_on(device, array) for array in (own.mask, own.target_mask, own.target_rows))
    first_target = 1 + own.width - target_mask.shape[1]
    seen_from, whole = _on(device, own.seen_from_B), _contrast(part, read_ND[size:]) if part.contrast else None
    return Batch(
        read[:, :-1], mask, read[:, first_target:], target_mask, rows, seen_from,
        whole=whole, share=part.share, planned=part.whole.targets,
    )  # fmt: skip


def _padded(
    part: Part, read_ND: Tensor, bases: Mapping[str, VectorRows] | None = None, breaks: Tensor | None = None
) -> Batch:
    """Sequences of any length, with zeros for padding, and what is known of their inputs."""
    batch, device, own = _batch(part, read_ND), read_ND.device, part.own
    index_BT, mask_BT = own.index[:, :-1], own.mask
    padding = _on(device, np.flatnonzero(~mask_BT))
    x, target = (_zeroed(part_BTD.contiguous(), padding) for part_BTD in (batch.x_BTD, batch.target_BTD))
    at_BT = _on(device, index_BT)
    known = {name: base_NE.gather(at_BT) for name, base_NE in (bases or {}).items()}
    begins = None if breaks is None else breaks[at_BT].masked_fill(~batch.mask_BT, UNKNOWN)
    return replace(batch, x_BTD=x, target_BTD=target, breaks_BT=begins, bases=known)


def _contrast(part: Part, read_ND: Tensor) -> Contrast:
    whole, device = part.whole, read_ND.device
    target_BSD = read_ND.unflatten(0, whole.target_mask.shape)
    where = (_on(device, array) for array in (whole.target_mask, whole.target_rows, whole.seen_from_B))
    return Contrast(target_BSD, *where)


def _on(device: torch.device, array: npt.NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)


def _zeroed(x_BTD: Tensor, padding: Tensor) -> Tensor:
    """`x_BTD` with zeros at these positions, in place; touches the padding only, which is little."""
    x_BTD.flatten(0, 1).index_fill_(0, padding, 0.0)
    return x_BTD


def _epoch_seed(seed: int, number: int) -> int:
    """One 63-bit seed an epoch, unrelated between neighbouring seeds and epochs."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)


def _require_positive(name: str, value: int) -> None:
    if value < 1:
        raise UsageError(f"{name} = {value}: expected at least 1")
