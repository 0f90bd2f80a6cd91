"""Search for the manifold snap over 240,000 vectors: exact against the memory's bandwidth, FAISS and Lance's lists on
disk against exact.

    python benchmarks/snap.py [--vectors 240000] [--corpus NAME[@TAG]] [--documents 700]

With `--corpus`, the first vectors of that corpus of the workspace are searched. Without, the real MiniLM vectors of
`--documents` documents are multiplied: each further vector is a real one plus half the difference of two others,
normalised, so that the spectrum of the real ones is kept. Queries are what a snap gets: means of five consecutive real
vectors, none of them in the searched set. Prints ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from nextvec.encoders.encoder import EncoderSpec
from nextvec.retrieval.index import build_index, recall_against_exact
from nextvec.retrieval.neighbours import Index
from nextvec.retrieval.snap import ManifoldSnap
from nextvec.store.metadata import DEFAULT_SPLIT
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus, open_snapshot
from nextvec.workspace import Workspace
from real import DOCUMENTS, real_snapshot, source_name
from record import Claim, leave_record, options_of
from scale import document

QUERIES = 200
K = 16
ROUNDS, IN_A_ROW = 12, 20
WINDOW = 5
LENGTH = 20
"""Chunks a document."""
LIMITS = [
    "Synthetic vectors are mixtures of real ones: recall on as many real sentences may be higher or lower.",
    "One query at a time; batches are faster per query.",
]


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    vectors, queries, origin = material(options, Workspace(options.workspace))
    with TemporaryDirectory() as folder:
        snapshot = stored(vectors, Workspace(folder))
        result = {
            "vectors": list(snapshot.vectors.shape),
            "dtype": str(snapshot.vectors.dtype),
            "origin": origin,
            **measure(snapshot, queries),
        }
    report(result)
    leave_record(options, dataset=dataset(result), claims=claims(result), limits=LIMITS, measured=result)


def parse() -> argparse.Namespace:
    parser = options_of("snap", __doc__)
    parser.add_argument("--vectors", type=int, default=240_000)
    parser.add_argument("--corpus", help="NAME[@TAG] of a corpus in the workspace")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="without --corpus")
    return parser.parse_args()


def dataset(result: dict[str, Any]) -> str:
    return f"{result['vectors'][0]:,} vectors of {result['vectors'][1]} dimensions, from {result['origin']}"


def claims(result: dict[str, Any]) -> list[Claim]:
    return [
        Claim(
            what="Exact search, time of a query",
            figure=result["exact_over_memory"],
            reference="reading the vectors once (their sum)",
            at_most=2.0,
        ),
        Claim(
            what="FAISS search, queries per second",
            figure=result["faiss_speedup_over_exact"],
            reference="exact search",
            at_least=10.0,
        ),
        Claim(
            what=f"FAISS search, recall@{K}",
            figure=result["faiss_recall_at_16"],
            unit="of all",
            reference="exact search",
            at_least=0.99,
        ),
        Claim(
            what="Search on disk (Lance), queries per second",
            figure=result["lance_speedup_over_exact"],
            reference="exact search",
        ),
        Claim(
            what=f"Search on disk (Lance), recall@{K}",
            figure=result["lance_recall_at_16"],
            unit="of all",
            reference="exact search",
            at_least=0.97,
        ),
        Claim(
            what="Exact search, queries with the neighbours in the order of brute force",
            figure=float(result["exact_equals_brute_force"]),
            unit="of all",
            reference="float32 products, sorted",
            at_least=1.0,
        ),
    ]


def material(options: argparse.Namespace, workspace: Workspace) -> tuple[np.ndarray, np.ndarray, str]:
    """What is searched, the queries, and one line on where the vectors come from."""
    if options.corpus:
        real, origin = np.asarray(open_snapshot(workspace, options.corpus).vectors), f"corpus {options.corpus}"
    else:
        real = np.asarray(real_snapshot(options.workspace, options.documents).vectors)
        origin = f"{len(real):,} MiniLM vectors of sentences of {source_name()}"
    held_out = real[: QUERIES * WINDOW].astype(np.float32).reshape(QUERIES, WINDOW, -1)
    searched, added = enlarged(real[QUERIES * WINDOW :], options.vectors)
    return searched, normalised(held_out.mean(axis=1)), f"{origin}; {added:,} of {len(searched):,} vectors synthetic"


def stored(vectors: np.ndarray, workspace: Workspace) -> Snapshot:
    """A corpus of these vectors, as search on disk needs one."""
    encoder = EncoderSpec(name="benchmark", dim=vectors.shape[1])
    split = dict(DEFAULT_SPLIT)
    corpus = Corpus.create(workspace, "snap", encoder=encoder, chunker={"name": "none"}, split=split)
    corpus.append([document(first, vectors[first : first + LENGTH]) for first in range(0, len(vectors), LENGTH)])
    return corpus.snapshot()


def enlarged(real: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    """The first `count` of `real`, or all of them and mixtures; and how many are mixtures."""
    missing = max(0, count - len(real))
    generator = np.random.default_rng(0)
    blocks = [real[:count].astype(np.float16)]
    for start in range(0, missing, len(real)):
        base, plus, minus = real[generator.integers(len(real), size=(3, min(len(real), missing - start)))]
        mixed = base.astype(np.float32) + 0.5 * (plus.astype(np.float32) - minus.astype(np.float32))
        blocks.append(normalised(mixed).astype(np.float16))
    return np.concatenate(blocks), missing


def normalised(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def measure(snapshot: Snapshot, queries: np.ndarray) -> dict[str, Any]:
    exact, approximate, on_disk = (build_index(snapshot, kind) for kind in ("exact", "faiss", "lance"))
    rows = torch.from_numpy(snapshot.vectors.copy())
    single = torch.from_numpy(queries)
    manifold = ManifoldSnap(exact, snapshot.vectors)
    timed = timings(
        {
            "memory_sum": lambda _: rows.sum(),
            "exact": lambda i: exact.search(queries[i : i + 1], K),
            "faiss": lambda i: approximate.search(queries[i : i + 1], K),
            "lance": lambda i: on_disk.search(queries[i : i + 1], K),
            "snap": lambda i: manifold.apply(queries[i : i + 1], queries[i : i + 1], queries[i : i + 1]),
            "naive_half_conversion": lambda i: (single[i : i + 1] @ rows.float().T).topk(K),
        }
    )
    return {
        "milliseconds": timed,
        "exact_over_memory": timed["exact"] / timed["memory_sum"],
        "faiss_speedup_over_exact": timed["exact"] / timed["faiss"],
        "faiss_recall_at_16": recall_against_exact(approximate, exact, queries, K),
        "faiss_options": approximate.spec.options,
        "lance_speedup_over_exact": timed["exact"] / timed["lance"],
        "lance_recall_at_16": recall_against_exact(on_disk, exact, queries, K),
        "lance_options": on_disk.spec.options,
        "exact_equals_brute_force": equals_brute_force(snapshot, exact, queries[:20]),
    }


def timings(work: dict[str, Callable[[int], object]]) -> dict[str, float]:
    """Median milliseconds of each, in turns of `IN_A_ROW` queries: what else the machine does falls on all alike, and
    what a query finds in the processor's caches is what a query leaves there."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(ROUNDS):
        for name, run in work.items():
            for query in range(IN_A_ROW):
                started = time.perf_counter()
                run((turn * IN_A_ROW + query) % QUERIES)
                taken[name].append(1e3 * (time.perf_counter() - started))
    return {name: float(np.median(times)) for name, times in taken.items()}


def equals_brute_force(snapshot: Snapshot, exact: Index, queries: np.ndarray) -> bool:
    rows = snapshot.vectors.astype(np.float32)
    best = [np.argsort(-(rows @ query), kind="stable")[:K] for query in queries]
    return bool((exact.search(queries, K).rows == np.stack(best)).all())


def report(result: dict[str, Any]) -> None:
    for name, milliseconds in result["milliseconds"].items():
        print(f"{name:24} {milliseconds:9.3f} ms")
    print(f"over: {result['origin']}")


if __name__ == "__main__":
    main()
