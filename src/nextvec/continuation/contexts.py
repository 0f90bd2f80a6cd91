"""What predictions start from: the chunks of a text, their vectors, and what is known of the paragraphs they are in.

B contexts, T vectors of one, D their size. Codes of paragraphs are those of `structure`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from nextvec.heading import NextHeading
from nextvec.structure import UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passage:
    """A text that is cut into chunks.

    Attributes:
        texts: of its chunks.
        breaks: int8 (chunks,), whether each begins a paragraph.
        following: the same of whatever comes next.
        heading: that the text ends with, under which comes what comes next; empty where it ends with none.
    """

    texts: list[str]
    breaks: np.ndarray
    following: int = UNKNOWN
    heading: str = ""

    @classmethod
    def untold(cls, texts: Sequence[str]) -> Passage:
        """Chunks of which nothing else is known."""
        return cls(texts=list(texts), breaks=np.full(len(texts), UNKNOWN, dtype=np.int8))

    def last(self, count: int) -> Passage:
        """Its last `count` chunks."""
        return replace(self, texts=self.texts[-count:], breaks=self.breaks[-count:])

    @property
    def written(self) -> list[str]:
        """What is to be encoded: its chunks, and its heading, if there is one."""
        return [*self.texts, self.heading] if self.heading else self.texts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Context:
    """Vectors to predict the next one from.

    Attributes:
        vectors: float32 (T, D), unit norm, oldest first.
        breaks: int8 (T,), whether each begins a paragraph.
        following: the same of the one to predict.
        heading: float32 (D,), unit norm, under which that one comes; None where nobody knows.
        fresh: whether the heading stands right before it.
    """

    vectors: np.ndarray
    breaks: np.ndarray
    following: int = UNKNOWN
    heading: np.ndarray | None = None
    fresh: bool = False

    @classmethod
    def untold(cls, vectors: np.ndarray) -> Context:
        """(T, D) vectors of which nothing else is known."""
        return cls(vectors=vectors, breaks=np.full(len(vectors), UNKNOWN, dtype=np.int8))

    @classmethod
    def told(cls, vectors: np.ndarray, breaks: np.ndarray) -> Context:
        """breaks: int8 (T,), or (T + 1,) with the code of the one to predict."""
        if len(breaks) == len(vectors):
            return cls(vectors=vectors, breaks=breaks)
        return cls(vectors=vectors, breaks=breaks[:-1], following=int(breaks[-1]))

    @classmethod
    def of(cls, passage: Passage, vectors: np.ndarray) -> Context:
        """vectors: (T, D) of what is `written` in the passage."""
        own, heading = len(passage.texts), vectors[-1] if passage.heading else None
        return cls(
            vectors=vectors[:own], breaks=passage.breaks, following=passage.following, heading=heading,
            fresh=heading is not None,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.vectors)

    def last(self, count: int) -> Context:
        """Its last `count` vectors."""
        return replace(self, vectors=self.vectors[-count:], breaks=self.breaks[-count:])

    def then(self, vector: np.ndarray) -> Context:
        """The context once `vector` (D,) has followed; of what follows that only the heading is known, which is fresh
        no more."""
        return Context(
            vectors=np.concatenate([self.vectors, vector[None]]),
            breaks=np.append(self.breaks, np.int8(self.following)),
            heading=self.heading,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Padded:
    """Contexts side by side, as predictors take them: the arguments of `Predictor.forecast`."""

    x_BTD: Tensor
    mask_BT: Tensor
    breaks_BT: Tensor
    next_BT: Tensor
    heading: NextHeading | None = None

    @classmethod
    def of(cls, contexts: Sequence[Context]) -> Padded:
        """Padded on the right; what follows is known at the last position alone, as it is while a document is read."""
        shape = (len(contexts), max(map(len, contexts)))
        x_BTD = np.zeros((*shape, contexts[0].vectors.shape[1]), dtype=np.float32)
        breaks_BT, next_BT = (np.full(shape, UNKNOWN, dtype=np.int8) for _ in range(2))
        for row, context in enumerate(contexts):
            x_BTD[row, : len(context)], breaks_BT[row, : len(context)] = context.vectors, context.breaks
            next_BT[row, len(context) - 1] = context.following
        lengths_B1 = np.array([[len(context)] for context in contexts])
        return cls(
            x_BTD=torch.from_numpy(x_BTD),
            mask_BT=torch.from_numpy(np.arange(shape[1]) < lengths_B1),
            breaks_BT=torch.from_numpy(breaks_BT),
            next_BT=torch.from_numpy(next_BT),
            heading=_heading_of(contexts, x_BTD),
        )

    def to(self, device: torch.device) -> Padded:
        return Padded(
            x_BTD=self.x_BTD.to(device),
            mask_BT=self.mask_BT.to(device),
            breaks_BT=self.breaks_BT.to(device),
            next_BT=self.next_BT.to(device),
            heading=self.heading and self.heading.to(device),
        )

    def last_of(self, y_BTD: Tensor) -> Tensor:
        """(B, D): what stands at the last position of each context."""
        return y_BTD[torch.arange(len(y_BTD), device=y_BTD.device), self.mask_BT.sum(1) - 1]


def _heading_of(contexts: Sequence[Context], x_BTD: np.ndarray) -> NextHeading | None:
    """Of the last position of each; None where none has one."""
    if all(context.heading is None for context in contexts):
        return None
    vector_BTD, fresh_BT = np.zeros_like(x_BTD), np.zeros(x_BTD.shape[:2], dtype=bool)
    for row, context in enumerate(contexts):
        if context.heading is not None:
            vector_BTD[row, len(context) - 1], fresh_BT[row, len(context) - 1] = context.heading, context.fresh
    return NextHeading(torch.from_numpy(vector_BTD), torch.from_numpy(fresh_BT))
