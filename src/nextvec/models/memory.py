"""What a predictor keeps of documents that it reads step by step, so that the next step need not read them again.

Nothing in a memory is ever changed in place: many continuations may start from one. B documents, each read as far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor

from nextvec.errors import MismatchError

Kept: TypeAlias = "Tensor | tuple[Kept, ...] | None"
"""Tensors (B, ...) that one part of a predictor keeps; None before the first vector, and where it needs nothing."""
Layout: TypeAlias = "tuple[int, ...] | tuple[Layout, ...] | None"


@dataclass(frozen=True, slots=True)
class Memory:
    """Of `documents` documents that the predictor called `owner` has read; what is `kept` is its own business.

    `weights` tells apart predictors of one name, where whoever asks them knows: a `Model` does.
    """

    owner: str
    documents: int
    kept: Kept = None
    weights: str | None = None

    @property
    def layout(self) -> Layout:
        """Memories of one owner and equal layouts can be joined: of fixed size always, growing ones of one age."""
        return _layout(self.kept)

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        return _numbers(self.kept)

    def __getitem__(self, documents: slice) -> Memory:
        """That of some of the documents."""
        count = len(range(self.documents)[documents])
        return replace(self, documents=count, kept=_part(self.kept, documents))

    def part(self, number: int) -> Memory:
        """That of one document."""
        return self[number : number + 1]


def join(memories: Sequence[Memory]) -> Memory:
    """One memory of all their documents. Raises MismatchError unless owners and layouts are equal."""
    first = memories[0]
    if any((memory.owner, memory.layout) != (first.owner, first.layout) for memory in memories):
        raise MismatchError("memories of different predictors, or of documents read unequally far, cannot be joined")
    documents = sum(memory.documents for memory in memories)
    return Memory(first.owner, documents, _join([memory.kept for memory in memories]))


def check_memory(owner: str, documents: int, memory: Memory) -> None:
    """Raises MismatchError for the memory of another predictor or of another number of documents."""
    if (memory.owner, memory.documents) != (owner, documents):
        raise MismatchError(
            f"{owner} was given {documents} documents to go on with and a memory of {memory.documents} documents read "
            f"by {memory.owner}; expected one of its own, from start({documents}) or the step before"
        )


def latest(kept: Kept, new_BT: Tensor, most: int | None = None) -> Tensor:
    """The last `most` positions (None: all) of kept ones (B, P, ...) and new ones together."""
    seen_BT = new_BT if kept is None else torch.cat([cast(Tensor, kept), new_BT], dim=1)
    return seen_BT if most is None else seen_BT[:, max(0, seen_BT.shape[1] - most) :]


def parts_of(kept: Kept, count: int) -> tuple[Any, ...]:
    """What each of `count` parts keeps; None each before the first vector."""
    return (None,) * count if kept is None else cast(tuple[Any, ...], kept)


def _layout(kept: Kept) -> Layout:
    if isinstance(kept, Tensor):
        return tuple(kept.shape[1:])
    return None if kept is None else tuple(map(_layout, kept))


def _numbers(kept: Kept) -> int:
    if isinstance(kept, Tensor):
        return kept.numel()
    return 0 if kept is None else sum(map(_numbers, kept))


def _part(kept: Kept, documents: slice) -> Kept:
    if isinstance(kept, Tensor):
        return kept[documents]
    return None if kept is None else tuple(_part(each, documents) for each in kept)


def _join(each_kept: Sequence[Kept]) -> Kept:
    first = each_kept[0]
    if isinstance(first, Tensor):
        return torch.cat(cast(list[Tensor], each_kept))
    return None if first is None else tuple(map(_join, zip(*cast(Sequence[tuple[Kept, ...]], each_kept), strict=True)))
