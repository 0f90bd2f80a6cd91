"""Reading on: a request's next vectors from what the predictor keeps of the ones before, many requests at once.

Requests share a step where they bring as many vectors and their memories can be joined. That is always so where what
is kept has a fixed size (recurrent states, running sums, full windows). Attention keeps every position: there requests
that have read unequally far take their steps one after the other. So does a request that keeps its forecast: what is
drawn from it must not depend on who else is served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from nextvec.continuation.contexts import Context, Padded
from nextvec.models.forecast import Forecast
from nextvec.models.memory import Memory, join
from nextvec.models.predictor import Predictor

CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadQuery:
    """A context that follows what is in `memory`, that of one document; None where it begins one. `keep` the forecast
    for more than its point."""

    context: Context
    memory: Memory | None = None
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadResult:
    """`prediction` float32 (D,), unit norm, of the vector that follows; `memory` to go on from; `forecast` of it, one
    document at one position, where that was to be kept."""

    prediction: np.ndarray
    memory: Memory
    forecast: Forecast | None = None


def read_all(predictor: Predictor, queries: Sequence[ReadQuery], device: torch.device = CPU) -> list[ReadResult]:
    """A result for each query, the same alone and in company; `device` is the predictor's.

    Raises MismatchError for vectors of another D.
    """
    memories = [query.memory or predictor.start(1) for query in queries]
    together: dict[object, list[int]] = {}
    for number, (query, memory) in enumerate(zip(queries, memories, strict=True)):
        company = number if query.keep else (len(query.context), memory.layout)
        together.setdefault(company, []).append(number)
    results: dict[int, ReadResult] = {}
    for numbers in together.values():
        asked = [queries[number] for number in numbers]
        found = _read_together(predictor, asked, join([memories[number] for number in numbers]), device)
        results |= dict(zip(numbers, found, strict=True))
    return [results[number] for number in range(len(queries))]


@torch.no_grad()
def _read_together(
    predictor: Predictor, queries: Sequence[ReadQuery], memory: Memory, device: torch.device
) -> list[ReadResult]:
    """Of contexts of one length; of a single one, if its forecast is kept."""
    padded = Padded.of([query.context for query in queries]).to(device)
    forecast, memory = predictor.read(padded.x_BTD, memory, padded.breaks_BT, padded.next_BT, padded.heading)
    predictions_BD = forecast.point[:, -1].cpu().numpy()
    kept = forecast if queries[0].keep else None
    return [
        ReadResult(prediction=each_D, memory=memory.part(i), forecast=kept) for i, each_D in enumerate(predictions_BD)
    ]
