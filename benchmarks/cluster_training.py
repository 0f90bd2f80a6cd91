"""Training by workers of a Ray cluster of this machine's cores, against as many processes of a launcher on the same.

    python benchmarks/cluster_training.py [--threads 2] [--rounds 2] [--documents 1024]

As many workers and processes as `--threads`, each with a core. Both train the same model for few epochs and for many:
the difference is work, what is left of the shorter run is start-up, and is told apart. The corpus is synthetic, because
speed does not depend on what is said. Every run is a process of its own, and its cluster too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import nextvec
from cluster import Spent, Taken, environment, least, told_apart
from nextvec.corpus.chunkers import build_chunker
from nextvec.encoders import load_encoder
from nextvec.store.ingest import ingest
from nextvec.workspace import Workspace
from record import Claim, leave_record, options_of
from storage import SyntheticSource

DIM, WIDTH = 128, 256
EPOCHS = (1, 24)
CORPUS = "synthetic"
LOOK_SECONDS = 0.5
LIMITS = [
    "One machine: gradients went over its loopback, and the cores were those of the launched processes.",
    "One architecture (GRU) and one size of model; the larger a model, the less its workers' exchange matters.",
]


def main() -> None:
    options = parse()
    if options.child:
        way, epochs, folder, model = options.child
        child(way, int(epochs), folder, model, options)
        return
    options.workspace.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.workspace) as folder:
        place = Workspace(Path(folder).absolute())
        tools = build_chunker("sentence"), load_encoder(f"hashing:{DIM}")
        chunks = ingest(place, CORPUS, SyntheticSource(options.documents), *tools).chunks
        measured = measure(options, place, chunks)
    leave_record(
        options, dataset=f"{chunks:,} synthetic chunks, D = {DIM}", claims=claims(measured, options.threads),
        limits=LIMITS, measured=measured,
    )  # fmt: skip


def parse() -> argparse.Namespace:
    parser = options_of("cluster_training", __doc__)
    parser.add_argument("--documents", type=int, default=1_024)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--child", nargs=4, metavar=("WAY", "EPOCHS", "FOLDER", "MODEL"), help=argparse.SUPPRESS)
    return parser.parse_args()


def claims(measured: dict[str, Any], count: int) -> list[Claim]:
    local, ray = measured["local"], measured["ray"]
    return [
        Claim(
            what=f"Training on Ray, {count} workers: chunks a second",
            figure=ray["chunks_per_second"] / local["chunks_per_second"],
            reference=f"{count} launched processes: {local['chunks_per_second']:,.0f} chunks/s",
            at_least=0.85,
        ),
        Claim(
            what="Training on Ray: CPU time of a chunk, all processes",
            figure=ray["cpu_seconds_per_chunk"] / local["cpu_seconds_per_chunk"],
            reference=f"launched processes: {1e6 * local['cpu_seconds_per_chunk']:,.0f} us",
        ),
        Claim(
            what="Start-up of a training on Ray",
            figure=ray["startup_seconds"],
            unit="s",
            reference=f"launched processes: {local['startup_seconds']:.1f} s",
        ),
    ]


def measure(options: argparse.Namespace, place: Workspace, chunks: int) -> dict[str, Any]:
    """Of both ways, taken in turns: the least of the rounds, because other load only adds."""
    runs: dict[tuple[str, int], list[Taken]] = {}
    for number in range(options.rounds):
        for way, epochs in product(("local", "ray"), EPOCHS):
            taken = run_child(way, epochs, f"{way}-{epochs}-{number}", chunks, place, options)
            runs.setdefault((way, epochs), []).append(taken)
    return {way: told_apart(*(least(runs[way, epochs]) for epochs in EPOCHS)) for way in ("local", "ray")}


def run_child(way: str, epochs: int, model: str, chunks: int, place: Workspace, options: argparse.Namespace) -> Taken:
    command = [sys.executable, __file__, "--threads", str(options.threads)]
    command += ["--child", way, str(epochs), str(place.root), model]
    one_each = environment(way, options) | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=one_each)
    seconds, cpu = map(float, done.stdout.split()[-2:])
    print(f"  {way:6} {epochs} epochs  {seconds:7.2f} s, {cpu:7.2f} s of CPU", flush=True)
    return Taken(seconds, cpu, epochs * chunks)


def child(way: str, epochs: int, folder: str, model: str, options: argparse.Namespace) -> None:
    """One training in a process of its own; prints its seconds, all start-up but Python's included, and of CPU."""
    began = time.perf_counter()
    with looked_at() as spent:
        (on_ray if way == "ray" else launched)(folder, model, epochs, options.threads)
        seconds = time.perf_counter() - began
    print(seconds, spent.total())


def settings(epochs: int) -> dict[str, Any]:
    return {"epochs": epochs, "patience": 0, "width": WIDTH, "layers": 1, "anchor": "none"}


def on_ray(folder: str, model: str, epochs: int, workers: int) -> None:
    nextvec.open(folder).train(
        "gru", CORPUS, name=model, allow_unordered=True, allow_leakage=True, ray="local", workers=workers,
        options=settings(epochs),
    )  # fmt: skip


def launched(folder: str, model: str, epochs: int, processes: int) -> None:
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m", "nextvec"]
    command += ["train", "gru", "--corpus", CORPUS, "--name", model, "--workspace", folder]
    command += ["--allow-unordered", "--allow-leakage"]
    command += [part for key, value in settings(epochs).items() for part in ("--set", f"{key}={value}")]
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, env=os.environ.copy())


@contextmanager
def looked_at() -> Iterator[Spent]:
    """What this process and all below it spend while inside, also those that end meanwhile."""
    spent, over = Spent(), threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            spent.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield spent
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
