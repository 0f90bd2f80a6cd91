"""Uncertainty: how far a figure measured on some documents can be trusted.

The unit is the document: targets of one document share a topic and an author, so they are resampled together
(cluster bootstrap). Every figure here is a ratio of two sums over documents,

    figure = sum_d sums[d] / sum_d counts[d]

which covers means over targets (counts = targets), ratios such as `spread`, and skill. Sources: Efron & Tibshirani
1993, "An Introduction to the Bootstrap", ch. 13 (percentile interval); Field & Welsh 2007 (resampling clusters);
Good 2005, "Permutation, Parametric and Bootstrap Tests", ch. 3 (paired sign flips); Phipson & Smyth 2010 (the p-value
counts the observed arrangement); Holm 1979.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nextvec.errors import DataError

FEW_DOCUMENTS = 50
RESAMPLES = 2_000
PERMUTATIONS = 10_000
LEVEL = 0.95
SIGNIFICANCE = 0.05

Floats = NDArray[np.float64]
Verdict = Literal["better", "worse", "cannot tell"]

_BLOCK_CELLS = 4_000_000  # of a weights matrix at a time: 32 MB of float64
_TIE = 1e-12  # arrangements whose statistic differs by rounding alone count as equally extreme


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its percentile interval; `documents` is the number of units it rests on."""

    estimate: float
    low: float
    high: float
    documents: int

    @property
    def note(self) -> str | None:
        """ "only N documents" below 50 documents, else None."""
        return few_documents(self.documents)

    def to_dict(self) -> dict[str, Any]:
        return {"estimate": self.estimate, "low": self.low, "high": self.high, "documents": self.documents}


@dataclass(frozen=True, slots=True)
class Difference:
    """left - right on the same documents: its paired interval and the two-sided sign-flip p-value, in (0, 1]."""

    interval: Interval
    p_value: float


def few_documents(documents: int) -> str | None:
    """The caution that belongs beside a figure of so few documents, or None when there are enough (50)."""
    if documents >= FEW_DOCUMENTS:
        return None
    return f"only {documents} document{'' if documents == 1 else 's'}"


def bootstrap_interval(
    sums: ArrayLike, counts: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> Interval:
    """Document-cluster bootstrap of sum(sums) / sum(counts).

    Args:
        sums, counts: (docs,) numerator and denominator of each document; documents with 0 in both are no units.
        seed: equal seeds and numbers of documents give equal resamples.

    Raises DataError when lengths differ, a value is not finite, a count is negative, or every count is 0.
    """
    columns = _columns(sums, counts)
    estimates = _ratio(_resampled(columns, resamples, seed))
    totals = columns.sum(axis=0)
    return _interval(float(totals[0] / totals[1]), estimates, level, len(columns))


def paired_difference(
    left_sums: ArrayLike,
    left_counts: ArrayLike,
    right_sums: ArrayLike,
    right_counts: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    level: float = LEVEL,
) -> Difference:
    """Left figure minus right figure over the same documents, given in the same order, each (docs,).

    The interval uses one set of resamples for both sides. The p-value exchanges left and right within documents at
    random, which is the sign flip of each document's difference where the counts agree.
    Raises DataError as `bootstrap_interval` does.
    """
    columns = _columns(left_sums, left_counts, right_sums, right_counts)
    totals = columns.sum(axis=0)
    observed = float(_ratio_difference(totals[None])[0])
    estimates = _ratio_difference(_resampled(columns, resamples, seed))
    p_value = _sign_flip_p(columns, observed, permutations, seed)
    return Difference(_interval(observed, estimates, level, len(columns)), p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment over a family, in the given order; each at least the raw value and at most 1."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(order), 0, -1)
    raised = np.maximum.accumulate(factors * np.asarray(p_values, dtype=np.float64)[order])
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(raised, 1.0)
    return [float(value) for value in adjusted]


def verdict(
    difference: Interval, p_value: float, *, higher_is_better: bool = True, significance: float = SIGNIFICANCE
) -> Verdict:
    """What may be said of left against right: both the interval and the (adjusted) p-value must exclude zero."""
    if p_value >= significance or difference.low <= 0.0 <= difference.high:
        return "cannot tell"
    return "better" if (difference.estimate > 0) == higher_is_better else "worse"


def p_text(p_value: float) -> str:
    """ "p < 0.001" or "p = 0.012"."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _columns(*given: ArrayLike) -> Floats:
    """Sums and counts in turn, as (units, columns): documents that have nothing but zeros left out."""
    arrays = [np.asarray(column, dtype=np.float64) for column in given]
    if any(array.ndim != 1 or array.shape != arrays[0].shape for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise DataError(f"sums and counts must be one number a document each; their shapes are {shapes}")
    columns = np.stack(arrays, axis=1)
    counts = columns[:, 1::2]
    if not np.isfinite(columns).all() or (counts < 0).any():
        raise DataError("sums and counts must be finite and counts not negative; look for NaN in the predictions")
    units = columns[(columns != 0).any(axis=1)]
    if not (units[:, 1::2].sum(axis=0) > 0).all():
        raise DataError("no document has anything to measure: every count is 0. Give longer or more documents.")
    return units


def _resampled(columns: Floats, resamples: int, seed: int) -> Floats:
    """Column totals of each resample, (resamples, columns)."""
    blocks = [weights @ columns for weights in _weights(len(columns), resamples, seed)]
    return np.concatenate(blocks)


def _weights(units: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks (r, units) of how often each unit is drawn, `units` draws with replacement a row."""
    rng = np.random.default_rng(seed)
    for rows in _block_rows(resamples, units):
        drawn = rng.integers(units, size=(rows, units)) + np.arange(rows)[:, None] * units
        yield np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(np.float64)


def _sign_flip_p(columns: Floats, observed: float, permutations: int, seed: int) -> float:
    left, right = columns[:, :2], columns[:, 2:]
    rng = np.random.default_rng([seed, 1])
    extreme = 0
    for rows in _block_rows(permutations, len(columns)):
        exchanged = rng.integers(2, size=(rows, len(columns)), dtype=np.int8).astype(np.float64)
        moved = exchanged @ (right - left)
        totals = np.concatenate([left.sum(axis=0) + moved, right.sum(axis=0) - moved], axis=1)
        extreme += int((np.abs(_ratio_difference(totals)) >= abs(observed) - _TIE).sum())
    return (extreme + 1) / (permutations + 1)


def _block_rows(total: int, width: int) -> Iterator[int]:
    """Row counts that add up to `total`, each times `width` at most the block size (at least one row)."""
    size = max(1, _BLOCK_CELLS // max(1, width))
    for start in range(0, total, size):
        yield min(size, total - start)


def _ratio(totals: Floats) -> Floats:
    return totals[:, 0] / totals[:, 1]


def _ratio_difference(totals: Floats) -> Floats:
    """Rows of (left sum, left count, right sum, right count) to left ratio - right ratio."""
    return totals[:, 0] / totals[:, 1] - totals[:, 2] / totals[:, 3]


def _interval(estimate: float, estimates: Floats, level: float, documents: int) -> Interval:
    low, high = np.quantile(estimates, [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate, float(low), float(high), documents)
