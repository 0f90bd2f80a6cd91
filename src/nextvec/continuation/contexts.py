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
        ahead: after each chunk, the heading that the next one stands under, empty for none; the last one is that of
            whatever comes next. Left out where no chunk stands under any.
        fresh: after each chunk, whether that heading stands right there.
    """

    texts: list[str]
    breaks: np.ndarray
    following: int = UNKNOWN
    ahead: tuple[str, ...] = ()
    fresh: tuple[bool, ...] = ()

    @classmethod
    def untold(cls, texts: Sequence[str]) -> Passage:
        """Chunks of which nothing else is known."""
        return cls(texts=list(texts), breaks=np.full(len(texts), UNKNOWN, dtype=np.int8))

    def last(self, count: int) -> Passage:
        """Its last `count` chunks."""
        return replace(
            self, texts=self.texts[-count:], breaks=self.breaks[-count:], ahead=self.ahead[-count:],
            fresh=self.fresh[-count:],
        )  # fmt: skip

    @property
    def heading(self) -> str:
        """Under which comes what comes next; empty where nobody knows."""
        return self.ahead[-1] if self.ahead else ""

    @property
    def headings(self) -> list[str]:
        """Each once."""
        return [heading for heading in dict.fromkeys(self.ahead) if heading]

    @property
    def written(self) -> list[str]:
        """What is to be encoded: its chunks, then its headings."""
        return [*self.texts, *self.headings]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Context:
    """Vectors to predict the next one from.

    Attributes:
        vectors: float32 (T, D), unit norm, oldest first.
        breaks: int8 (T,), whether each begins a paragraph.
        following: the same of the one to predict.
        headings: float32 (T, D), unit norm, after each vector the heading that the next one stands under, zero where
            nobody knows; the last is that of the one to predict. None where nothing is known of any.
        fresh: bool (T,), whether that heading stands right there; None without headings.
    """

    vectors: np.ndarray
    breaks: np.ndarray
    following: int = UNKNOWN
    headings: np.ndarray | None = None
    fresh: np.ndarray | None = None

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
        own = len(passage.texts)
        told = cls(vectors=vectors[:own], breaks=passage.breaks, following=passage.following)
        if not passage.headings:
            return told
        places = {heading: own + number for number, heading in enumerate(passage.headings)}
        with_none = np.concatenate([vectors, np.zeros_like(vectors[:1])])
        headings = with_none[[places.get(heading, -1) for heading in passage.ahead]]
        return replace(told, headings=headings, fresh=np.array(passage.fresh))

    def __len__(self) -> int:
        return len(self.vectors)

    def last(self, count: int) -> Context:
        """Its last `count` vectors."""
        headings, fresh = (None if each is None else each[-count:] for each in (self.headings, self.fresh))
        return replace(self, vectors=self.vectors[-count:], breaks=self.breaks[-count:], headings=headings, fresh=fresh)

    def after(self, vectors: np.ndarray, breaks: np.ndarray) -> Context:
        """Itself behind others, (P, D) and int8 (P,), of whose headings nothing is known."""
        joined = replace(
            self, vectors=np.concatenate([vectors, self.vectors]), breaks=np.concatenate([breaks, self.breaks])
        )
        if self.headings is None or self.fresh is None:
            return joined
        headings = np.concatenate([np.zeros_like(vectors), self.headings])
        return replace(joined, headings=headings, fresh=np.append(np.zeros(len(vectors), bool), self.fresh))

    def then(self, vector: np.ndarray) -> Context:
        """The context once `vector` (D,) has followed; of what follows that only the heading is known, which is fresh
        no more."""
        grown = Context(
            vectors=np.concatenate([self.vectors, vector[None]]),
            breaks=np.append(self.breaks, np.int8(self.following)),
        )
        if self.headings is None or self.fresh is None:
            return grown
        headings = np.concatenate([self.headings, self.headings[-1:]])
        return replace(grown, headings=headings, fresh=np.append(self.fresh, False))


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
        """Padded on the right; whether a paragraph begins is known ahead of the last position alone, as it is while a
        document is read."""
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
    """None where none has one."""
    if all(context.headings is None for context in contexts):
        return None
    vector_BTD, fresh_BT = np.zeros_like(x_BTD), np.zeros(x_BTD.shape[:2], dtype=bool)
    for row, context in enumerate(contexts):
        if context.headings is not None:
            vector_BTD[row, : len(context)], fresh_BT[row, : len(context)] = context.headings, context.fresh
    return NextHeading(torch.from_numpy(vector_BTD), torch.from_numpy(fresh_BT))
