"""Uncertainty: how far a figure measured on some documents, by some training runs, can be trusted.

The unit is the document: targets of one document share a topic and an author, so they are resampled together
(cluster bootstrap). Every figure here is a ratio of two sums over documents,

    figure = sum_d sums[d] / sum_d counts[d]

which covers means over targets (counts = targets), ratios such as `spread`, and skill. What is said of an architecture
carries the spread between its training runs too (`luck`).

Of few documents the percentiles of a bootstrap lie too close together: with five of them intervals of 95 % held 81 to
86 %. Errors are stretched by as much as an interval of Student's is wider than one whose spread is known.

Differences are judged as a family: the chance that any of those that are none is called one is at most 5 %, and near
it, because the adjustment knows how the differences hang together (all are exchanged on the same documents).

Sources: Efron & Tibshirani 1993, "An Introduction to the Bootstrap", ch. 13 (percentile interval); Hesterberg 2015,
"What Teachers Should Know About the Bootstrap" (that it is too narrow, and by how much); Field & Welsh 2007 (resampling
clusters); Good 2005, "Permutation, Parametric and Bootstrap Tests", ch. 3 (paired sign flips); Phipson &
Smyth 2010 (the p-value counts the observed arrangement); Westfall & Young 1993, "Resampling-Based Multiple Testing",
ch. 2 (step-down maximum).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from statistics import NormalDist
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nextvec.errors import DataError
from nextvec.evaluation.column import Column, Floats
from nextvec.evaluation.draws import PERMUTATIONS, RESAMPLES, Drawing, Draws
from nextvec.evaluation.luck import draw_luck, lucks

FEW_DOCUMENTS = 50
LEVEL = 0.95
SIGNIFICANCE = 0.05
NO_ENDS = "n/a"
"""What is shown of the ends of an interval that has none."""
ROUNDING = 1e-6
"""Differences within it are those of float32 arithmetic, of figures of order 1; of larger ones, such as the nats of a
density, within as much more."""

Verdict = Literal["better", "worse", "cannot tell"]
K = TypeVar("K", bound=Hashable)

_TIE = 1e-12  # arrangements whose statistic differs by rounding alone count as equally extreme


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval; `documents` is the number of units it rests on. One alone says nothing of how
    they differ: its interval has no ends (they are infinite), and in a record none (null)."""

    estimate: float
    low: float
    high: float
    documents: int

    @property
    def note(self) -> str | None:
        """ "only N documents" below 50 documents, else None."""
        return few_documents(self.documents)

    @property
    def has_ends(self) -> bool:
        return not (math.isinf(self.low) and math.isinf(self.high))

    def ends(self, form: str, between: str = ", ") -> str:
        """Both of them, as `format` writes numbers, or "n/a"."""
        return between.join(format(end, form) for end in (self.low, self.high)) if self.has_ends else NO_ENDS

    def within(self, low: float, high: float) -> Interval:
        """Cut where the figure itself ends: a share of 0.9 in three documents is at most 1 all the same."""
        return replace(self, low=max(self.low, low), high=min(self.high, high)) if self.has_ends else self

    def to_dict(self) -> dict[str, Any]:
        low, high = (self.low, self.high) if self.has_ends else (None, None)
        return {"estimate": self.estimate, "low": low, "high": high, "documents": self.documents}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Interval:
        """Of what `to_dict` gave, whatever stands beside it."""
        known = {each.name: plain[each.name] for each in fields(cls)}
        return cls(**known) if known["low"] is not None else cls(**known | {"low": -math.inf, "high": math.inf})


@dataclass(frozen=True, slots=True)
class Difference:
    """left - right on the same documents: its paired interval and two-sided p-values, in (0, 1].

    `p_value` is its own; `p_adjusted` that of its family, at least as large; `scale` is how large the figures
    themselves are, 1 at least.
    """

    interval: Interval
    p_value: float
    p_adjusted: float
    scale: float = 1.0


