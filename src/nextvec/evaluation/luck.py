"""The luck of training: how far the mean of a few runs may lie from what the architecture is worth.

A run's figure is the architecture's, plus what this run has over its sisters on every document, plus its own chance in
each document. The last is in the spread over documents already, a part known from the runs (`chance`); the first is
seen in the spread between runs alone, of which there are two or three, so its variance is estimated from all
architectures of a comparison together, with as many degrees of freedom. One that spreads far more than the others
keeps its own. Sources: Obuchowski & Rockette 1995 and Hillis 2007 (readers nested in tests, all reading the same cases:
here runs in architectures, all predicting the same documents); Student 1908.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from nextvec.evaluation.column import Column, Floats

K = TypeVar("K", bound=Hashable)

CHANCE_OF_FAR_MORE = 0.01
"""An architecture whose runs vary more, against those of the others, than happens by chance so seldom, is no sample of
the same spread."""
DRAWS_OF_CHANCE = 20_000


@dataclass(frozen=True, slots=True)
class Luck:
    """Of the mean over an architecture's runs.

    `variance` between runs, over their number; `freedom`: the degrees of freedom it is estimated with; `pooled`:
    together with other architectures; `chance`: the variance that the runs' own chance in each document gives the mean.
    """

    variance: float
    freedom: int
    pooled: bool
    chance: float


def lucks(columns: Mapping[K, Column]) -> dict[K, Luck]:
    """Of every column that is a mean of at least two runs."""
    trained = {key: column for key, column in columns.items() if len(column.runs) > 1}
    between = {key: _between_runs(column) for key, column in trained.items()}
    freedoms = {key: len(column.runs) - 1 for key, column in trained.items()}
    alike = _alike(between, freedoms)
    freedom = sum(freedoms[key] for key in alike)
    common = _pooled(between, freedoms, alike)
    found = {}
    for key, column in trained.items():
        pooled, runs = key in alike, len(column.runs)
        variance = common if pooled else between[key]
        found[key] = Luck(variance / runs, freedom if pooled else freedoms[key], pooled, _chance(column) / runs)
    return found


def draw_luck(found: Mapping[K, Luck], draws: int, seed: int) -> dict[K, Floats]:
    """(draws,) deviations of each architecture's mean, Student's t; those that are pooled share its denominator."""
    rng = np.random.default_rng([seed, 3])
    common = next((luck.freedom for luck in found.values() if luck.pooled), 1)
    shared = rng.chisquare(common, draws) / common
    drawn = {}
    for key in sorted(found, key=repr):
        luck = found[key]
        squares = shared if luck.pooled else rng.chisquare(luck.freedom, draws) / luck.freedom
        drawn[key] = rng.standard_normal(draws) * np.sqrt(luck.variance / squares)
    return drawn


def _alike(between: Mapping[K, float], freedoms: Mapping[K, int]) -> list[K]:
    """The architectures whose spreads may be one: those that vary far more are left out, the largest first, since one
    of them would hide the next. None where only one is left."""
    alike = sorted(between, key=lambda key: between[key])
    while len(alike) > 1 and _far_more(alike[-1], alike[:-1], between, freedoms):
        alike.pop()
    return alike if len(alike) > 1 else []


def _far_more(key: K, others: Sequence[K], between: Mapping[K, float], freedoms: Mapping[K, int]) -> bool:
    """Fisher's test of two variances: that of this one, and that of the others together."""
    freedom = sum(freedoms[other] for other in others)
    by_chance = np.random.default_rng(0).f(freedoms[key], freedom, DRAWS_OF_CHANCE)
    limit = float(np.quantile(by_chance, 1 - CHANCE_OF_FAR_MORE))
    return between[key] > limit * _pooled(between, freedoms, others)


def _pooled(between: Mapping[K, float], freedoms: Mapping[K, int], keys: Sequence[K]) -> float:
    return sum(between[key] * freedoms[key] for key in keys) / max(sum(freedoms[key] for key in keys), 1)


def _between_runs(column: Column) -> float:
    """The variance of the runs' estimates."""
    return float(np.var([run.estimate for run in column.runs], ddof=1))


def _chance(column: Column) -> float:
    """The variance that a run's estimate has from its own chance in each document: the interaction's mean square over
    the number of documents. The parts of a ratio are made linear first (Efron & Tibshirani 1993, ch. 11)."""
    parts_SU = np.stack([(run.sums - run.estimate * run.counts) / run.counts.mean() for run in column.runs])
    own_SU = parts_SU - parts_SU.mean(axis=0)
    runs, units = own_SU.shape
    return float((own_SU**2).sum() / max((runs - 1) * (units - 1), 1) / units)
