"""The temperature at which a model's scores are log odds: evaluations fit it, and record it beside its figures."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from nextvec.models.bundle import WEIGHTS, predictions_fingerprint
from nextvec.records import read_lines
from nextvec.records.names import EVALUATIONS

POOL = "document"
"""Of the pools that it is fitted for, the one that is like candidates that people have: chunks of one document."""


def fitted_temperature(folder: Path) -> float | None:
    """That of the newest evaluation of the weights that a bundle holds now; None where none of them fitted one.

    The records are looked at each time and read when they have changed. Raises as `predictions_fingerprint`.
    """
    written = [path.stat().st_mtime_ns for name in (EVALUATIONS, WEIGHTS) if (path := folder / name).exists()]
    return _recorded(folder, tuple(written))


@lru_cache(maxsize=64)
def _recorded(folder: Path, written: tuple[int, ...]) -> float | None:
    weights = predictions_fingerprint(folder)
    known = (record for record in reversed(read_lines(folder / EVALUATIONS)) if record.get("weights") == weights)
    fitted = (record.get("temperatures", {}).get(POOL) for record in known)
    return next((float(temperature) for temperature in fitted if temperature is not None), None)