def few_documents(documents: int) -> str | None:
    """The caution that belongs beside a figure of so few documents, or None when there are enough (50)."""
    if documents >= FEW_DOCUMENTS:
        return None
    return f"only {documents} document{'' if documents == 1 else 's'}"


class Measurements(Generic[K]):
    """Columns of one set of documents, by key (a subject's name, say), with the draws that they are judged by.

    Raises DataError when columns have different documents, a value is not finite, a count is negative, or every count
    of a column is 0.
    """

    def __init__(self, columns: Mapping[K, Column], draws: Draws) -> None:
        self._columns, self._draws = columns, draws
        self._place = {key: place for place, key in enumerate(columns)}
        self._sums, self._counts = _units(list(columns.values()))
        self._luck = lucks(columns)
        self._estimates = self._sums.sum(axis=0) / self._counts.sum(axis=0)

    def interval(self, key: K) -> Interval:
        """The figure with its interval: documents are resampled, and so is the luck of its training runs."""
        place = self._place[key]
        errors = self._resampled[:, place] - self._estimates[place]
        documents = self._documents(key)
        errors = errors * self._share(float(np.var(errors)), key) * _stretch(documents)
        return _interval(float(self._estimates[place]), errors + self._lucky(key, "resamples"), documents)

    def judge(self, pairs: Sequence[tuple[K, K]]) -> list[Difference]:
        """Left minus right for every pair, their p-values adjusted over all of them, each pair counted once.

        Under no difference, left and right may change places within documents (the sign flip of each document's
        difference where the counts agree), and the luck of training has the same chance to go either way.
        """
        distinct = list(dict.fromkeys(pairs))
        if not distinct:
            return []
        lucky = np.array([any(key in self._luck for key in pair) for pair in distinct])
        family = self._with(self._draws.for_family(int(lucky.sum())))
        nulls = np.stack([family._null(*pair) for pair in distinct], axis=1)
        observed = np.array([self._difference(*pair) for pair in distinct])
        own, adjusted = _p_values(np.abs(observed), np.abs(nulls), lucky)
        found = {
            pair: Difference(self._paired(*pair), float(p), float(q), self._scale(*pair))
            for pair, p, q in zip(distinct, own, adjusted, strict=True)
        }
        return [found[pair] for pair in pairs]

    def _with(self, draws: Draws) -> Measurements[K]:
        return self if draws is self._draws else Measurements(self._columns, draws)

    @cached_property
    def _resampled(self) -> Floats:
        """(resamples, k) figures."""
        k = len(self._place)
        totals = self._draws.resampled(np.concatenate([self._sums, self._counts], axis=1))
        return _finite(totals[:, :k], totals[:, k:])

    @cached_property
    def _exchanged(self) -> tuple[Floats, Floats]:
        """(permutations, k) sums and counts of the documents that are exchanged."""
        k = len(self._place)
        totals = self._draws.exchanged(np.concatenate([self._sums, self._counts], axis=1))
        return totals[:, :k], totals[:, k:]

    @cached_property
    def _deviations(self) -> dict[str, dict[K, Floats]]:
        drawing = self._draws.drawing
        counts = {"resamples": drawing.resamples, "permutations": drawing.permutations}
        return {what: draw_luck(self._luck, count, drawing.seed) for what, count in counts.items()}

    def _lucky(self, key: K, what: Literal["resamples", "permutations"]) -> Floats | float:
        return self._deviations[what].get(key, 0.0)

    def _share(self, variance: float, *keys: K) -> float:
        """What documents' errors of this variance shrink by: the runs' own chance in them is in their luck already."""
        chance = sum(self._luck[key].chance for key in keys if key in self._luck)
        return float(np.sqrt(max(0.0, 1.0 - chance / variance))) if variance > 0 else 1.0

    def _difference(self, left: K, right: K) -> float:
        return float(self._estimates[self._place[left]] - self._estimates[self._place[right]])

    def _scale(self, *keys: K) -> float:
        return max(1.0, *(abs(float(self._estimates[self._place[key]])) for key in keys))

    def _paired(self, left: K, right: K) -> Interval:
        i, j = self._place[left], self._place[right]
        errors = self._resampled[:, i] - self._resampled[:, j] - self._difference(left, right)
        documents = self._documents(left, right)
        errors = errors * self._share(float(np.var(errors)), left, right) * _stretch(documents)
        errors = errors + self._lucky(left, "resamples") - self._lucky(right, "resamples")
        return _interval(self._difference(left, right), errors, documents)

    def _null(self, left: K, right: K) -> Floats:
        """(permutations,) differences as they would be if there were none."""
        i, j = self._place[left], self._place[right]
        (sums, counts), (all_sums, all_counts) = self._exchanged, (self._sums.sum(axis=0), self._counts.sum(axis=0))
        moved, weight = sums[:, j] - sums[:, i], counts[:, j] - counts[:, i]
        lefts = _finite(all_sums[i] + moved, all_counts[i] + weight)
        found = lefts - _finite(all_sums[j] - moved, all_counts[j] - weight)
        found *= self._share(float(np.mean(found**2)), left, right)
        return found + self._lucky(left, "permutations") - self._lucky(right, "permutations")

    def _documents(self, *keys: K) -> int:
        places = [self._place[key] for key in keys]
        return int(((self._sums[:, places] != 0) | (self._counts[:, places] != 0)).any(axis=1).sum())


