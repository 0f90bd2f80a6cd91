"""Held-out documents with what a predictor expects in them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from nextvec.errors import DataError
from nextvec.evaluation.heldout import HeldOut
from nextvec.evaluation.metric import Passage, unit_rows
from nextvec.models.predictor import Predictor, PredictorSpec
from nextvec.sequences.batches import Batch, DocumentBatches

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
    batches = DocumentBatches(vectors, held_out.offsets, documents, batch_targets)
    for numbers, batch in zip(batches.plan, batches, strict=True):
        forecast = predictor.forecast(batch.x_BTD, batch.mask_BT)
        y_BTD, q_BTD = (_checked(predictor.spec, answer, batch) for answer in (forecast.point, forecast.query))
        sequences = zip(numbers.tolist(), batch.x_BTD, batch.target_BTD, y_BTD, q_BTD, strict=True)
        for number, x_TD, target_TD, y_TD, q_TD in sequences:
            last = int(held_out.offsets[number + 1] - held_out.offsets[number]) - 1
            predicted = slice(held_out.min_context - 1, last)
            yield Passage(
                number=number,
                doc_id=held_out.doc_ids[number],
                vectors_ND=unit_rows(torch.cat([x_TD[:1], target_TD[:last]])),
                predicted_MD=unit_rows(y_TD[predicted]),
                query_MD=q_TD[predicted].float(),
            )


def _checked(spec: PredictorSpec, answer_BTD: Tensor, batch: Batch) -> Tensor:
    if answer_BTD.shape != batch.x_BTD.shape:
        raise DataError(
            f"{spec.name} gave predictions of shape {tuple(answer_BTD.shape)} for vectors of shape "
            f"{tuple(batch.x_BTD.shape)}: expected one prediction a position"
        )
    if not bool(torch.isfinite(answer_BTD[batch.mask_BT]).all()):
        raise DataError(f"{spec.name} predicts NaN or infinity: its weights are damaged. Train it again.")
    return answer_BTD
