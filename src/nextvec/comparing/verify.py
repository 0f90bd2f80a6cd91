"""Verification: a model loaded in a fresh process must reproduce the figure that was recorded when it was trained."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.utils.rnn import pad_sequence

from nextvec.heading import NextHeading
from nextvec.models.bundle import load_bundle
from nextvec.models.predictor import Predictor
from nextvec.sequences.windows import MIN_CONTEXT
from nextvec.store.generation import trained_generation
from nextvec.structure import UNKNOWN
from nextvec.training.data import TrainingData
from nextvec.workspace import Workspace

BATCH_SIZES = (1, 7, 64)
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Verification:
    """`measured` is the validation cosine at each of `BATCH_SIZES` (documents a batch)."""

    identity: str
    recorded: float
    measured: tuple[float, ...]

    @property
    def worst(self) -> float:
        return max(abs(value - self.recorded) for value in self.measured)

    @property
    def passed(self) -> bool:
        return self.worst <= TOLERANCE


def verify(workspace: Workspace, identities: Sequence[str]) -> Iterator[Verification]:
    """Verify each model in a process of its own. Raises what loading it raises."""
    for identity in identities:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            yield pool.submit(verify_here, workspace.root, identity, torch.get_num_threads()).result()


def verify_here(root: Path, identity: str, threads: int) -> Verification:
    """The same in this process."""
    torch.set_num_threads(threads)
    workspace = Workspace(root)
    bundle = load_bundle(workspace.model(identity))
    data = TrainingData(trained_generation(workspace, bundle.config))
    measured = tuple(validation_cosine(bundle.predictor, data, size) for size in BATCH_SIZES)
    return Verification(identity, bundle.metrics["validation_cosine"], measured)


def validation_cosine(predictor: Predictor, data: TrainingData, documents_per_batch: int) -> float:
    """Mean cosine over every scored row of the validation documents, in corpus order, padded batch by batch."""
    total, count = 0.0, 0
    offsets, documents = data.snapshot.offsets, data.split.validation
    chosen = documents[data.snapshot.lengths[documents] > MIN_CONTEXT]
    for start in range(0, len(chosen), documents_per_batch):
        bounds = [(int(offsets[i]), int(offsets[i + 1])) for i in chosen[start : start + documents_per_batch]]
        sequences = [data.vectors.gather(torch.arange(first, end)) for first, end in bounds]
        x_BTD = pad_sequence([sequence[:-1] for sequence in sequences], batch_first=True)
        lengths = torch.tensor([len(sequence) - 1 for sequence in sequences])
        mask_BT = torch.arange(x_BTD.shape[1]) < lengths[:, None]
        y_BTD = predictor.predict(x_BTD, mask_BT, _breaks(data, bounds), _headings(data, bounds))
        for sequence, y_TD in zip(sequences, y_BTD, strict=True):
            cosines = (y_TD[MIN_CONTEXT - 1 : len(sequence) - 1] * sequence[MIN_CONTEXT:]).sum(-1)
            total, count = total + float(cosines.double().sum()), count + len(cosines)
    return total / count


def _breaks(data: TrainingData, bounds: Sequence[tuple[int, int]]) -> torch.Tensor | None:
    """(B, T) int8, which of the rows that are read begin a paragraph; None where that is known of none."""
    if data.breaks is None:
        return None
    known = [data.breaks[first : end - 1] for first, end in bounds]
    return pad_sequence(known, batch_first=True, padding_value=UNKNOWN)


def _headings(data: TrainingData, bounds: Sequence[tuple[int, int]]) -> NextHeading | None:
    """Those under which the rows that are predicted stand; None where there are none."""
    if data.headings is None:
        return None
    predicted = [torch.arange(first + 1, end) for first, end in bounds]
    return data.headings.before(pad_sequence(predicted, batch_first=True, padding_value=-1))
