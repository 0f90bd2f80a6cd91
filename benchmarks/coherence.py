"""Claim: the coherence check passes ordered prose and fails it shuffled, chains of categories, facts and glossaries.

    python benchmarks/coherence.py [--documents 40] [--chunks 60] [--data ../shared/data]

Encodes a sample of every corpus in --data and the sets of tests/evaluation/unordered.py with MiniLM, and prints what
the check measured on each. Fails when a verdict is not the expected one.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import Encoder
from nextvec.evaluation.coherence import CoherenceReport, check_coherence
from nextvec.store.snapshot import Snapshot
from real import DATA, sentences_of
from record import ROOT, Claim, leave_record, options_of

UNORDERED = ROOT / "tests" / "evaluation" / "unordered.py"
HEADER = "set                                 lag-1 excess           order  across  dupl.  list  alph.  verdict"


LIMITS = [
    "The verdicts are on samples: the first chunks of some documents of each corpus.",
    "The expected verdict is ours; sets between prose and list (minutes, poems, plays) are not among them.",
]


def main() -> int:
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    encoder = load_encoder("minilm")
    records = []
    print(HEADER)
    for snapshot, expected in _snapshots(encoder, arguments):
        report = check_coherence(snapshot)
        print(_row(report), flush=True)
        records.append({**report.to_dict(), "expected": expected})
    wrong = [record["label"] for record in records if record["passed"] != record["expected"]]
    print(f"wrong verdicts: {', '.join(wrong) or 'none'} of {len(records)}")
    leave_record(
        arguments,
        dataset=f"{len(records)} sets: {arguments.documents} documents of each corpus in shared/data, as they are and "
        "shuffled, and written sets without order",
        claims=[claim(records)],
        limits=LIMITS,
        measured={"encoder": encoder.spec.describe(), "sets": records},
    )
    return 1 if wrong else 0


def claim(records: list[dict[str, Any]]) -> Claim:
    right = sum(record["passed"] == record["expected"] for record in records)
    return Claim(
        what="Coherence check: verdicts as expected",
        figure=right / len(records),
        unit="of all",
        reference="what each set was made to be",
        at_least=1.0,
    )


def _arguments() -> argparse.Namespace:
    parser = options_of("coherence", __doc__)
    parser.add_argument("--documents", type=int, default=40, help="of each corpus")
    parser.add_argument("--chunks", type=int, default=60, help="first chunks of each document")
    parser.add_argument("--data", type=Path, default=DATA)
    return parser.parse_args()


def _snapshots(encoder: Encoder, arguments: argparse.Namespace) -> Iterator[tuple[Snapshot, bool]]:
    """Every set with whether it should pass."""
    for path in sorted(arguments.data.glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        prose = _encode(encoder, name, _chunks_of(path, arguments.documents, arguments.chunks))
        yield prose, True
        yield _shuffled(prose, f"{name} shuffled within", within=True), False
        yield _shuffled(prose, f"{name} shuffled across", within=False), False
    for name, make in runpy.run_path(str(UNORDERED))["SETS"].items():
        yield _encode(encoder, name, make()), False


def _chunks_of(path: Path, documents: int, chunks: int) -> list[list[str]]:
    """Documents spread over the first ten times as many of the file."""
    found = sentences_of(str(path))
    spread = islice(found, 0, 10 * documents, 10) if path.stat().st_size > 1_000_000 else islice(found, documents)
    return [texts[:chunks] for texts in spread if texts]


def _encode(encoder: Encoder, name: str, documents: list[list[str]]) -> Snapshot:
    texts = [text for document in documents for text in document]
    unique = list(dict.fromkeys(texts))
    vectors = dict(zip(unique, encoder.encode(unique).astype(np.float16), strict=True))
    offsets = np.concatenate([[0], np.cumsum([len(document) for document in documents])])
    ids = [f"{name}/{i}" for i in range(len(documents))]
    rows = np.stack([vectors[text] for text in texts])
    return Snapshot.from_arrays(name, rows, offsets, ids, encoder=encoder.spec, texts=texts)


def _shuffled(snapshot: Snapshot, name: str, *, within: bool) -> Snapshot:
    """The same chunks in random order; within documents, or across all of them."""
    keys = np.random.default_rng(0).random(len(snapshot))
    order = np.lexsort((keys, snapshot.doc_index)) if within else np.argsort(keys)
    options: dict[str, Any] = {"encoder": snapshot.encoder, "texts": snapshot.texts(order)}
    ids = [document.doc_id for document in snapshot.documents]
    return Snapshot.from_arrays(name, snapshot.vectors[order], snapshot.offsets, ids, **options)


def _row(report: CoherenceReport) -> str:
    assert report.excess is not None
    assert report.order is not None
    assert report.list_likeness is not None
    excess, likeness = report.excess, report.list_likeness
    interval = f"{excess.estimate:+.3f} [{excess.low:+.3f}, {excess.high:+.3f}]"
    across = "     -" if report.across is None else f"{report.across:6.3f}"
    alphabetical = "    -" if likeness.alphabetical is None else f"{likeness.alphabetical:5.2f}"
    return (
        f"{report.label:<35} {interval} {report.order.estimate:5.3f}  {across}  "
        f"{report.duplicates:5.2f} {likeness.total:5.2f}  {alphabetical}  {report.verdict}"
    )


if __name__ == "__main__":
    sys.exit(main())
