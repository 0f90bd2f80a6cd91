"""Ingest on a Ray cluster of this machine's cores, against one process that has the same cores.

    python benchmarks/cluster.py [--threads 2] [--rounds 2]

As many workers as `--threads`, each with a core, against one process with as many threads. Each is run on few documents
and on many: the difference is work, what is left of the shorter run is start-up, and is told apart. Every run is a
process of its own, and its cluster too. On a machine that others use, the CPU time of a chunk says more than its time.
Prints ratios.

Not named for Ray: a script's folder comes first where Python looks for `import ray`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import psutil

from nextvec.corpus.document import Source
from nextvec.corpus.sources import open_source
from nextvec.workspace import Workspace
from real import source, source_name
from record import Claim, leave_record, options_of
from storage import SyntheticSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is ingested with an encoder: `few` and `many` documents, of which `block` are encoded together."""

    few: int
    many: int
    block: int
    synthetic: bool

    def source(self) -> Source:
        return SyntheticSource(self.many) if self.synthetic else open_source(source())


WORK = {
    "hashing:384": Work(few=2_048, many=16_384, block=1_024, synthetic=True),
    "minilm": Work(few=32, many=128, block=4, synthetic=False),
}
LIMITS = [
    "One machine: nothing went over a network, and its cores were those of the one process.",
    "The hashing encoder computes on one core, however many threads a process has; more workers use more.",
    "MiniLM reads few documents in small blocks, so that every worker has some; a large corpus has larger ones.",
    "With the hashing encoder, reading, cutting and counting take as long as encoding; its documents are synthetic.",
]


def main() -> None:
    options = parse()
    if options.child:
        way, encoder, count, folder = options.child
        child(way, encoder, int(count), folder, options.threads)
        return
    options.workspace.mkdir(parents=True, exist_ok=True)
    measured = {encoder: measure(encoder, options) for encoder in options.encoders}
    leave_record(
        options,
        dataset=f"{WORK['minilm'].many} documents of {source_name()}; {WORK['hashing:384'].many:,} synthetic ones",
        claims=[claim for encoder in measured for claim in claims(encoder, measured[encoder], options.threads)],
        limits=LIMITS,
        measured=measured,
    )


def parse() -> argparse.Namespace:
    parser = options_of("cluster", __doc__)
    parser.add_argument("--encoders", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--child", nargs=4, metavar=("WAY", "ENCODER", "DOCUMENTS", "FOLDER"), help=argparse.SUPPRESS)
    return parser.parse_args()


def claims(encoder: str, found: dict[str, Any], threads: int) -> list[Claim]:
    local, ray = found["local"], found["ray"]
    return [
        Claim(
            what=f"Ingest on Ray, {threads} workers, {encoder}: chunks a second",
            figure=ray["chunks_per_second"] / local["chunks_per_second"],
            reference=f"one process, {threads} threads: {local['chunks_per_second']:,.0f} chunks/s",
            at_least=0.85,
        ),
        Claim(
            what=f"Ingest on Ray, {encoder}: CPU time of a chunk, all processes",
            figure=ray["cpu_seconds_per_chunk"] / local["cpu_seconds_per_chunk"],
            reference=f"one process: {1e6 * local['cpu_seconds_per_chunk']:,.0f} us",
        ),
        Claim(
            what=f"Start-up of an ingest on Ray, {encoder}",
            figure=ray["startup_seconds"],
            unit="s",
            reference=f"one process: {max(local['startup_seconds'], 0.0):.1f} s",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Taken:
    """What one ingest took: `cpu` is of all its processes together."""

    seconds: float
    cpu: float
    chunks: int


def measure(encoder: str, options: argparse.Namespace) -> dict[str, Any]:
    """Of both ways, taken in turns: the least of the rounds, because other load only adds."""
    few, many = WORK[encoder].few, WORK[encoder].many
    runs: dict[tuple[str, int], list[Taken]] = {}
    for _ in range(options.rounds):
        for way, count in product(("local", "ray"), (few, many)):
            runs.setdefault((way, count), []).append(run_child(way, encoder, count, options))
    return {way: told_apart(least(runs[way, few]), least(runs[way, many])) for way in ("local", "ray")}


def least(runs: list[Taken]) -> Taken:
    return Taken(min(run.seconds for run in runs), min(run.cpu for run in runs), runs[0].chunks)


def told_apart(few: Taken, many: Taken) -> dict[str, float]:
    more = many.chunks - few.chunks
    speed = more / (many.seconds - few.seconds)
    return {
        "chunks": many.chunks,
        "chunks_per_second": speed,
        "cpu_seconds_per_chunk": (many.cpu - few.cpu) / more,
        "startup_seconds": few.seconds - few.chunks / speed,
    }


def run_child(way: str, encoder: str, count: int, options: argparse.Namespace) -> Taken:
    with tempfile.TemporaryDirectory(dir=options.workspace) as folder:
        command = [sys.executable, __file__, "--threads", str(options.threads)]
        command += ["--child", way, encoder, str(count), folder]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment(way, options))
    seconds, cpu, chunks = done.stdout.split()[-3:]
    taken = Taken(float(seconds), float(cpu), int(chunks))
    print(
        f"  {way:6} {encoder:12} {count:5} documents  {taken.chunks:7,} chunks  {taken.seconds:7.2f} s, "
        f"{taken.cpu:7.2f} s of CPU",
        flush=True,
    )
    return taken


def environment(way: str, options: argparse.Namespace) -> dict[str, str]:
    """A worker of Ray has as many threads as it has cores, unless the environment says something else; and it gives way
    to every other process of the machine, which the one process does not."""
    rest = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    own = {"RAY_worker_niceness": "0"} if way == "ray" else {"OMP_NUM_THREADS": str(options.threads)}
    return rest | own | {"OMP_WAIT_POLICY": "PASSIVE"}  # as the command line sets it


def child(way: str, encoder: str, count: int, folder: str, threads: int) -> None:
    """One ingest in a process of its own; prints its seconds, all start-up but Python's included, and the others."""
    place, began, spent = Workspace(Path(folder).absolute()), time.perf_counter(), Spent()
    tools = {"encoder": encoder, "chunker": "sentence", "options": {}}
    run, work = on_ray if way == "ray" else here, WORK[encoder]
    how = {"limit": count, "block_documents": work.block, "progress": lambda report, waiting: spent.look()}
    chunks = run(place, tools, threads, work.source(), **how)
    print(time.perf_counter() - began, spent.total(), chunks)


def here(place: Workspace, tools: dict[str, Any], threads: int, documents: Source, **how: Any) -> int:
    from nextvec.store.fitting import load_tools
    from nextvec.store.ingest import ingest

    encoder, chunker = load_tools(place, "c", **tools)
    return ingest(place, "c", documents, chunker, encoder, **how).chunks


def on_ray(place: Workspace, tools: dict[str, Any], workers: int, documents: Source, **how: Any) -> int:
    from nextvec.distributed.cluster import cluster

    with cluster("local", workers) as count:
        from nextvec.distributed.ingest import ingest_on_ray
        from nextvec.store.fitting import load_tools

        load = partial(load_tools, place, "c", **tools)
        return ingest_on_ray(place, "c", documents, load, workers=count, **how).chunks


class Spent:
    """CPU seconds of this process and of all below it, also of those that have ended since they were looked at."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}

    def look(self) -> None:
        own = psutil.Process()
        for process in (own, *own.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                self._seconds[process.pid] = times.user + times.system

    def total(self) -> float:
        self.look()
        return sum(self._seconds.values())


if __name__ == "__main__":
    main()
