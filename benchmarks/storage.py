"""Storage: bytes per training sequence, time to open a corpus, memory of an ingest.

    python benchmarks/storage.py [--documents 40]

* Bytes: a corpus of real MiniLM vectors (documents of shared/data/wikipedia, or of the Python manual), everything on
  disk counted (text, titles, all versions), against its windows materialised as [N, 5, D] and [N, D] float32 by
  numpy.savez, and by numpy.savez_compressed; both from the vectors before they are rounded to float16.
* Opening: 200,000 vectors of 384 dimensions until every byte is in memory, against numpy.load of the same bytes; each
  time in a fresh process, files in the page cache, imports not counted, the best of several rounds, because other load
  only adds time. `opened`: as every ingest leaves it; `rebuilt`: cache/ was deleted, so Lance is read and the memory
  map written again, which has no bound.
* Memory: peak of a process that ingests 500 and 5,000 documents with the hashing encoder. The difference is the
  read-ahead of building the memory map at the end, which stops growing there (15,000 documents: 3 % above 5,000).

Prints ratios. Everything is written into temporary folders of the workspace.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.sources import open_source
from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import EncoderSpec, Progress
from nextvec.store.dataset import stored_bytes
from nextvec.store.ingest import ingest
from nextvec.store.metadata import DEFAULT_SPLIT
from nextvec.store.npz import export_npz
from nextvec.store.vectors import Corpus, EncodedDocument, open_snapshot
from nextvec.workspace import Workspace
from real import source, source_name
from record import Claim, leave_record, options_of

VECTORS, DIM, DOCUMENT_CHUNKS, BATCH = 200_000, 384, 80, 64
ROUNDS = 7
MEMORY_DOCUMENTS = (500, 5_000)
LIMITS = [
    "The bytes of a corpus hold its text and titles too; the NPZ files hold vectors alone.",
    "The 200,000 vectors and the ingested documents of the memory figure are synthetic; files were in the page cache.",
    "A corpus whose cache was deleted takes longer to open, once (rebuilt).",
]


def main() -> None:
    options = parse()
    if options.child:
        child(*options.child)
        return
    import torch  # not at the top: a child that ingests would be measured with it

    torch.set_num_threads(options.threads)
    options.workspace.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.workspace) as folder:
        result = {
            "bytes": measure_bytes(options.documents, Path(folder)),
            "opening": measure_opening(Path(folder)),
            "memory": measure_memory(Path(folder)),
        }
    show(result)
    leave_record(options, dataset=dataset(result), claims=claims(result), limits=LIMITS, measured=result)


def parse() -> argparse.Namespace:
    parser = options_of("storage", __doc__)
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--child", nargs=2, metavar=("TASK", "FOLDER"), help=argparse.SUPPRESS)
    return parser.parse_args()


def dataset(result: dict[str, Any]) -> str:
    stored = result["bytes"]
    return f"{stored['documents']} documents of {source_name()}; {VECTORS:,} random vectors; synthetic documents"


def claims(result: dict[str, Any]) -> list[Claim]:
    stored, opening, memory = result["bytes"], result["opening"], result["memory"]
    few, many = MEMORY_DOCUMENTS
    return [
        Claim(
            what="Bytes per training sequence, times smaller",
            figure=stored["smaller_than_npz"],
            reference="materialised windows, numpy.savez",
            at_least=3.5,
        ),
        Claim(
            what="Bytes per training sequence, times smaller",
            figure=stored["smaller_than_compressed_npz"],
            reference="materialised windows, numpy.savez_compressed",
        ),
        Claim(
            what=f"Opening {VECTORS:,} vectors, time",
            figure=opening["opened_over_numpy"],
            reference="numpy.load of the same bytes",
            at_most=3.0,
        ),
        Claim(
            what=f"Opening {VECTORS:,} vectors after the cache was deleted, time",
            figure=opening["rebuilt_over_numpy"],
            reference="numpy.load of the same bytes",
        ),
        Claim(
            what=f"Ingesting {many:,} documents, peak memory",
            figure=memory["many_over_few"],
            reference=f"ingesting {few:,} documents",
            at_most=1.25,
        ),
    ]


class RememberingEncoder:
    """MiniLM that encodes a text once, so that two corpora cost one."""

    def __init__(self) -> None:
        self._encoder = load_encoder("minilm")
        self._known: dict[str, np.ndarray] = {}
        self.spec = self._encoder.spec

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.encode(new, on_progress) if new else [], strict=True))
        return np.stack([self._known[text] for text in texts])


def measure_bytes(documents: int, folder: Path) -> dict[str, Any]:
    workspace, encoder, chunker = Workspace(folder / "real"), RememberingEncoder(), build_chunker("sentence")
    for dtype in ("float16", "float32"):
        ingest(workspace, dtype, open_source(source()), chunker, encoder, limit=documents, dtype=dtype)
    snapshot = open_snapshot(workspace, "float16")
    windows = export_npz(open_snapshot(workspace, "float32"), folder / "windows.npz")
    with np.load(folder / "windows.npz") as arrays:
        np.savez_compressed(folder / "packed.npz", **arrays)
    stored = stored_bytes(workspace.corpus("float16")) / windows
    plain, packed = (os.path.getsize(folder / name) / windows for name in ("windows.npz", "packed.npz"))
    return {
        "encoder": snapshot.encoder.describe(),
        "documents": len(snapshot.documents),
        "vectors": len(snapshot),
        "sequences": windows,
        "corpus_bytes_per_sequence": stored,
        "vector_bytes_per_sequence": snapshot.vectors.nbytes / windows,
        "npz_bytes_per_sequence": plain,
        "compressed_npz_bytes_per_sequence": packed,
        "smaller_than_npz": plain / stored,
        "smaller_than_compressed_npz": packed / stored,
    }


def measure_opening(folder: Path) -> dict[str, Any]:
    workspace = Workspace(folder / "large")
    write_large_corpus(workspace)
    np.save(folder / "large" / "reference.npy", open_snapshot(workspace, "large").vectors)
    tasks = ("numpy", "opened", "rebuilt")
    seconds: dict[str, list[float]] = {task: [] for task in tasks}
    for _ in range(ROUNDS):
        for task in tasks:
            if task == "rebuilt":
                next(workspace.cache.glob("*.npy")).unlink()
            seconds[task].append(run_child(task, folder / "large"))
    best = {task: min(times) for task, times in seconds.items()}
    return {
        "vectors": VECTORS,
        "dim": DIM,
        "seconds": best,
        "opened_over_numpy": best["opened"] / best["numpy"],
        "rebuilt_over_numpy": best["rebuilt"] / best["numpy"],
    }


def measure_memory(folder: Path) -> dict[str, Any]:
    peaks = {count: run_child(f"ingest:{count}", folder / f"memory-{count}") for count in MEMORY_DOCUMENTS}
    few, many = MEMORY_DOCUMENTS
    return {
        "peak_megabytes": {str(count): peak for count, peak in peaks.items()},
        "many_over_few": peaks[many] / peaks[few],
    }


def write_large_corpus(workspace: Workspace) -> None:
    spec = EncoderSpec(name="random", dim=DIM)
    corpus = Corpus.create(workspace, "large", encoder=spec, chunker={"name": "none"}, split=dict(DEFAULT_SPLIT))
    rng = np.random.default_rng(0)
    documents = range(VECTORS // DOCUMENT_CHUNKS)
    with corpus.writing():
        for start in range(0, len(documents), BATCH):
            corpus.append([random_document(number, rng) for number in documents[start : start + BATCH]])


def random_document(number: int, rng: np.random.Generator) -> EncodedDocument:
    vectors = rng.standard_normal((DOCUMENT_CHUNKS, DIM)).astype(np.float32)
    texts = [
        f"Sentence {line} of document {number}, about as long as one: {rng.integers(1 << 60):0100d}"
        for line in range(DOCUMENT_CHUNKS)
    ]
    return EncodedDocument(
        document=Document(id=f"d{number}", title=f"Title {number}", text="", source="random", licence="CC0"),
        chunks=[Chunk(text=text, position=line, start=0, end=len(text)) for line, text in enumerate(texts)],
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
    )


class SyntheticSource:
    """`count` documents of 30 sentences, of few words: the hashing encoder's own cache of words is not the subject."""

    def __init__(self, count: int) -> None:
        self.count = count

    def documents(self) -> Iterator[Document]:
        for number in range(self.count):
            text = " ".join(f"Sentence {line} has the number {number * line % 997}." for line in range(30))
            yield Document(id=f"d{number}", title=f"T{number}", text=text, source="synthetic", licence="CC0")


