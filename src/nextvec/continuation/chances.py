"""A model as a distribution over what comes next: what it draws, and how likely it held what was said.

A model that samples draws vectors, one with a density tells the log density. Any other that has a fitted temperature is
a softmax over stored chunks: those nearest to its point, by its query for what has not been said. D numbers in a
vector, N candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Generator, Tensor

from nextvec.continuation.drawing import Drawn, DrawQuery, ExhaustedError, choose, same_text, sample
from nextvec.continuation.events import Alternative, Draws, Likelihood, Tells
from nextvec.errors import UsageError
from nextvec.models.baseline import BASELINES
from nextvec.models.forecast import Forecast
from nextvec.models.head import HEADS, Gift
from nextvec.models.predictor import PredictorSpec, unit
from nextvec.retrieval.neighbours import NearChunk
from nextvec.store.snapshot import Snapshot


class Near(Protocol):
    def __call__(
        self, vector: np.ndarray, *, seen_rows: Collection[int], seen_texts: Collection[str]
    ) -> list[NearChunk]:
        """The stored chunks nearest to a vector (D,) that are not seen, no two of one text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeighQuery:
    """Attributes:
    forecast: of one document at one position.
    vector: float (D,), what came; any norm but 0.
    said: its `same_text` key: where it is a candidate, it is weighed once.
    seen_rows, seen_texts: stored rows, and `same_text` keys, that could not have come.
    alternatives: how many others to tell.
    """

    forecast: Forecast
    vector: np.ndarray
    said: str = ""
    seen_rows: frozenset[int] = frozenset()
    seen_texts: frozenset[str] = frozenset()
    alternatives: int = 0


class Chances:
    """Args:
    identity: the model's, for messages.
    spec: says whether it samples and has a density.
    temperature: gives the fitted one, or None.
    snapshot: the stored chunks.
    near: finds candidates among them.
    """

    def __init__(
        self,
        identity: str,
        spec: PredictorSpec,
        temperature: Callable[[], float | None],
        snapshot: Snapshot,
        near: Near,
    ) -> None:
        self._identity, self._spec, self._temperature = identity, spec, temperature
        self._snapshot, self._near = snapshot, near

    @property
    def draws(self) -> Draws | None:
        """From what it draws; None where it cannot."""
        return "samples" if self._spec.samples else self._candidates

    @property
    def tells(self) -> Tells | None:
        """What it tells of what came; None where it cannot."""
        return "density" if self._spec.density else self._candidates

    def require_draws(self) -> Draws:
        """Raises UsageError where it cannot draw."""
        if (draws := self.draws) is None:
            raise self._refusal("draws none", "samples")
        return draws

    def require_tells(self) -> Tells:
        """Raises UsageError where it has no probabilities."""
        if (tells := self.tells) is None:
            raise self._refusal("has no probabilities", "density")
        return tells

    @torch.no_grad()
    def draw(self, query: DrawQuery) -> Drawn:
        """Raises UsageError where the model cannot, ExhaustedError when there is no stored chunk to draw."""
        generator = Generator().manual_seed(query.seed)
        if self.require_draws() == "samples":
            return Drawn(vector=sample(query.forecast, query.temperature, generator).cpu().numpy())
        near = self._nearest(query)
        if not near:
            raise ExhaustedError(f"{self._snapshot.label} has no chunk left to draw")
        vectors_ND = self._vectors(near)
        chosen = choose(self._log_odds(query.forecast, vectors_ND), query.temperature, generator)
        return Drawn(vector=vectors_ND[chosen].numpy(), row=near[chosen].row)

    @torch.no_grad()
    def weigh(self, query: WeighQuery) -> Likelihood:
        """Raises UsageError where the model has no probabilities."""
        kind = self.require_tells()
        found = self._nearest(query) if kind == "candidates" or query.alternatives else []
        near = [chunk for chunk in found if same_text(chunk.text) != query.said]
        what_came_1D = unit(torch.from_numpy(query.vector).float())[None]
        vectors_ND = torch.cat([what_came_1D, self._vectors(near)])
        value, *others = self._values(kind, query.forecast, vectors_ND)
        alternatives = [Alternative(text=chunk.text, value=each) for chunk, each in zip(near, others, strict=True)]
        best = sorted(alternatives, key=lambda other: -other.value)[: query.alternatives]
        return Likelihood(kind=kind, value=value, alternatives=tuple(best))

    def _nearest(self, query: DrawQuery | WeighQuery) -> list[NearChunk]:
        point_D = query.forecast.point[0, 0].float().cpu().numpy()
        return self._near(point_D, seen_rows=query.seen_rows, seen_texts=query.seen_texts)

    @property
    def _candidates(self) -> Literal["candidates"] | None:
        return None if self._temperature() is None else "candidates"

    def _values(self, kind: Tells, forecast: Forecast, vectors_ND: Tensor) -> list[float]:
        if kind == "density":
            there_ND = vectors_ND.to(forecast.point.device)
            return [float(forecast.log_density(y_D[None, None])) for y_D in there_ND]
        values: list[float] = torch.log_softmax(self._log_odds(forecast, vectors_ND), 0).tolist()
        return values

    def _log_odds(self, forecast: Forecast, vectors_ND: Tensor) -> Tensor:
        """(N,) of the candidates, at the fitted temperature."""
        temperature = self._temperature()
        assert temperature is not None
        return (vectors_ND @ forecast.ahead[0, 0].float().cpu()).double() / temperature

    def _vectors(self, chunks: Sequence[NearChunk]) -> Tensor:
        rows = [chunk.row for chunk in chunks]
        return unit(torch.from_numpy(self._snapshot.vectors[rows].astype(np.float32)))

    def _refusal(self, what: str, gift: Gift) -> UsageError:
        heads = [name for name in HEADS if gift in HEADS.get(name).gives]
        baselines = [name for name in BASELINES if BASELINES.get(name).draws]
        alone = "" if self._spec.samples else "gives one vector and "
        return UsageError(
            f"{self._identity} {alone}{what}: nextvec compare {self._identity} fits the temperature that "
            f"makes it choose among stored chunks, or train what has {gift} (baselines: {', '.join(baselines)}; heads: "
            f"{', '.join(heads)})"
        )
