"""One figure of one subject, document by document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nextvec.evaluation.metric import Part

_DIGITS = 9

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A figure's numerators and denominators by document, each (docs,), and the value that chance would give.

    `runs` are the columns of the training runs that this one is the mean of: what is said of it is about the
    architecture, and carries their spread. Without them it is about one checkpoint, or about something not trained.
    """

    sums: Floats
    counts: Floats
    chance: float | None = None
    runs: tuple[Column, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[tuple[int, Part]], documents: int) -> Column:
        """From (document, part) pairs; documents without a part get count 0."""
        sums, counts, chance = np.zeros(documents), np.zeros(documents), np.zeros(documents)
        known = True
        for number, part in entries:
            sums[number], counts[number] = part.total, part.count
            known = known and part.chance is not None
            chance[number] = part.chance or 0.0
        return cls(sums, counts, float(chance.sum() / counts.sum()) if known and counts.sum() else None)

    @classmethod
    def mean(cls, runs: Sequence[Column]) -> Column:
        """Of several training runs, document by document."""
        sums, counts = (np.mean([getattr(run, side) for run in runs], axis=0) for side in ("sums", "counts"))
        return cls(sums, counts, runs[0].chance, tuple(runs))

    def part(self, kept: npt.NDArray[np.bool_]) -> Column:
        """Of some of the documents; what chance would give is still that of all."""
        return Column(self.sums[kept], self.counts[kept], self.chance, tuple(run.part(kept) for run in self.runs))

    @property
    def estimate(self) -> float:
        return float(self.sums.sum() / self.counts.sum())

    def to_dict(self, targets: npt.NDArray[np.int64]) -> dict[str, Any]:
        """Counts are left out where they are the numbers of targets, as for most figures; so are the runs."""
        plain: dict[str, Any] = {"sums": _rounded(self.sums)}
        if not np.array_equal(self.counts, targets):
            plain["counts"] = _rounded(self.counts)
        return plain if self.chance is None else plain | {"chance": self.chance}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], targets: npt.NDArray[np.int64]) -> Column:
        counts = np.asarray(plain.get("counts", targets), dtype=np.float64)
        return cls(np.asarray(plain["sums"], dtype=np.float64), counts, plain.get("chance"))


def _rounded(values: Floats) -> list[float]:
    """Nine significant digits: more than float32 predictions have, in half the characters."""
    return [int(v) if v == int(v) else float(f"{v:.{_DIGITS}g}") for v in values.tolist()]
