"""Chance: one draw from what a model expects, at a temperature and from a seed of its own.

D numbers in a vector, N samples or candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from nextvec.errors import DataError
from nextvec.models.forecast import Forecast
from nextvec.models.predictor import unit

SAMPLES = 16
"""Drawn for one, at a temperature other than 1: their mean is what the one is moved towards, or away from."""

HOTTEST = 2.0


class ExhaustedError(DataError):
    """No stored chunk is left that says something new."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawQuery:
    """Attributes:
    forecast: of one document at one position.
    temperature: above 0; 1 draws what the model says.
    seed: of this draw, 0 or more.
    seen_rows, seen_texts: stored rows, and `same_text` keys of sentences, that are no answer: given already.
    """

    forecast: Forecast
    temperature: float
    seed: int
    seen_rows: frozenset[int] = frozenset()
    seen_texts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """`vector` float32 (D,), unit norm; `row` where it is a stored chunk's, None for a sample of the model's own."""

    vector: np.ndarray
    row: int | None = None


def seed_of(seed: int, choice: int, number: int) -> int:
    """Of one draw: sentence `number` of the continuation `choice` in a request's `seed`, any whole number."""
    mixed = np.random.SeedSequence((seed % 2**64, choice, number))
    return int(mixed.generate_state(1, np.uint64)[0] >> 1)


def sample(forecast: Forecast, temperature: float, generator: Generator) -> Tensor:
    """(D,) unit: a sample of a forecast of one document at one position, at a temperature."""
    count = 1 if temperature == 1 else SAMPLES
    samples_ND = forecast.sample(count, generator)[:, 0, 0]
    return tempered(samples_ND, forecast.point[0, 0], temperature)


def tempered(samples_ND: Tensor, point_D: Tensor, temperature: float) -> Tensor:
    """(D,) unit: the first sample y with its distance from the mean m of the samples scaled, unit(m + T (y - m)).

    Towards T = 0 it is the point, at T = 1 the sample as it is. For y = unit(mu + e), e normal in many dimensions, it
    is distributed as unit(mu + T e), because the length of mu + e hardly varies; for other distributions it is a
    definition. m is taken in the direction of the point, which is that of the mean.
    """
    mean_D = (samples_ND @ point_D).mean().clamp(min=0) * point_D
    return unit(mean_D + temperature * (samples_ND[0] - mean_D))


def choose(scores_N: Tensor, temperature: float, generator: Generator) -> int:
    """The index of one candidate, with the probabilities softmax(score / temperature)."""
    behind_N = scores_N.double() - scores_N.max()  # 0 for the best: no temperature, however low, makes that infinite
    shares_N = torch.softmax(behind_N / temperature, 0)
    return int(torch.multinomial(shares_N, 1, generator=generator))


def same_text(text: str) -> str:
    """A key that is equal for texts of the same letters and digits, whatever their case, marks and spaces."""
    return "".join(character for character in text.casefold() if character.isalnum())
