"""What a predictor keeps of documents that it has read step by step, so that the next step need not read them again.

Nothing in a state is ever changed in place: many continuations may start from one. B documents, each read as far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor

from nextvec.errors import MismatchError

Memory: TypeAlias = "Tensor | tuple[Memory, ...] | None"
"""Tensors (B, ...) of one part of a predictor; None before the first vector."""
Layout: TypeAlias = "tuple[int, ...] | tuple[Layout, ...] | None"


@dataclass(frozen=True, slots=True)
class State:
    """Of `documents` documents that the predictor called `owner` has read; what `memory` holds is its own business."""

    owner: str
    documents: int
    memory: Memory = None

    @property
    def layout(self) -> Layout:
        """States of one owner and equal layouts can be joined: those of fixed size always, growing ones of one age."""
        return _layout(self.memory)

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        return _numbers(self.memory)

    def part(self, number: int) -> State:
        """That of one document."""
        return State(self.owner, 1, _part(self.memory, number))


def join(states: Sequence[State]) -> State:
    """One state of all their documents. Raises MismatchError unless owners and layouts are equal."""
    first = states[0]
    if any((state.owner, state.layout) != (first.owner, first.layout) for state in states):
        raise MismatchError("states of different predictors, or of documents read unequally far, cannot be joined")
    return State(first.owner, sum(state.documents for state in states), _join([state.memory for state in states]))


def check_state(owner: str, documents: int, state: State) -> None:
    """Raises MismatchError for a state of another predictor or of another number of documents."""
    if (state.owner, state.documents) != (owner, documents):
        raise MismatchError(
            f"{owner} was given {documents} documents to go on with and a state of {state.documents} documents read by "
            f"{state.owner}; expected one of its own, from start({documents}) or the step before"
        )


def latest(memory: Memory, new_BT: Tensor, most: int | None) -> Tensor:
    """The last `most` positions (None: all) of what a memory of positions (B, P, ...) and new ones are together."""
    seen_BT = new_BT if memory is None else torch.cat([cast(Tensor, memory), new_BT], dim=1)
    return seen_BT if most is None else seen_BT[:, max(0, seen_BT.shape[1] - most) :]


def by_layer(memory: Memory, layers: int) -> tuple[Any, ...]:
    """What each layer remembers; None each before the first vector."""
    return (None,) * layers if memory is None else cast(tuple[Any, ...], memory)


def _layout(memory: Memory) -> Layout:
    if isinstance(memory, Tensor):
        return tuple(memory.shape[1:])
    return None if memory is None else tuple(map(_layout, memory))


def _numbers(memory: Memory) -> int:
    if isinstance(memory, Tensor):
        return memory.numel()
    return 0 if memory is None else sum(map(_numbers, memory))


def _part(memory: Memory, number: int) -> Memory:
    if isinstance(memory, Tensor):
        return memory[number : number + 1]
    return None if memory is None else tuple(_part(each, number) for each in memory)


def _join(memories: Sequence[Memory]) -> Memory:
    first = memories[0]
    if isinstance(first, Tensor):
        return torch.cat(cast(list[Tensor], memories))
    return None if first is None else tuple(map(_join, zip(*cast(Sequence[tuple[Memory, ...]], memories), strict=True)))
