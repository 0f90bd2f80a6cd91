"""The temperature at which a model's scores are log odds: evaluations fit it, and record it beside its figures."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Literal

from nextvec.disk import written_ns
from nextvec.models.bundle import predictions_fingerprint
from nextvec.records import read_lines
from nextvec.records.names import EVALUATIONS, TEMPERATURES, WEIGHTS

Among = Literal["either", "document", "anywhere"]
"""Where candidates are from: what lies ahead in the document that goes on, anywhere, or either: nobody knows."""

POOLS: dict[Among, str] = {"either": "ahead", "document": "ahead", "anywhere": "foreign-10k"}
"""Of the pools that it is fitted for, the one that is like candidates from there."""
BY_TOPIC = 3
"""Version of the metric `log_loss` since which others' chunks are ranked by the topic; what an older one fitted is the
query's."""


def fitted_temperature(folder: Path, among: Among = "document") -> float | None:
    """That of the newest evaluation of the weights that a bundle holds now, or, of one from the hub, of those that were
    made before; None where none of them fitted one.

    The records are looked at each time and read when they have changed. Raises as `predictions_fingerprint`.
    """
    files = [folder / name for name in (EVALUATIONS, TEMPERATURES, WEIGHTS)]
    return _recorded(folder, POOLS[among], tuple(map(written_ns, files)))


@lru_cache(maxsize=64)
def _recorded(folder: Path, pool: str, written: tuple[int, ...]) -> float | None:
    weights = predictions_fingerprint(folder)
    evaluated, kept = (reversed(read_lines(folder / name)) for name in (EVALUATIONS, TEMPERATURES))
    if pool == POOLS["anywhere"]:
        evaluated = (record for record in evaluated if record.get("metrics", {}).get("log_loss", 0) >= BY_TOPIC)
    known = (record for record in chain(evaluated, kept) if record.get("weights") == weights)
    fitted = (record.get("temperatures", {}).get(pool) for record in known)
    return next((float(temperature) for temperature in fitted if temperature is not None), None)
