"""Replicas on a Ray cluster of this machine's cores, against as many workers of `nextvec serve` on the same cores.

    python benchmarks/replicas.py [--threads 2] [--seconds 5] [--rounds 2]

As many replicas and workers as `--threads`, each with one. The load is that of benchmarks/serving.py: one context to
predict from, over connections that are kept open, from a process of its own; and continuations of some sentences, whose
work is more than their way. Servers are started in turns, one at a time; how long that takes is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from nextvec.workspace import Workspace
from record import Claim, leave_record, options_of
from serving import (
    CONTEXT,
    MODEL,
    Elsewhere,
    Load,
    dataset,
    generate_load,
    make_model,
    other_process,
    real_vectors,
    summary,
    wait_for,
)

CLIENTS = 16
SENTENCES = 4
TEXT = "The city lies on a river. It was founded by merchants. Its bridges are old."
WAYS = {"workers": ["--workers"], "ray": ["--ray", "local", "--replicas"]}
READY = {"workers": "serving 1 models", "ray": "replicas"}
LIMITS = [
    "One machine: nothing went over a network, and load, proxy and replicas shared its cores.",
    "One model, one length of context. On Ray every request passes one proxy, which is a process of Python.",
]


def main() -> None:
    options = parse()
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # as in benchmarks/serving.py
    place = Workspace(options.workspace)
    make_model(place)
    measured = measure(options, place)
    leave_record(
        options, dataset=dataset({"model": MODEL}), claims=claims(measured, options.threads), limits=LIMITS,
        measured=measured,
    )  # fmt: skip


def parse() -> argparse.Namespace:
    parser = options_of("replicas", __doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=2, help="turns of both servers")
    return parser.parse_args()


def claims(measured: dict[str, Any], count: int) -> list[Claim]:
    workers, ray = measured["workers"], measured["ray"]
    return [
        *(
            Claim(
                what=f"{count} replicas on Ray, {work}: requests per second, {CLIENTS} clients",
                figure=ray[work]["requests_per_second"] / workers[work]["requests_per_second"],
                reference=f"{count} workers: {workers[work]['requests_per_second']:,.0f} a second",
            )
            for work in ("predict", "continue")
        ),
        Claim(
            what="Start of a server on Ray",
            figure=ray["startup_seconds"],
            unit="s",
            reference=f"workers: {workers['startup_seconds']:.1f} s",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Asked:
    path: str
    body: bytes
    media_type: str


def work_of(place: Workspace) -> dict[str, Asked]:
    vectors = real_vectors(place, MODEL)
    shape = f"1,{CONTEXT},{vectors.shape[-1]}"
    text = {"model": MODEL, "prompt": TEXT, "sentences": SENTENCES}
    return {
        "predict": Asked(f"/v1/predict?model={MODEL}&shape={shape}", vectors.tobytes(), "application/octet-stream"),
        "continue": Asked("/v1/completions", json.dumps(text).encode(), "application/json"),
    }


def measure(options: argparse.Namespace, place: Workspace) -> dict[str, Any]:
    """Of both ways, taken in turns: medians."""
    works = work_of(place)
    loads: dict[tuple[str, str], list[Any]] = {}
    starts: dict[str, list[float]] = {}
    with other_process() as elsewhere:
        for _ in range(options.rounds):
            for way in WAYS:
                began = time.perf_counter()
                with served(way, options, place) as url:
                    starts.setdefault(way, []).append(time.perf_counter() - began)
                    for name, asked in works.items():
                        loads.setdefault((way, name), []).append(load_of(elsewhere, url, asked, options, way, name))
    return {
        way: {"startup_seconds": statistics.median(starts[way])} | {name: summary(loads[way, name]) for name in works}
        for way in WAYS
    }


def load_of(elsewhere: Elsewhere, url: str, asked: Asked, options: argparse.Namespace, way: str, name: str) -> Load:
    load: Load = elsewhere(generate_load, url, asked.path, asked.body, CLIENTS, options.seconds, asked.media_type)
    print(f"  {way:8} {name:9} {load.per_second:8.1f} requests/s  {dict(load.statuses)}", flush=True)
    return load


@contextmanager
def served(way: str, options: argparse.Namespace, place: Workspace) -> Iterator[str]:
    """The URL of a server of one model, once all its processes are ready."""
    settings = place.cache / "replicas-benchmark.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f'threads = 1\n[[models]]\nmodel = "{MODEL}"\n[[listeners]]\nport = 0\n')
    line = [sys.executable, "-m", "nextvec", "serve", "--config", str(settings), "--workspace", str(place.root)]
    process = subprocess.Popen([*line, *WAYS[way], str(options.threads)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said = until(process.stderr, READY[way], options.threads if way == "workers" else 1)
        url = next(word for word in said.split() if word.startswith("http://")).rstrip(",")
        wait_for(f"{url}/health/ready")
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def until(log: IO[str], words: str, times: int) -> str:
    """What a log says until these words came so many times. Raises RuntimeError where it ends before."""
    said = ""
    for line in log:
        said += line
        if said.count(words) == times:
            return said
    raise RuntimeError(f"the server has ended: {said}")


if __name__ == "__main__":
    main()
