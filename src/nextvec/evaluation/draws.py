"""The random draws that uncertainty is measured with, made once for a whole comparison.

Every figure and every pair sees the same resamples and the same exchanges, so what they have in common (documents, a
rival that all are set against) is in the joint distribution of their errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 2_000
PERMUTATIONS = 10_000

ENOUGH_A_DIFFERENCE = 40
"""m differences judged by rank have adjusted p-values of m / (permutations + 1) at least: half of 5 % with so many."""

_BLOCK_CELLS = 4_000_000
"""Of a matrix of draws at a time: 32 MB of float64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How uncertainty is drawn: bootstrap resamples, sign-flip permutations, and the seed of both."""

    resamples: int = RESAMPLES
    permutations: int = PERMUTATIONS
    seed: int = 0


@dataclass(frozen=True)
class Draws:
    """Draws for any number of units, each kept after it was first made: one byte or two for a cell."""

    drawing: Drawing = field(default_factory=Drawing)
    _resamples: dict[int, NDArray[np.uint16]] = field(default_factory=dict)
    _exchanges: dict[int, NDArray[np.uint8]] = field(default_factory=dict)

    def for_family(self, differences: int) -> Draws:
        """With as many permutations as a family of so many differences needs to tell one of them by its rank."""
        if ENOUGH_A_DIFFERENCE * differences <= self.drawing.permutations:
            return self
        return Draws(replace(self.drawing, permutations=ENOUGH_A_DIFFERENCE * differences), self._resamples)

    def resampled(self, columns: Floats) -> Floats:
        """Column totals of each resample of the units, (resamples, k), for `columns` (units, k)."""
        units = len(columns)
        if units not in self._resamples:
            self._resamples[units] = _draw_resamples(self.drawing, units)
        return _product(self._resamples[units], columns)

    def exchanged(self, columns: Floats) -> Floats:
        """Column totals over a random half of the units, (permutations, k), for `columns` (units, k)."""
        units = len(columns)
        if units not in self._exchanges:
            self._exchanges[units] = _draw_exchanges(self.drawing, units)
        return _product(self._exchanges[units], columns)


def _draw_resamples(drawing: Drawing, units: int) -> NDArray[np.uint16]:
    """(resamples, units): how often each unit is drawn, `units` draws with replacement a row."""
    rng = np.random.default_rng(drawing.seed)
    found = np.empty((drawing.resamples, units), np.uint16)
    for rows in _blocks(drawing.resamples, units):
        count = rows.stop - rows.start
        drawn = rng.integers(units, size=(count, units)) + np.arange(count)[:, None] * units
        found[rows] = np.bincount(drawn.ravel(), minlength=count * units).reshape(count, units)
    return found


def _draw_exchanges(drawing: Drawing, units: int) -> NDArray[np.uint8]:
    """(permutations, units): whether the two sides of a unit change places."""
    rng = np.random.default_rng([drawing.seed, 1])
    return rng.integers(2, size=(drawing.permutations, units), dtype=np.uint8)


def _product(draws: NDArray[np.integer], columns: Floats) -> Floats:
    found = np.empty((len(draws), columns.shape[1]))
    for rows in _blocks(len(draws), len(columns)):
        found[rows] = draws[rows].astype(np.float64) @ columns
    return found


def _blocks(total: int, width: int) -> Iterator[slice]:
    """Slices that cover `total` rows, each times `width` at most the block size (at least one row)."""
    size = max(1, _BLOCK_CELLS // max(1, width))
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))
