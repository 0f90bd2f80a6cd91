"""Which chunker? The same documents cut by several: how large the chunks are, how they hang together, what baselines
foretell of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from nextvec.config import parse_query
from nextvec.corpus.chunkers import check_chunker
from nextvec.corpus.document import Source
from nextvec.encoders.encoder import Encoder
from nextvec.encoders.lengths import TokenLimited
from nextvec.errors import DataError, TrainingError, UsageError
from nextvec.evaluation.coherence import CoherenceReport, check_coherence
from nextvec.evaluation.compare import skill
from nextvec.evaluation.evaluate import evaluate_on
from nextvec.evaluation.heldout import hold_out, training_mean
from nextvec.evaluation.statistics import Interval
from nextvec.store.fitting import fitted_chunker
from nextvec.store.ingest import ingest
from nextvec.store.report import IngestReport
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus
from nextvec.training.baselines import FittedBaselines
from nextvec.training.data import TrainingData
from nextvec.workspace import Workspace

CHUNKERS = ("sentence", "packed", "semantic")
BASELINES = ("copy-last", "ewma-mix", "ridge-mix")
CHANCE = "global-mean"
"""What skill is measured above: a baseline that knows nothing of the context."""
SPLIT = {"salt": "nextvec", "test": 200, "validation": 400}
"""Larger parts than usual, for sources that are a sample."""
COUNTED = 5000
"""Chunks of which tokens are counted, evenly spaced."""
CORPUS = "chunks"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Of a size over chunks: tenth, fiftieth and ninetieth percentile."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, sizes: Sequence[int] | np.ndarray) -> Spread:
        low, median, high = np.percentile(sizes, [10, 50, 90]).tolist()
        return cls(low=low, median=median, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunking:
    """What became of the documents under one chunker.

    name, chunker: as it was asked for, and its resolved options.
    documents, chunks: stored; a document of a single chunk is not, there is no order in it.
    characters, tokens: of a chunk; tokens are None where the encoder does not count them.
    cut: share of chunks whose end the encoder does not read, 0 to 1.
    coherence: see `check_coherence`.
    skills: by baseline, (cosine - chance) / (1 - chance) on test documents, where chance is the cosine of the training
        targets' mean; empty where `note` says why.
    """

    name: str
    chunker: dict[str, Any]
    documents: int
    chunks: int
    characters: Spread
    tokens: Spread | None
    cut: float
    coherence: CoherenceReport
    skills: dict[str, Interval]
    note: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        spreads = {name: getattr(self, name) for name in ("characters", "tokens")}
        return {
            "name": self.name, "chunker": self.chunker, "documents": self.documents, "chunks": self.chunks,
            **{name: spread and {"p10": spread.low, "p50": spread.median, "p90": spread.high}
               for name, spread in spreads.items()},
            "cut": self.cut, "coherence": self.coherence.to_dict(), "note": self.note, "seconds": self.seconds,
            "skills": {name: interval.to_dict() for name, interval in self.skills.items()},
        }  # fmt: skip


def compare_chunkers(
    source: Source,
    encoder: Encoder,
    chunkers: Sequence[str] = CHUNKERS,
    *,
    cache: str | None = None,
    limit: int | None = None,
    say: Say = lambda line: None,
) -> list[Chunking]:
    """Cut, encode and measure, one chunker after the other, in corpora that are thrown away.

    Args:
        chunkers: names, with options: `packed?max_words=120`.
        cache: a folder to work in; None for the system's.
        limit: documents to take.
        say: told a line before each.

    Raises UsageError for an unknown chunker or option or one named twice, DataError when nothing can be stored.
    """
    parsed = [parse_query(reference, owner=f"chunker '{reference}'") for reference in chunkers]
    if len(set(chunkers)) < len(chunkers) or not chunkers:
        raise UsageError(f"chunkers {', '.join(chunkers) or 'none'}: expected one or more, each once")
    for name, options in parsed:
        check_chunker(name, options)  # a mistake in one is told before the first has run
    made = []
    for reference, (name, options) in zip(chunkers, parsed, strict=True):
        say(reference)
        with TemporaryDirectory(dir=cache) as folder:
            place = Workspace(folder)
            chunker = fitted_chunker(place, CORPUS, name, options, encoder)
            try:
                report = ingest(place, CORPUS, source, chunker, encoder, split=SPLIT, limit=limit)
            except DataError as error:
                raise DataError(f"chunker '{reference}': {error}") from None
            made.append(_measure(reference, chunker.spec, place, report, encoder))
    return made


def _measure(name: str, chunker: dict[str, Any], place: Workspace, report: IngestReport, encoder: Encoder) -> Chunking:
    snapshot = Corpus.open(place, CORPUS).snapshot()
    texts = snapshot.texts(np.unique(np.linspace(0, len(snapshot) - 1, COUNTED).round().astype(int)))
    skills, note = _skills(snapshot)
    return Chunking(
        name=name,
        chunker=chunker,
        documents=len(snapshot.documents),
        chunks=len(snapshot),
        characters=Spread.of([len(text) for text in texts]),
        tokens=Spread.of(encoder.count_tokens(texts)) if isinstance(encoder, TokenLimited) else None,
        cut=report.cut.cut / report.cut.counted if report.cut.counted else 0.0,
        coherence=check_coherence(snapshot),
        skills=skills,
        note=note,
        seconds=report.seconds,
    )


def _skills(snapshot: Snapshot) -> tuple[dict[str, Interval], str]:
    """By baseline, and in words why there are none."""
    try:
        return dict(_measured_skills(snapshot)), ""
    except (DataError, TrainingError) as error:
        return {}, str(error)


def _measured_skills(snapshot: Snapshot) -> Iterator[tuple[str, Interval]]:
    data = TrainingData(snapshot)
    fitted = FittedBaselines(data, None)
    held_out = hold_out(snapshot, data.split.test)
    judge = partial(evaluate_on, held_out, metrics=("cosine",), train_mean=training_mean(snapshot, data.split.train))
    chance = judge(fitted.get(CHANCE)).columns["cosine"]
    for name in BASELINES:
        yield name, skill(judge(fitted.get(name)).columns["cosine"], chance)
