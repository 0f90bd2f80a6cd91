"""The temperatures of what can be evaluated: fitted once, on validation documents of its own corpus.

They are kept beside its records: wherever it is judged, also out of its domain, it has the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping

from nextvec.comparing.entrants import Candidate, Generation
from nextvec.device import fastest
from nextvec.evaluation.temperature import fit_temperatures
from nextvec.fingerprint import fingerprint, fingerprint_bytes
from nextvec.models.predictor import Predictor
from nextvec.records import read_lines
from nextvec.records.names import TEMPERATURES

REVISION = 4
"""Raised when the fit changes, so that no kept one is taken for the new one."""


def kept_temperatures(candidate: Candidate, generation: Generation) -> dict[str, float] | None:
    """By pool; None where none were fitted yet. `generation` is the one that the candidate was trained on."""
    if candidate.records is None:
        return None
    identity = _identity(candidate, generation)
    lines = read_lines(candidate.records.with_name(TEMPERATURES))
    return next((dict(line["temperatures"]) for line in lines if line["identity"] == identity), None)


def temperatures(candidate: Candidate, generation: Generation, predictor: Predictor) -> dict[str, float]:
    """Those kept, or else fitted now."""
    kept = kept_temperatures(candidate, generation)
    return fit_temperatures(predictor, generation.validation, device=fastest()) if kept is None else kept


def keep_temperatures(candidate: Candidate, generation: Generation, fitted: Mapping[str, float]) -> None:
    """Where they are not kept yet. Several candidates have one file: to be called by one thread at a time.

    Raises NotFoundError for a model that was moved or removed meanwhile."""
    if candidate.records is not None and kept_temperatures(candidate, generation) is None:
        known = {"identity": _identity(candidate, generation), "weights": candidate.weights}
        candidate.append(candidate.records.with_name(TEMPERATURES), {**known, "temperatures": dict(fitted)})


def _identity(candidate: Candidate, generation: Generation) -> str:
    """Of all that decides them."""
    snapshot, split = generation.snapshot, generation.data.split.fingerprint
    breaks = fingerprint_bytes([snapshot.breaks.tobytes()])
    return fingerprint([REVISION, candidate.weights, snapshot.fingerprint, breaks, split])