def bootstrap_interval(sums: ArrayLike, counts: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Document-cluster bootstrap of sum(sums) / sum(counts), for a figure that is nobody's rival.

    Args:
        sums, counts: (docs,) numerator and denominator of each document; documents with 0 in both are no units.
        seed: equal seeds and numbers of documents give equal resamples.

    Raises DataError as `Measurements` does.
    """
    draws = Draws(Drawing(resamples=resamples, seed=seed))
    return Measurements({"": _column(sums, counts)}, draws).interval("")


def paired_difference(
    left_sums: ArrayLike,
    left_counts: ArrayLike,
    right_sums: ArrayLike,
    right_counts: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Difference:
    """Left figure minus right figure over the same documents, given in the same order, each (docs,): a family of one.

    Raises DataError as `Measurements` does.
    """
    columns = {
        "left": _column(left_sums, left_counts),
        "right": _column(right_sums, right_counts),
    }
    draws = Draws(Drawing(resamples=resamples, permutations=permutations, seed=seed))
    return Measurements(columns, draws).judge([("left", "right")])[0]


def verdict(
    difference: Interval,
    p_value: float,
    *,
    higher_is_better: bool = True,
    significance: float = SIGNIFICANCE,
    scale: float = 1.0,
) -> Verdict:
    """What may be said of left against right: both the interval and the (adjusted) p-value must exclude zero, and the
    interval must reach past `ROUNDING` of figures as large as `scale`. A correction of exactly nothing is otherwise
    "worse" than what it corrects: the same rounding in every document is as significant as anything.

    Raises DataError when one of them is not a number: nothing may be said then.
    """
    ends = (difference.low, difference.high) if difference.has_ends else ()
    if not np.isfinite([difference.estimate, p_value, *ends]).all():
        raise DataError(f"no verdict from {difference} and p = {p_value}: all must be finite numbers")
    rounding = max(-difference.low, difference.high) < ROUNDING * scale
    if p_value >= significance or difference.low <= 0.0 <= difference.high or rounding:
        return "cannot tell"
    return "better" if (difference.estimate > 0) == higher_is_better else "worse"


def p_text(p_value: float) -> str:
    """ "p < 0.001" or "p = 0.012"."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _p_values(observed: Floats, nulls: Floats, lucky: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Own and adjusted p-values of m absolute differences, given their absolute values (draws, m) under no difference.

    All are put on the scale of a normal deviate first: by what they are in standard deviations, or, where `lucky` (m,)
    says that luck of training makes the tails heavier, by how often chance exceeds them. Of those that remain after
    the larger ones were judged, the largest by chance is what a difference must exceed.
    """
    own = _share_at_least(nulls, observed)
    spread = np.sqrt((nulls**2).mean(axis=0))
    spread[spread == 0] = 1.0
    sizes, chances = observed / spread, nulls / spread
    sizes[lucky] = _deviates(len(nulls))[np.round(own[lucky] * (len(nulls) + 1)).astype(int) - 1]
    chances[:, lucky] = _deviates(len(nulls))[np.argsort(np.argsort(-nulls[:, lucky], axis=0), axis=0)]
    ascending = np.argsort(sizes, kind="stable")
    highest, largest = np.zeros(len(nulls)), np.empty_like(own)
    for place in ascending:
        highest = np.maximum(highest, chances[:, place])
        largest[place] = _share_at_least(highest[:, None], sizes[place : place + 1])[0]
    adjusted, p = np.empty_like(own), 0.0
    for place in ascending[::-1]:
        p = max(p, largest[place], own[place])
        adjusted[place] = p
    return own, adjusted


@cache
def _deviates(draws: int) -> Floats:
    """What a normal deviate exceeds, in absolute value, in 1, 2 .. of draws + 1 cases; 0 for the last."""
    normal = NormalDist()
    return np.array([normal.inv_cdf(1 - rank / (2 * (draws + 1))) for rank in range(1, draws + 2)])


def _share_at_least(draws: Floats, observed: Floats) -> Floats:
    """(m,) shares of the (draws, m) that are at least as large, the observed one among them."""
    return ((draws >= observed - _TIE).sum(axis=0) + 1) / (len(draws) + 1)


def _column(sums: ArrayLike, counts: ArrayLike) -> Column:
    return Column(np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64))


def _units(columns: Sequence[Column]) -> tuple[Floats, Floats]:
    """(units, k) sums and counts; documents in which no column has anything are left out."""
    arrays = [side for column in columns for side in (column.sums, column.counts)]
    if any(array.ndim != 1 or array.shape != arrays[0].shape for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise DataError(f"sums and counts must be one number a document each; their shapes are {shapes}")
    sums, counts = (np.stack([getattr(column, side) for column in columns], axis=1) for side in ("sums", "counts"))
    if not (np.isfinite(sums).all() and np.isfinite(counts).all()) or (counts < 0).any():
        raise DataError("sums and counts must be finite and counts not negative; look for NaN in the predictions")
    if not (counts.sum(axis=0) > 0).all():
        raise DataError("no document has anything to measure: every count is 0. Give longer or more documents.")
    measured = ((sums != 0) | (counts != 0)).any(axis=1)
    return sums[measured], counts[measured]


def _finite(sums: Floats, counts: Floats) -> Floats:
    """sums / counts. Raises DataError where a draw has nothing to measure: it would count as no evidence."""
    if not (counts > 0).all():
        raise DataError(
            "in some resamples no document has anything to measure, so there is no interval and no p-value. "
            "Give more documents that have."
        )
    ratios: Floats = sums / counts
    return ratios


@cache
def _stretch(documents: int) -> float:
    """By how much errors of so many resampled units are too small: 1.44 of six, 1.04 of 50; 1 of one, which has none.

    The variance of a resample is that of n - 1 of n units, and its tails are those of a spread that is known. Student's
    quantile is Cornish and Fisher's expansion (Abramowitz & Stegun 1964, 26.7.5), right to a thousandth from five units
    on.
    """
    if documents < 2:
        return 1.0
    freedom, z = documents - 1, NormalDist().inv_cdf((1 + LEVEL) / 2)
    terms = ((1, 1), 4), ((3, 16, 5), 96), ((-15, 17, 19, 3), 384), ((-945, -1920, 1482, 776, 79), 92160)
    student = z + sum(
        sum(factor * z ** (2 * i + 1) for i, factor in enumerate(factors)) / (below * freedom**power)
        for power, (factors, below) in enumerate(terms, 1)
    )
    return math.sqrt(documents / freedom) * student / z


def _interval(estimate: float, errors: Floats, documents: int) -> Interval:
    if documents < 2:
        return Interval(estimate, -math.inf, math.inf, documents)
    low, high = np.quantile(errors, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(estimate, estimate + float(low), estimate + float(high), documents)
