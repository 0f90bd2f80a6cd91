"""A model as a distribution over what comes next: what it draws, and how likely it held what was said.

A model that samples draws vectors, one with a density tells the log density. Any other that has a fitted temperature is
a softmax over stored chunks: those nearest to its point, by its query. D numbers in a vector, N candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Generator, Tensor

from nextvec.errors import UsageError
from nextvec.models.forecast import Forecast
from nextvec.models.head import HEADS, Gift
from nextvec.models.predictor import PredictorSpec, unit
from nextvec.serving.drawing import Drawn, DrawQuery, ExhaustedError, choose, sample
from nextvec.serving.events import Alternative, Draws, Likelihood, Tells
from nextvec.store.snapshot import Snapshot

Near = Callable[[np.ndarray, Sequence[int]], np.ndarray]
"""Of a vector (D,) and rows that are excluded: the stored rows nearest to it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeighQuery:
    """Attributes:
    forecast: of one document at one position.
    vector: float (D,), what came; any norm but 0.
    row: the stored row that it is, if it is one.
    excluded: stored rows that were no answer.
    alternatives: how many others to tell.
    """

    forecast: Forecast
    vector: np.ndarray
    row: int | None = None
    excluded: tuple[int, ...] = ()
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

    @torch.inference_mode()
    def draw(self, query: DrawQuery) -> Drawn:
        """Raises UsageError where the model cannot, ExhaustedError when there is no stored chunk to draw."""
        generator = Generator().manual_seed(query.seed)
        if self.require_draws() == "samples":
            return Drawn(vector=sample(query.forecast, query.temperature, generator).cpu().numpy())
        rows = self._near(_point(query.forecast), query.excluded)
        if not len(rows):
            raise ExhaustedError(f"{self._snapshot.label} has no chunk left to draw")
        vectors_ND = self._vectors(rows)
        chosen = choose(self._log_odds(query.forecast, vectors_ND), query.temperature, generator)
        return Drawn(vector=vectors_ND[chosen].numpy(), row=int(rows[chosen]))

    @torch.inference_mode()
    def weigh(self, query: WeighQuery) -> Likelihood:
        """Raises UsageError where the model has no probabilities."""
        kind, rows = self.require_tells(), np.empty(0, dtype=np.int64)
        if kind == "candidates" or query.alternatives:
            near = self._near(_point(query.forecast), query.excluded)
            rows = near[near != (-1 if query.row is None else query.row)]
        what_came_1D = unit(torch.from_numpy(query.vector).float())[None]
        vectors_ND = torch.cat([what_came_1D, self._vectors(rows)])
        value, *others = self._values(kind, query.forecast, vectors_ND)
        return Likelihood(kind=kind, value=value, alternatives=self._best(rows, others, query.alternatives))

    @property
    def _candidates(self) -> Literal["candidates"] | None:
        return None if self._temperature() is None else "candidates"

    def _values(self, kind: Tells, forecast: Forecast, vectors_ND: Tensor) -> list[float]:
        if kind == "density":
            return [float(forecast.log_density(y_D[None, None])) for y_D in vectors_ND]
        values: list[float] = torch.log_softmax(self._log_odds(forecast, vectors_ND), 0).tolist()
        return values

    def _log_odds(self, forecast: Forecast, vectors_ND: Tensor) -> Tensor:
        """(N,) of the candidates, at the fitted temperature."""
        temperature = self._temperature()
        assert temperature is not None
        return (vectors_ND @ forecast.query[0, 0].float().cpu()).double() / temperature

    def _vectors(self, rows: np.ndarray) -> Tensor:
        return unit(torch.from_numpy(self._snapshot.vectors[rows].astype(np.float32)))

    def _best(self, rows: np.ndarray, values: Sequence[float], count: int) -> tuple[Alternative, ...]:
        order = np.argsort(-np.array(values), kind="stable")[:count]
        texts = self._snapshot.texts(rows[order])
        return tuple(Alternative(text=text, value=values[i]) for i, text in zip(order.tolist(), texts, strict=True))

    def _refusal(self, what: str, gift: Gift) -> UsageError:
        named = [name for name in HEADS if gift in HEADS.get(name).gives]
        return UsageError(
            f"{self._identity} gives one vector and {what}: nextvec compare {self._identity} fits the temperature that "
            f"makes it choose among stored chunks, or train a head with {gift} (known: {', '.join(named) or 'none'})"
        )


def _point(forecast: Forecast) -> np.ndarray:
    point_D: np.ndarray = forecast.point[0, 0].float().cpu().numpy()
    return point_D
