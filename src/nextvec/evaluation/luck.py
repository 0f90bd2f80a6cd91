"""The luck of training: how far the mean of a few runs may lie from what the architecture is worth.

A run's figure is the architecture's, plus what this run has over its sisters on every document, plus its own chance in
each document. The last is in the spread over documents already, a part known from the runs (`chance`); the first is
seen in the spread between runs alone, of which there are two or three, so its variance is estimated from all
architectures of a comparison together, with as many degrees of freedom. One that spreads far more than the others
keeps its own. Sources: Obuchowski & Rockette 1995 and Hillis 2007 (readers nested in tests, all reading the same cases:
here runs in architectures, all predicting the same documents); Student 1908.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from nextvec.evaluation.column import Column, Floats

K = TypeVar("K", bound=Hashable)

FAR_MORE = 5.0
"""An architecture whose runs vary this many times as much as those of the others is no sample of the same spread."""


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
    alike = [key for key in trained if len(trained) > 1 and not _far_more(key, between)]
    freedom = sum(len(trained[key].runs) - 1 for key in alike)
    common = sum(between[key] * (len(trained[key].runs) - 1) for key in alike) / max(freedom, 1)
    found = {}
    for key, column in trained.items():
        pooled, runs = key in alike, len(column.runs)
        variance = common if pooled else between[key]
        found[key] = Luck(variance / runs, freedom if pooled else runs - 1, pooled, _chance(column) / runs)
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


def _far_more(key: K, between: Mapping[K, float]) -> bool:
    others = [value for other, value in between.items() if other != key]
    return between[key] > FAR_MORE * float(np.mean(others))


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
