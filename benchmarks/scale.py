"""What ten million chunks cost: opening, planning, a step of training from disk; verdicts over many documents; and what
an ingest adds to its encoder.

    python benchmarks/scale.py [--chunks 10000000] [--chunks-a-document 20]

The corpus is synthetic, 384-D, and is written on the first run, which takes minutes and 16 GB of disk; it stays in the
workspace. Every task is a process of its own, so that the peak of its memory is its own. What is ingested is real text,
shared/data/wikipedia or the Python manual, cut into sentences; its seconds are the processor's, of all threads, after
the imports.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.sources import open_source
from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import Encoder, EncoderSpec, Progress
from nextvec.encoders.lengths import TokenLimited
from nextvec.evaluation.column import Column
from nextvec.evaluation.compare import compare
from nextvec.evaluation.evaluation import Evaluation, Subject
from nextvec.models.network import Network, build_network
from nextvec.sequences.batches import Batch, SpanBatches
from nextvec.sequences.rows import Place, place_rows
from nextvec.sequences.splits import split_snapshot
from nextvec.store.ingest import ingest
from nextvec.store.metadata import DEFAULT_SPLIT
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus, EncodedDocument, open_snapshot
from nextvec.training.data import TrainingData
from nextvec.workspace import Workspace
from real import source, source_name
from record import Claim, leave_record, options_of
from storage import peak_megabytes

DIM = 384
APPENDED = 2_000
"""Documents written at a time."""
SPANS = {"short": (32, 4), "long": (512, None)}
"""Longest piece of a document in a batch, and that in the first epoch: the default recipe's, and whole documents."""
STEPS = 300
TIMES = 4
"""Each place of rows is timed, in turns; the fastest time of a place counts: other work only slows it down."""
PLACES: tuple[Place, ...] = ("resident", "mapped", "sharded")
JUDGED, MODELS, FIGURES = 10_000, 20, 10
INGESTED = {"hashing": 3_200, "minilm": 96}
"""Documents by encoder."""
RESULT = "measured"
"""How a line of a process begins that says what it has measured."""
LIMITS = [
    "Synthetic vectors and documents of one length. The files were in the page cache as far as memory allows: a first "
    "pass over a cold disk is slower. Steps by place are of one process, in turns, the fastest of several times.",
    "The near-duplicates of a corpus are looked for when it is opened for the first time, once: of 500,000 documents "
    "that takes minutes (first-split), in proportion to their text.",
]


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    if options.child:
        measured = CHILDREN[options.child](options)
        for what, value in (measured if isinstance(measured, dict) else {options.child: measured}).items():
            print(RESULT, what, value)
        return
    workspace = Workspace(options.workspace)
    name = corpus_name(options)
    if not Corpus.exists(workspace, name):
        write_corpus(workspace, name, options.chunks, options.chunks_a_document)
    measured = dict(chain.from_iterable(run_child(options, task) for task in CHILDREN))
    for what, value in measured.items():
        print(f"{what}: {value:,.4g}")
    synthetic = f"{options.chunks:,} synthetic chunks in documents of {options.chunks_a_document}, {DIM}-D"
    dataset = f"{synthetic}; ingested: documents of {source_name()}"
    leave_record(options, dataset=dataset, claims=list(claims(measured)), limits=LIMITS, measured=measured)


def parse() -> argparse.Namespace:
    parser = options_of("scale", __doc__)
    parser.add_argument("--chunks", type=int, default=10_000_000)
    parser.add_argument("--chunks-a-document", type=int, default=20)
    parser.add_argument("--child", choices=list(CHILDREN), help=argparse.SUPPRESS)
    return parser.parse_args()


def corpus_name(options: argparse.Namespace) -> str:
    return f"synthetic-{options.chunks}-{options.chunks_a_document}"


