"""Ingest on a Ray cluster of this machine's cores, against one process that has the same cores.

    python benchmarks/cluster.py [--threads 2] [--documents 32 160]

As many workers as `--threads`, each with a core, against one process with as many threads. Each is run on few documents
and on many: the difference is work, what is left of the shorter run is start-up, and is told apart. Every run is a
process of its own, and its cluster too. Prints ratios.

Not named for Ray: a script's folder comes first where Python looks for `import ray`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from nextvec.corpus.sources import open_source
from nextvec.workspace import Workspace
from real import source, source_name
from record import Claim, leave_record, options_of

ENCODERS = ("hashing:384", "minilm")
BLOCK = 8
"""Documents that are encoded together: several blocks a worker even of few documents."""
MORE = {"hashing:384": 4, "minilm": 1}
"""Times as many documents for an encoder that takes no time."""
ROUNDS = 3
LIMITS = [
    "One machine: nothing went over a network, and its cores were those of the one process.",
    "The hashing encoder computes on one core, however many threads a process has; more workers use more.",
    "Few documents in small blocks, so that there are some for every worker; a large corpus has larger ones.",
]


def main() -> None:
    options = parse()
    if options.child:
        child(*options.child, options.threads)
        return
    options.workspace.mkdir(parents=True, exist_ok=True)
    measured = {encoder: measure(encoder, options) for encoder in ENCODERS}
    leave_record(
        options,
        dataset=f"{options.documents[0]} and {options.documents[1]} documents of {source_name()} (hashing: 4 times)",
        claims=[claim for encoder in ENCODERS for claim in claims(encoder, measured[encoder], options.threads)],
        limits=LIMITS,
        measured=measured,
    )


def parse() -> argparse.Namespace:
    parser = options_of("cluster", __doc__)
    parser.add_argument("--documents", type=int, nargs=2, default=(32, 160), metavar=("FEW", "MANY"))
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
            what=f"Start-up of an ingest on Ray, {encoder}",
            figure=ray["startup_seconds"],
            unit="s",
            reference=f"one process: {local['startup_seconds']:.1f} s",
        ),
    ]


def measure(encoder: str, options: argparse.Namespace) -> dict[str, Any]:
    """Of both ways, taken in turns: the best of the rounds, because other load only adds time."""
    few, many = (count * MORE[encoder] for count in options.documents)
    runs: dict[tuple[str, int], list[tuple[float, int]]] = {}
    for _ in range(ROUNDS):
        for way in ("local", "ray"):
            for count in (few, many):
                runs.setdefault((way, count), []).append(run_child(way, encoder, count, options))
    return {way: told_apart(min(runs[way, few]), min(runs[way, many])) for way in ("local", "ray")}


def told_apart(few: tuple[float, int], many: tuple[float, int]) -> dict[str, float]:
    """From (seconds, chunks) of two runs."""
    speed = (many[1] - few[1]) / (many[0] - few[0])
    return {"chunks": many[1], "chunks_per_second": speed, "startup_seconds": few[0] - few[1] / speed}


def run_child(way: str, encoder: str, count: int, options: argparse.Namespace) -> tuple[float, int]:
    """(seconds, chunks)."""
    with tempfile.TemporaryDirectory(dir=options.workspace) as folder:
        command = [sys.executable, __file__, "--threads", str(options.threads)]
        command += ["--child", way, encoder, str(count), folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment(way, options))
    seconds, chunks = done.stdout.split()[-2:]
    print(f"  {way:6} {encoder:12} {count:5} documents  {int(chunks):7,} chunks  {float(seconds):7.2f} s", flush=True)
    return float(seconds), int(chunks)


def environment(way: str, options: argparse.Namespace) -> dict[str, str]:
    """A worker of Ray has as many threads as it has cores, unless the environment says something else."""
    rest = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return rest if way == "ray" else rest | {"OMP_NUM_THREADS": str(options.threads)}


def child(way: str, encoder: str, count: str, folder: str, threads: int) -> None:
    """One ingest in a process of its own; prints its seconds, all start-up but Python's included, and its chunks."""
    place, began = Workspace(Path(folder).absolute()), time.perf_counter()
    tools = {"encoder": encoder, "chunker": "sentence", "options": {}}
    run = on_ray if way == "ray" else here
    report = run(place, tools, threads, limit=int(count), block_documents=BLOCK)
    print(time.perf_counter() - began, report.chunks)


def here(place: Workspace, tools: dict[str, Any], threads: int, **how: Any) -> Any:
    from nextvec.store.fitting import load_tools
    from nextvec.store.ingest import ingest

    encoder, chunker = load_tools(place, "c", **tools)
    return ingest(place, "c", open_source(source()), chunker, encoder, **how)


def on_ray(place: Workspace, tools: dict[str, Any], workers: int, **how: Any) -> Any:
    from nextvec.distributed.cluster import cluster

    with cluster("local", workers) as count:
        from nextvec.distributed.ingest import ingest_on_ray
        from nextvec.store.fitting import load_tools

        load = partial(load_tools, place, "c", **tools)
        return ingest_on_ray(place, "c", open_source(source()), load, workers=count, **how)


if __name__ == "__main__":
    main()
