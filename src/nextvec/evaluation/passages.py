"""Held-out documents with what a predictor expects in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from nextvec.errors import DataError
from nextvec.evaluation.drawn import SAMPLES
from nextvec.evaluation.heldout import HeldOut
from nextvec.evaluation.metric import Passage, document_rng, unit_rows
from nextvec.models.predictor import Forecast, Predictor
from nextvec.sequences.batches import Batch, DocumentBatches
from nextvec.sequences.headings import heading_rows

BATCH_TARGETS = 8_192


@torch.no_grad()
def passages(
    held_out: HeldOut, predictor: Predictor, device: torch.device | str, batch_targets: int = BATCH_TARGETS
) -> Iterator[Passage]:
    """Every document with its predictions, shortest first; one batch of predictions is in memory at a time.

    Raises DataError for predictions of another shape or that are not finite.
    """
    vectors = torch.from_numpy(held_out.vectors).to(device)
    documents = np.arange(len(held_out.doc_ids))
    breaks = torch.from_numpy(held_out.breaks).to(device)
    headings = heading_rows(held_out.headings, device)
    batches = DocumentBatches(vectors, held_out.offsets, documents, batch_targets, breaks, headings)
    for numbers, batch in zip(batches.plan, batches, strict=True):
        answers = _Answers(predictor, batch if held_out.tells_next else replace(batch, begins_BT=None))
        for b, number in enumerate(numbers.tolist()):
            yield _passage(held_out, number, answers, b)


def _passage(held_out: HeldOut, number: int, answers: _Answers, b: int) -> Passage:
    """Of the document that is sequence `b` of its batch."""
    spec, doc_id = answers.predictor.spec, held_out.doc_ids[number]
    last = int(held_out.offsets[number + 1] - held_out.offsets[number]) - 1
    x_TD, target_TD = answers.batch.x_BTD[b, :last], answers.batch.target_BTD[b, :last]
    predicted = slice(held_out.min_context - 1, last)
    seed = int(document_rng(held_out.seed, doc_id).integers(1 << 62))
    return Passage(
        number=number,
        doc_id=doc_id,
        vectors_ND=unit_rows(torch.cat([x_TD[:1], target_TD])),
        predicted_MD=unit_rows(answers.point_BTD[b, predicted]),
        query_MD=answers.query_BTD[b, predicted].float(),
        ahead_MD=None if answers.ahead_BTD is answers.query_BTD else answers.ahead_BTD[b, predicted].float(),
        topic_MD=unit_rows(answers.topic_BTD[b, predicted]),
        density=(lambda: answers.density_BT[b, predicted]) if spec.density else None,
        draw=(lambda: answers.samples(b, last, seed)[:, predicted]) if spec.samples else None,
    )


class _Answers:
    """What a predictor says of a batch, as far as it is asked. Raises DataError for what it may not say."""

    def __init__(self, predictor: Predictor, batch: Batch) -> None:
        self.predictor, self.batch = predictor, batch
        self._forecast = self._forecast_of(batch)
        forecast = self._forecast
        self.point_BTD, self.query_BTD, self.ahead_BTD, self.topic_BTD = map(
            self._vectors, (forecast.point, forecast.query, forecast.ahead, forecast.topic)
        )

    def _vectors(self, answer_BTD: Tensor) -> Tensor:
        given, expected = tuple(answer_BTD.shape), tuple(self.batch.x_BTD.shape)
        if given != expected:
            raise DataError(
                f"{self.predictor.spec.name} gave predictions of shape {given} for vectors of shape {expected}: "
                "expected one prediction a position"
            )
        self._require_finite(answer_BTD[self.batch.mask_BT])
        return answer_BTD

    @cached_property
    def density_BT(self) -> Tensor:
        with torch.no_grad():
            density_BT = self._forecast.log_density(unit_rows(self.batch.target_BTD))
        self._require_finite(density_BT[self.batch.mask_BT])
        return density_BT

    def samples(self, b: int, length: int, seed: int) -> Tensor:
        """(K, length, D) of sequence `b` by itself: what is drawn depends on no other."""
        generator = torch.Generator(device=self.batch.x_BTD.device).manual_seed(seed)
        with torch.no_grad():
            forecast = self._forecast_of(self.batch, (slice(b, b + 1), slice(length)))
            y_KTD = forecast.sample(SAMPLES, generator)[:, 0]
        self._require_finite(y_KTD)
        return y_KTD

    def _forecast_of(self, batch: Batch, part: tuple[slice, ...] = ()) -> Forecast:
        """Of these sequences and positions: told of the next chunks what the batch knows of them."""
        breaks_BT, next_BT = (None if each is None else each[part] for each in (batch.breaks_BT, batch.begins_BT))
        heading = None if batch.heading is None else batch.heading[part]
        return self.predictor.forecast(batch.x_BTD[part], batch.mask_BT[part], breaks_BT, next_BT, heading)

    def _require_finite(self, answer: Tensor) -> None:
        if not bool(torch.isfinite(answer).all()):
            name = self.predictor.spec.name
            raise DataError(f"{name} predicts NaN or infinity: its weights are damaged. Train it again.")
