"""Verification: a model loaded in a fresh process must reproduce the figure that was recorded when it was trained."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass

import torch
from torch.nn.utils.rnn import pad_sequence

from nextvec.errors import IntegrityError, NextvecError
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
    """Verify each model in a process of its own, which knows installed components and none that were registered here
    alone. Raises what loading it raises, IntegrityError where that process dies."""
    for identity in identities:
        yield _in_a_fresh_process(workspace, identity)


def _in_a_fresh_process(workspace: Workspace, identity: str) -> Verification:
    """Not one that multiprocessing spawns: that would run the script again which asked for this."""
    job = pickle.dumps((workspace, identity, torch.get_num_threads()))
    call = [sys.executable, "-c", f"from {__name__} import answer; answer()"]
    done = subprocess.run(call, input=job, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise IntegrityError(
            f"the process that was to verify {identity} ended with status {done.returncode}; what it said is above"
        )
    answered = pickle.loads(done.stdout)  # of a process of our own
    if isinstance(answered, Exception):
        raise answered
    return answered


def answer() -> None:
    """In that process: the verification, or why there is none, on standard output and nothing else."""
    workspace, identity, threads = pickle.load(sys.stdin.buffer)
    torch.set_num_threads(threads)
    with redirect_stdout(sys.stderr):
        try:
            answered: Verification | NextvecError = verify_here(workspace, identity)
        except NextvecError as error:
            answered = error
    sys.stdout.buffer.write(pickle.dumps(answered))


def verify_here(workspace: Workspace, identity: str) -> Verification:
    """The same in this process."""
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