def run_child(task: str, folder: Path) -> float:
    command = [sys.executable, __file__, "--child", task, str(folder)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def child(task: str, folder: str) -> None:
    """One measurement in a process of its own; prints seconds, or megabytes for an ingest."""
    kind, _, count = task.partition(":")
    if kind == "ingest":
        documents, encoder = SyntheticSource(int(count)), load_encoder(f"hashing:{DIM}")
        ingest(Workspace(folder), "c", documents, build_chunker("sentence"), encoder)
        print(peak_megabytes())
        return
    import lance  # noqa: F401 - imported before the clock starts, as numpy is

    start = time.perf_counter()
    if kind == "numpy":
        array = np.load(Path(folder) / "reference.npy")
    else:
        array = np.array(open_snapshot(Workspace(folder), "large").vectors)
    seconds = time.perf_counter() - start
    assert array.shape == (VECTORS, DIM)
    print(seconds)


def peak_megabytes() -> float:
    """Of this process alone. Linux's ru_maxrss begins at the parent's peak, so there the kernel's own mark is read."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def show(result: dict[str, Any]) -> None:
    stored, opening, memory = result["bytes"], result["opening"], result["memory"]
    print(f"{stored['vectors']:,} vectors, {stored['sequences']:,} sequences, {stored['encoder']}")
    for name in ("corpus", "npz", "compressed_npz"):
        print(f"  {name:16} {stored[f'{name}_bytes_per_sequence']:10,.0f} bytes per sequence")
    for name, seconds in opening["seconds"].items():
        print(f"  {name:16} {seconds:10.3f} s")
    for count, peak in memory["peak_megabytes"].items():
        print(f"  {int(count):,} documents ingested: {peak:.0f} MB")


if __name__ == "__main__":
    main()
