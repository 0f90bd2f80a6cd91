"""The temperatures of what can be evaluated: fitted once, on validation documents of its own corpus.

They are kept beside its records: wherever it is judged, also out of its domain, it has the same ones.
"""

from __future__ import annotations

from collections.abc import Callable

from nextvec.comparing.entrants import Candidate, Generation
from nextvec.device import fastest
from nextvec.evaluation.temperature import fit_temperatures
from nextvec.fingerprint import fingerprint, fingerprint_bytes
from nextvec.models.predictor import Predictor
from nextvec.records import append_line, read_lines
from nextvec.records.names import TEMPERATURES

REVISION = 3
"""Raised when the fit changes, so that no kept one is taken for the new one."""


def temperatures(candidate: Candidate, generation: Generation, load: Callable[[], Predictor]) -> dict[str, float]:
    """By pool, those kept or else fitted now. `generation` is the one that the candidate was trained on."""
    if candidate.records is None:
        return _fit(generation, load)
    snapshot, split = generation.snapshot, generation.data.split.fingerprint
    breaks = fingerprint_bytes([snapshot.breaks.tobytes()])
    identity = fingerprint([REVISION, candidate.weights, snapshot.fingerprint, breaks, split])
    path = candidate.records.with_name(TEMPERATURES)
    for line in read_lines(path):
        if line["identity"] == identity:
            return dict(line["temperatures"])
    fitted = _fit(generation, load)
    append_line(path, {"identity": identity, "temperatures": fitted})
    return fitted


def _fit(generation: Generation, load: Callable[[], Predictor]) -> dict[str, float]:
    return fit_temperatures(load(), generation.validation, device=fastest())