def claims(measured: dict[str, float]) -> Iterator[Claim]:
    seconds: dict[str, Any] = {"unit": "s", "reference": "a bound"}
    yield Claim(what="Opening for training, split known", figure=measured["opening"], at_most=10, **seconds)
    yield Claim(
        what="Opening for training, peak memory", figure=measured["memory"], unit="MB", reference="a bound",
        at_most=1_000,
    )  # fmt: skip
    yield Claim(what="corpus info", figure=measured["info"], at_most=1, **seconds)
    for name in SPANS:
        yield Claim(what=f"Planning an epoch, {name} spans", figure=measured[f"plan-{name}"], at_most=20, **seconds)
    for place, where in {"mapped": "on disk", "sharded": "in the corpus"}.items():
        speed, what = measured["step-resident"] / measured[f"step-{place}"], f"A step from rows {where}, speed"
        yield Claim(what=what, figure=speed, reference="rows in memory", at_least=0.9)
    yield Claim(
        what=f"Ingest with hashing:{DIM}, chunks a processor second", figure=measured["ingest-hashing"],
        unit="chunks/s", reference="a bound", at_least=20_000,
    )  # fmt: skip
    yield Claim(
        what="Ingest with minilm, speed", figure=measured["ingest-minilm"], reference="the encoder alone", at_least=0.95
    )
    what = f"Verdicts over {JUDGED:,} documents and {MODELS} models"
    yield Claim(what=what, figure=measured["verdicts"], at_most=30, **seconds)


def run_child(options: argparse.Namespace, task: str) -> Iterator[tuple[str, float]]:
    known = {"--workspace": options.workspace, "--chunks": options.chunks, "--threads": options.threads}
    given = [str(part) for pair in known.items() for part in pair]
    size = ["--chunks-a-document", str(options.chunks_a_document)]
    command = [sys.executable, __file__, "--child", task, *given, *size]
    for line in subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        if line.startswith(RESULT):
            _, what, value = line.split()
            yield what, float(value)


# The corpus


def write_corpus(workspace: Workspace, name: str, chunks: int, length: int) -> None:
    spec = EncoderSpec(name="random", dim=DIM)
    corpus = Corpus.create(workspace, name, encoder=spec, chunker={"name": "none"}, split=dict(DEFAULT_SPLIT))
    random = np.random.default_rng(0)
    count = chunks // length
    with corpus.writing():
        for first in range(0, count, APPENDED):
            block = random.standard_normal((APPENDED, length, DIM), dtype=np.float32)
            block /= np.linalg.norm(block, axis=2, keepdims=True)
            numbers = range(first, min(count, first + APPENDED))
            corpus.append([document(number, block[number - first]) for number in numbers])


def document(number: int, vectors: np.ndarray) -> EncodedDocument:
    said = (f"Chunk {line} of document {number}." for line in range(len(vectors)))
    return EncodedDocument(
        document=Document(id=f"d{number}", title=f"Title {number}", text="", source="random", licence="CC0-1.0"),
        chunks=[Chunk(text=text, position=i, start=0, end=len(text)) for i, text in enumerate(said)],
        vectors=vectors,
    )


# What is measured, each in a process of its own


def snapshot_of(options: argparse.Namespace) -> Snapshot:
    return open_snapshot(Workspace(options.workspace), corpus_name(options))


