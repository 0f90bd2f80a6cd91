"""One predictor on held-out documents, every figure: kept by document, so that comparing needs no second run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from nextvec.errors import MismatchError
from nextvec.evaluation.evaluation import Column, Evaluation, Subject
from nextvec.evaluation.heldout import MIN_CONTEXT, HeldOut, hold_out
from nextvec.evaluation.metric import (
    METRICS,
    Metric,
    Part,
    Passage,
    Setting,
    Settling,
    default_metrics,
    measured,
    metric_versions,
    settled,
)
from nextvec.evaluation.passages import BATCH_TARGETS, passages
from nextvec.models.predictor import Predictor

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot

Progress = Callable[[int, int], None]
"""Called with (documents done, documents in all)."""


def evaluate(
    predictor: Predictor,
    snapshot: Snapshot,
    *,
    documents: npt.ArrayLike,
    train_mean: npt.NDArray[np.floating],
    subject: Subject | None = None,
    min_context: int = MIN_CONTEXT,
    metrics: Sequence[str] | None = None,
    temperatures: Mapping[str, float] | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    batch_targets: int = BATCH_TARGETS,
    on_progress: Progress | None = None,
) -> Evaluation:
    """Predict every row >= min_context of the documents from all rows before it, and measure.

    Args:
        documents: indexes into the snapshot (`split_snapshot(snapshot).test`, or `fair_documents`).
        train_mean: (D,) from `training_mean`, for the centred cosine; the same for all that will be compared.
        subject: what is evaluated; by default only what the predictor's spec says.
        metrics: names from METRICS; None means all but the costly ones.
        temperatures: from `fit_temperatures` on validation documents, by pool; without them there is no log loss.
        batch_targets: rows predicted at a time, padding included; changes speed and memory, not figures.

    Raises MismatchError for a predictor of another dimension, encoder or split, DataError for predictions that are
    not finite, and what `hold_out` raises.
    """
    held_out = hold_out(snapshot, documents, min_context=min_context, seed=seed)
    return evaluate_on(
        held_out,
        predictor,
        train_mean=train_mean,
        subject=subject,
        metrics=metrics,
        temperatures=temperatures,
        device=device,
        batch_targets=batch_targets,
        on_progress=on_progress,
    )


def evaluate_on(
    held_out: HeldOut,
    predictor: Predictor,
    *,
    train_mean: npt.NDArray[np.floating],
    subject: Subject | None = None,
    weights: str | None = None,
    metrics: Sequence[str] | None = None,
    temperatures: Mapping[str, float] | None = None,
    device: torch.device | str = "cpu",
    batch_targets: int = BATCH_TARGETS,
    on_progress: Progress | None = None,
) -> Evaluation:
    """`evaluate` for several predictors in turn: the documents are gathered and fingerprinted once.

    weights: hash of all that decides what the predictor predicts, kept in the record.
    """
    began = time.perf_counter()
    subject = subject or Subject.of(predictor.spec)
    _require_fit(subject, predictor, held_out, train_mean)
    setting = Setting(
        min_context=held_out.min_context,
        seed=held_out.seed,
        train_mean_D=torch.as_tensor(train_mean, dtype=torch.float32, device=device),
        foreign=held_out.foreign(device),
        context=predictor.spec.context,
        predictor=predictor,
        temperatures=temperatures or {},
    )
    names = default_metrics() if metrics is None else tuple(metrics)
    chosen = {name: METRICS.get(name)(setting) for name in names}
    columns = _measure(chosen, passages(held_out, predictor, device, batch_targets), len(held_out.doc_ids), on_progress)
    return Evaluation.of(
        held_out,
        subject=subject,
        columns=columns,
        train_mean_norm=float(np.linalg.norm(train_mean)),
        seconds=time.perf_counter() - began,
        weights=weights,
        metrics=metric_versions(names),
        temperatures=temperatures,
    )


def _require_fit(
    subject: Subject, predictor: Predictor, held_out: HeldOut, train_mean: npt.NDArray[np.floating]
) -> None:
    if predictor.spec.dim != held_out.dim:
        raise MismatchError(
            f"{subject.name} predicts {predictor.spec.dim}-D vectors, {held_out.corpus} holds {held_out.dim}-D ones "
            f"of {held_out.encoder}. Evaluate it on a corpus of its own encoder."
        )
    if subject.encoder_fingerprint not in (None, held_out.encoder_fingerprint):
        raise MismatchError(
            f"{subject.name} was trained on encoder {subject.encoder_fingerprint}, {held_out.corpus} was encoded "
            f"by {held_out.encoder}. Evaluate it on a corpus of its own encoder."
        )
    if None not in (subject.split_fingerprint, held_out.split_fingerprint) and (
        subject.split_fingerprint != held_out.split_fingerprint
    ):
        raise MismatchError(
            f"{subject.name} was trained under split {subject.split_fingerprint}, {held_out.corpus} has split "
            f"{held_out.split_fingerprint}: its test documents may have been trained on."
        )
    if train_mean.shape != (held_out.dim,):
        raise MismatchError(
            f"the training mean has shape {train_mean.shape}, {held_out.corpus} holds {held_out.dim}-D vectors. "
            "Take it from training_mean(snapshot, training documents)."
        )


def _measure(
    metrics: Mapping[str, Metric], passages: Iterator[Passage], documents: int, on_progress: Progress | None
) -> dict[str, Column]:
    ledger: dict[str, list[tuple[int, Part]]] = {}
    seen: list[int] = []
    for passage in passages:
        seen.append(passage.number)
        for name, metric in metrics.items():
            parts = measured(name, metric, passage).items()
            _enter(ledger, {figure: [(passage.number, part)] for figure, part in parts})
        if on_progress is not None:
            on_progress(len(seen), documents)
    for name, metric in metrics.items():
        if isinstance(metric, Settling):
            all_parts = settled(name, metric, len(seen)).items()
            _enter(ledger, {figure: list(zip(seen, parts, strict=True)) for figure, parts in all_parts})
    return {name: Column.of(entries, documents) for name, entries in ledger.items()}


def _enter(ledger: dict[str, list[tuple[int, Part]]], entries: Mapping[str, list[tuple[int, Part]]]) -> None:
    for name, parts in entries.items():
        ledger.setdefault(name, []).extend(parts)
