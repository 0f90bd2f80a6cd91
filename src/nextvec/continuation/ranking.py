"""Which of some candidates comes next after a context: by the model's query, with the probability of each.

The score of a candidate is query . candidate; the softmax of score / temperature is its probability, if one of them
comes next. The temperature is a model's own, fitted where the candidates are what lies ahead in a document, and where
they are chunks of others. A query tells the former apart; the latter are told by what they are about, the model's
topic. Where nobody knows, the probability that a candidate comes next is that of being of this document at all, by the
topic's odds, times that of coming next if it is: log odds that lie far above 0 change nothing.
Shapes: N candidates, T vectors of the context, D their size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from nextvec.continuation.contexts import Context, Passage
from nextvec.continuation.familiarity import Familiarity
from nextvec.continuation.temperature import Among
from nextvec.models.forecast import Part

UNFITTED = 1.0
"""The temperature where none was fitted: the order is the same at any, the probabilities are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """`index` is its place among those given, from 0; `probability`, 0..1, adds up to 1 over all of them."""

    index: int
    text: str
    score: float
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Attributes:
    candidates: all of them, the likeliest first; equal ones in the order they were given.
    among: where the candidates are from.
    temperature: of the probabilities; None where none was fitted, and they are those at `UNFITTED`.
    own: chunks of the context that were used, the last ones.
    left_out: chunks before them, beyond what the model looks at.
    familiarity: how near the corpus is to the context; None where it has too few held-out documents to say.
    """

    candidates: tuple[Candidate, ...]
    among: Among
    temperature: float | None
    own: int
    left_out: int
    familiarity: Familiarity | None

    def ranked_by(self, usual: Part) -> str:
        """What of the forecast ordered them, of a model that `usual`ly ranks by that part."""
        return {"document": usual, "anywhere": "topic", "either": f"{usual} and topic"}[self.among]


class RankingStages(Protocol):
    """The stages that a ranking takes, awaited."""

    @property
    def window(self) -> int:
        """Vectors of a context that are used, the last ones."""
        ...

    async def encode(self, texts: Sequence[str]) -> np.ndarray: ...
    async def recognise(self, own: np.ndarray) -> Familiarity | None: ...
    async def query(self, context: Context) -> np.ndarray: ...
    async def topic(self, context: Context) -> np.ndarray: ...
    def log_odds(self, topic_D: np.ndarray, vectors_ND: np.ndarray) -> np.ndarray: ...


async def rank(
    stages: RankingStages,
    passage: Passage,
    texts: Sequence[str],
    temperature: float | None = None,
    among: Among = "either",
) -> Ranking:
    """The candidates `texts`, one or more, by how well each follows a passage: those of the same document by the query,
    those from anywhere by the topic, others by both. `temperature` is the one fitted for such. Raises what the stages
    raise."""
    used = passage.last(stages.window)
    own = len(used.written)
    vectors_ND = await stages.encode([*used.written, *texts])
    context = Context.of(used, vectors_ND[:own])
    scores_N = await _scores(stages, context, vectors_ND[own:], temperature or UNFITTED, among)
    return Ranking(
        candidates=_in_order(texts, scores_N, temperature or UNFITTED),
        among=among,
        temperature=temperature,
        own=len(used.texts),
        left_out=len(passage.texts) - len(used.texts),
        familiarity=await stages.recognise(context.vectors),
    )


async def _scores(
    stages: RankingStages, context: Context, vectors_ND: np.ndarray, temperature: float, among: Among
) -> np.ndarray:
    """(N,) float64, log odds times the temperature."""
    exact_ND = vectors_ND.astype(np.float64)
    if among == "anywhere":
        return exact_ND @ await stages.topic(context)
    scores_N = exact_ND @ await stages.query(context)
    if among == "either":
        odds_N = stages.log_odds(await stages.topic(context), vectors_ND)
        scores_N -= temperature * np.logaddexp(0, -odds_N.astype(np.float64))
    return scores_N


def _in_order(texts: Sequence[str], scores_N: np.ndarray, temperature: float) -> tuple[Candidate, ...]:
    probabilities_N = torch.softmax(torch.from_numpy(scores_N / temperature), 0).tolist()
    return tuple(
        Candidate(index=index, text=texts[index], score=float(scores_N[index]), probability=probabilities_N[index])
        for index in np.argsort(-scores_N, kind="stable").tolist()
    )