def timed(function: Callable[[], Any]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def first_split(options: argparse.Namespace) -> float:
    """Seconds of the first opening: near-duplicates are looked for, and vectors copied out of the dataset. What earlier
    openings kept of both is removed before."""
    kept = snapshot_of(options)
    assert kept.cache is not None
    assert kept.map_file is not None
    shutil.rmtree(kept.cache / "splits", ignore_errors=True)
    kept.map_file.unlink(missing_ok=True)

    def open_first() -> None:
        snapshot = snapshot_of(options)
        split_snapshot(snapshot)
        place_rows(snapshot, "cpu", "mapped")

    return timed(open_first)


def opening(options: argparse.Namespace) -> float:
    return timed(lambda: TrainingData(snapshot_of(options), rows="mapped").vectors)


def memory(options: argparse.Namespace) -> float:
    """Megabytes, beyond those of the imports."""
    before = peak_megabytes()
    data = TrainingData(snapshot_of(options), rows="mapped")
    data.vectors.gather(torch.arange(4))
    return peak_megabytes() - before


def info(options: argparse.Namespace) -> float:
    return timed(lambda: Corpus.open(Workspace(options.workspace), corpus_name(options)).info())


def plan(options: argparse.Namespace, spans: str) -> float:
    batches = span_batches(snapshot_of(options), "mapped", *SPANS[spans])
    return timed(lambda: batches.steps(0))


def span_batches(snapshot: Snapshot, place: Place, span: int, first_span: int | None) -> SpanBatches:
    rows, documents = place_rows(snapshot, "cpu", place), np.arange(len(snapshot.offsets) - 1)
    return SpanBatches(rows, snapshot.offsets, documents, span, 1024, 0, first_span)


def steps(options: argparse.Namespace) -> dict[str, float]:
    """Seconds of a step by place, of the fastest time and of the first, which meets some of the rows on the disk."""
    snapshot = snapshot_of(options)
    batches = {place: span_batches(snapshot, place, *SPANS["long"]) for place in PLACES}
    network = build_network("gru", DIM, {"width": 256, "layers": 1}, anchor="none")
    optimizer = torch.optim.AdamW(network.parameters())
    taken = [{place: step(batches[place].epoch(0), network, optimizer) for place in PLACES} for _ in range(TIMES)]
    first = {f"first-step-{place}": taken[0][place] for place in PLACES}
    return first | {f"step-{place}": min(each[place] for each in taken) for place in PLACES}


def step(epoch: Iterator[Batch], network: Network, optimizer: torch.optim.Optimizer) -> float:
    """Of `STEPS` with rows all over the corpus, from when the first has been taken."""
    ends: list[float] = []
    for batch in islice(epoch, STEPS + 1):
        network(batch).backward()
        optimizer.step()
        optimizer.zero_grad()
        ends.append(time.perf_counter())
    return (ends[-1] - ends[0]) / STEPS


class MeteredEncoder:
    """An encoder whose processor seconds are counted. `measured`: the encoder."""

    def __init__(self, measured: Encoder) -> None:
        self.measured, self.spec, self.seconds = measured, measured.spec, 0.0

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        began = time.process_time()
        vectors = self.measured.encode(texts, on_progress)
        self.seconds += time.process_time() - began
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> np.ndarray:
        assert isinstance(self.measured, TokenLimited)
        return self.measured.count_tokens(texts)


def ingesting(options: argparse.Namespace, encoder: Encoder, documents: int) -> tuple[float, int]:
    """Processor seconds of a whole ingest, and the chunks that were stored."""
    text, chunker = open_source(source()), build_chunker("sentence")
    with TemporaryDirectory(dir=options.workspace) as folder:
        began = time.process_time()
        report = ingest(Workspace(folder), "c", text, chunker, encoder, limit=documents)
        return time.process_time() - began, report.chunks


def ingest_hashing(options: argparse.Namespace) -> float:
    """Chunks a processor second."""
    seconds, chunks = ingesting(options, load_encoder(f"hashing:{DIM}"), INGESTED["hashing"])
    return chunks / seconds


def ingest_minilm(options: argparse.Namespace) -> float:
    """The encoder's share of the seconds."""
    encoder = MeteredEncoder(load_encoder("minilm"))
    seconds, _ = ingesting(options, encoder, INGESTED["minilm"])
    return encoder.seconds / seconds


def verdicts(options: argparse.Namespace) -> float:
    random = np.random.default_rng(0)
    targets = random.integers(5, 100, JUDGED)
    ids, common = tuple(map(str, range(JUDGED))), random.normal(0.5, 0.1, JUDGED)

    def evaluation(name: str, gain: float) -> Evaluation:
        sums = [(common + gain + random.normal(0, 0.02, JUDGED)) * targets for _ in range(FIGURES)]
        names = ("cosine", *(f"recall@{k}[document]" for k in range(1, FIGURES)))
        columns = {figure: Column(each, targets.astype(float)) for figure, each in zip(names, sums, strict=True)}
        return Evaluation(
            subject=Subject(name=name, architecture=name), corpus="synthetic", encoder="random",
            encoder_fingerprint="e", split_fingerprint="s", fingerprint="test", min_context=5, seed=0, doc_ids=ids,
            targets=targets, columns=columns, train_mean_norm=0.1, seconds=1.0,
        )  # fmt: skip

    models = [evaluation(f"model-{number}", 0.001 * number) for number in range(MODELS)]
    baselines = [evaluation(name, -0.001) for name in ("ewma", "ridge-mix", "copy-last")]
    validation = [replace(each, fingerprint="validation") for each in baselines]
    return timed(lambda: compare(models, baselines, validation=validation, reference="ewma"))


CHILDREN: dict[str, Callable[[argparse.Namespace], float | dict[str, float]]] = {
    "first-split": first_split,
    "opening": opening,
    "memory": memory,
    "info": info,
    "plan-short": lambda options: plan(options, "short"),
    "plan-long": lambda options: plan(options, "long"),
    "steps": steps,
    "ingest-hashing": ingest_hashing,
    "ingest-minilm": ingest_minilm,
    "verdicts": verdicts,
}


if __name__ == "__main__":
    main()
