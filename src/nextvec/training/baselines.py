"""Fitted baselines of a snapshot's training documents, each fitted once and kept in the workspace's cache."""

from __future__ import annotations

from pathlib import Path

from nextvec.errors import NextvecError
from nextvec.fingerprint import fingerprint
from nextvec.models.baseline import Baseline, fit_baseline
from nextvec.models.bundle import load_bundle, save_bundle
from nextvec.training.data import TrainingData

REVISION = 9
"""Raised when a baseline's fit changes, so that no cached one is taken for the new one."""


class FittedBaselines:
    """Baselines fitted on `data`, on request.

    Args:
        cache: disposable folder they are kept in; None keeps nothing.
    """

    def __init__(self, data: TrainingData, cache: Path | None) -> None:
        self.data = data
        identity = fingerprint([REVISION, data.snapshot.fingerprint, data.split.fingerprint])
        self.folder = None if cache is None else cache / "baselines" / identity

    def get(self, name: str) -> Baseline:
        """The baseline called `name`, on the data's device. Raises UsageError for an unknown name."""
        kept = self._load(name)
        return (kept if kept is not None else self._fit(name)).to(self.data.device)

    def _load(self, name: str) -> Baseline | None:
        if self.folder is None:
            return None
        try:
            predictor = load_bundle(self.folder / name).predictor
        except NextvecError:
            return None  # absent or damaged: the cache is disposable
        return predictor if isinstance(predictor, Baseline) else None

    def _fit(self, name: str) -> Baseline:
        data = self.data
        batches = data.fitting_batches, data.validation_batches
        baseline = fit_baseline(name, data.snapshot.dim, *batches, self.get, data.device)
        if self.folder is not None:
            save_bundle(self.folder / name, baseline, origin={}, metrics={})
        return baseline
