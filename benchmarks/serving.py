"""The server under load: requests per second and times, against a plain handler that runs the model once per request.

    python benchmarks/serving.py [--model ID] [--seconds 5] [--rounds 3] [--soak SECONDS]

Server, plain handler and load generator are separate processes. The load is `POST /v1/predict` with a raw float32 body,
one context of five real vectors, over connections that are kept open; the plain handler is FastAPI with an `async def`
that reads the same body, calls the same predictor and answers the same bytes. Both are asked in turns. Then: a whole
request from text to text against encoding the same text, a text from the cache, and with `--soak` minutes at full load
with the memory over time. Without `--model` a GRU of the preset size is made, untrained: speed does not depend on it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import numpy as np
import torch

from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import Encoder
from nextvec.models.bundle import load_bundle, save_bundle
from nextvec.models.network import build_network
from nextvec.store.snapshot import Snapshot
from nextvec.workspace import Workspace
from real import real_snapshot, sentences
from record import Claim, leave_record, options_of

MODEL, DOCUMENTS = "gru-untrained", 100
CLIENTS = (1, 16, 64)
CONTEXT = 5
TEXTS = 20
SOAK_CLIENTS = 64
START_SECONDS = 120
Elsewhere = Callable[..., Any]
LIMITS = [
    "One model and one length of context; the plain handler does not check its input, limit anything or count.",
    "Server and load generator share the processor's two cores; apart, both would be faster.",
]


def main() -> None:
    options = parse()
    # For all processes below alike, as the command line has it: threads that spin while they wait take the core from
    # whoever works, and the plain handler would look many times worse than it is.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    workspace, model = Workspace(options.workspace), options.model or MODEL
    if options.model is None:
        make_model(workspace)
    with served(options, workspace, model) as server, other_process() as elsewhere:
        if options.soak:
            record_soak(options, model, soak(options, server, model, elsewhere))
            return
        result = {
            "model": model,
            "predict": predict_times(options, workspace, server.url, model, elsewhere),
            **text_times(options, server.url, model, elsewhere),
            "cache_hit_milliseconds": cache_hit(server.url, model),
        }
    leave_record(options, dataset=dataset(result), claims=claims(result), limits=LIMITS, measured=result)


def parse() -> argparse.Namespace:
    parser = options_of("serving", __doc__)
    parser.add_argument("--model", help="a model of the workspace; by default one is made")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="turns of server and plain handler")
    parser.add_argument("--soak", type=float, default=0.0, metavar="SECONDS", help="only this: full load, memory")
    return parser.parse_args()


def dataset(result: dict[str, Any]) -> str:
    return f"{result['model']}, contexts of {CONTEXT} MiniLM vectors, {TEXTS} passages of Wikipedia"


def claims(result: dict[str, Any]) -> list[Claim]:
    ratio = {clients: result["predict"][str(clients)]["ratio"] for clients in CLIENTS}
    plain = "a plain FastAPI handler, model once per request"
    bounds = {1: 1.0, 16: 3.0, 64: None}
    return [
        *(
            Claim(
                what=f"Predict, requests per second, {clients} client{'s' * (clients > 1)}",
                figure=ratio[clients],
                reference=plain,
                at_least=bounds[clients],
            )
            for clients in CLIENTS
        ),
        Claim(
            what="Text to text with nearest decoding, median time",
            figure=result["text_over_encoding"],
            reference="encoding the same text",
            at_most=2.5,
        ),
        Claim(
            what="Text from the cache, median time in the server",
            figure=result["cache_hit_milliseconds"],
            reference="none",
            unit="ms",
            at_most=1.0,
        ),
    ]


def make_model(workspace: Workspace) -> None:
    """A bundle that claims a real corpus generation, so that everything behind it is real."""
    snapshot = real_snapshot(workspace.root, DOCUMENTS)
    network = build_network("gru", snapshot.dim, {"width": 512, "layers": 4}, anchor="none")
    origin = {
        "encoder": snapshot.encoder.to_dict(),
        "encoder_fingerprint": snapshot.encoder.fingerprint,
        "corpus": {
            "name": snapshot.name,
            "tag": snapshot.tag,
            "version": snapshot.version,
            "fingerprint": snapshot.fingerprint,
            "documents": len(snapshot.documents),
            "chunks": len(snapshot),
            "licences": [],
        },
        "split": snapshot.split,
        "training": {},
        "versions": {},
    }
    save_bundle(workspace.model(MODEL), network, origin=origin, metrics={})


@contextmanager
def other_process() -> Iterator[Elsewhere]:
    """Calls functions in a process of its own, always the same one."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result()


@dataclass(frozen=True)
class Running:
    url: str
    pid: int


@contextmanager
def served(options: argparse.Namespace, workspace: Workspace, model: str) -> Iterator[Running]:
    """`nextvec serve` with one model, on a free port."""
    settings = workspace.cache / "serving-benchmark.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        f'threads = {options.threads}\ncorpora = []\n[[models]]\nmodel = "{model}"\n[[listeners]]\nport = 0\n'
    )
    line = [sys.executable, "-m", "nextvec", "serve", "--config", str(settings), "--workspace", str(workspace.root)]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        url = next(line.split()[-1] for line in process.stderr if "http://" in line)
        wait_for(f"{url}/health/ready")
        yield Running(url, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


@contextmanager
def plain(options: argparse.Namespace, workspace: Workspace, model: str) -> Iterator[str]:
    """The reference, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = get_context("spawn").Process(
        target=run_plain, args=(str(workspace.model(model)), port, options.threads), daemon=True
    )
    process.start()
    try:
        wait_for(f"http://127.0.0.1:{port}/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join()


def run_plain(folder: str, port: int, threads: int) -> None:
    import uvicorn
    from fastapi import FastAPI
    from fastapi import Request as Asked
    from fastapi.responses import Response

    torch.set_num_threads(threads)
    predictor = load_bundle(Path(folder)).predictor
    app = FastAPI()

    async def predict(request: Asked) -> Response:
        x_BTD = torch.frombuffer(bytearray(await request.body()), dtype=torch.float32).view(1, CONTEXT, -1)
        y_BTD = predictor.predict(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool))
        return Response(y_BTD[:, -1].numpy().tobytes(), media_type="application/octet-stream")

    predict.__annotations__["request"] = Asked  # the name is local, and annotations of this module are strings
    predict.__annotations__["return"] = Response
    app.post("/v1/predict")(predict)
    app.get("/ready")(lambda: "ready")
    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def wait_for(url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {START_SECONDS} s")


def predict_times(
    options: argparse.Namespace, workspace: Workspace, url: str, model: str, elsewhere: Elsewhere
) -> dict[str, Any]:
    """For each number of clients: both sides, in turns, and the ratio of their requests per second."""
    body = real_vectors(workspace, model).tobytes()
    path = f"/v1/predict?model={model}&shape=1,{CONTEXT},{len(body) // 4 // CONTEXT}"
    taken: dict[tuple[str, int], list[Load]] = {}
    with plain(options, workspace, model) as reference:
        for _ in range(options.rounds):
            for clients in CLIENTS:
                for side, address in (("server", url), ("plain", reference)):
                    load = elsewhere(generate_load, address, path, body, clients, options.seconds)
                    taken.setdefault((side, clients), []).append(load)
    return {str(clients): compared(taken["server", clients], taken["plain", clients]) for clients in CLIENTS}


def compared(server: list[Load], reference: list[Load]) -> dict[str, Any]:
    ratios = [ours.per_second / theirs.per_second for ours, theirs in zip(server, reference, strict=True)]
    return {"ratio": statistics.median(ratios), "server": summary(server), "plain": summary(reference)}


def summary(loads: list[Load]) -> dict[str, float]:
    """Medians over the turns; times in milliseconds."""
    return {
        "requests_per_second": statistics.median(load.per_second for load in loads),
        **{
            f"p{p}": statistics.median(1e3 * float(np.percentile(load.seconds, p)) for load in loads)
            for p in (50, 95, 99)
        },
        "other_than_200": sum(count for load in loads for status, count in load.statuses.items() if status != 200),
    }


def real_vectors(workspace: Workspace, model: str) -> np.ndarray:
    """One context of real unit vectors, (1, CONTEXT, D) float32."""
    from nextvec.store.generation import trained_generation

    bundle = load_bundle(workspace.model(model))
    snapshot: Snapshot = trained_generation(workspace, bundle.config)
    rows = snapshot.vectors[:CONTEXT].astype(np.float32)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True))[None]


@dataclass
class Load:
    """What clients saw: seconds of each request, how many had which status, and how long it all took."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    wall: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.wall


def generate_load(
    url: str, path: str, body: bytes, clients: int, seconds: float, media_type: str = "application/octet-stream"
) -> Load:
    """`clients` connections, each with its next request as soon as the last is answered."""
    load, host = Load(), urlsplit(url)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body

    async def client(until: float) -> None:
        reader, writer = await asyncio.open_connection(host.hostname, host.port)
        while (began := time.perf_counter()) < until:
            writer.write(request)
            load.statuses[await answer_status(reader)] += 1
            load.seconds.append(time.perf_counter() - began)
        writer.close()

    async def run() -> None:
        await asyncio.gather(*(client(time.perf_counter() + 0.3) for _ in range(clients)))
        load.seconds.clear()
        load.statuses.clear()
        began = time.perf_counter()
        await asyncio.gather(*(client(began + seconds) for _ in range(clients)))
        load.wall = time.perf_counter() - began

    asyncio.run(run())
    return load


async def answer_status(reader: asyncio.StreamReader) -> int:
    """Reads one answer to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    return int(head.split(b" ", 2)[1])


def text_times(options: argparse.Namespace, url: str, model: str, elsewhere: Elsewhere) -> dict[str, float]:
    """Medians in milliseconds, taken in turns: a whole request, and encoding the same chunks in another process."""
    texts = sentences(CONTEXT * (TEXTS + 2))
    passages = [texts[start : start + CONTEXT] for start in range(0, len(texts), CONTEXT)]
    whole, alone = [], []
    for chunks in passages:
        began = time.perf_counter()
        ask(url, "/v1/completions", {"model": model, "prompt": " ".join(chunks)})
        whole.append(1e3 * (time.perf_counter() - began))
        alone.append(elsewhere(encoding_milliseconds, chunks, options.threads))
    whole_p50, alone_p50 = statistics.median(whole[2:]), statistics.median(alone[2:])
    return {
        "text_milliseconds": whole_p50,
        "encoding_milliseconds": alone_p50,
        "text_over_encoding": whole_p50 / alone_p50,
    }


@cache
def minilm(threads: int) -> Encoder:
    torch.set_num_threads(threads)
    return load_encoder("minilm")


def encoding_milliseconds(chunks: list[str], threads: int) -> float:
    encoder = minilm(threads)
    began = time.perf_counter()
    encoder.encode(chunks)
    return 1e3 * (time.perf_counter() - began)


def cache_hit(url: str, model: str) -> float:
    """Median milliseconds in the server of decoding a vector again, from the corpus of the model."""
    listed = ask(url, "/v1/models", None)["data"]
    corpus = next(entry["nextvec"]["corpus"] for entry in listed if entry["id"] == model)
    (text,) = sentences(1)
    vector = ask(url, "/v1/embeddings", {"model": model, "input": text})["data"][0]["embedding"]
    asked = {"corpus": corpus, "vectors": [vector]}
    return statistics.median([ask(url, "/v1/decode", asked)["milliseconds"] for _ in range(50)][5:])


def ask(url: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url + path, data, {"Content-Type": "application/json"})) as answer:
        return json.load(answer)


def soak(options: argparse.Namespace, server: Running, model: str, elsewhere: Elsewhere) -> list[dict[str, Any]]:
    """Minutes of full load: memory, and answers by status, after every ten seconds of it."""
    body = real_vectors(Workspace(options.workspace), model).tobytes()
    path = f"/v1/predict?model={model}&shape=1,{CONTEXT},{len(body) // 4 // CONTEXT}"
    samples: list[dict[str, Any]] = []
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < options.soak:
        load = elsewhere(generate_load, server.url, path, body, SOAK_CLIENTS, min(10.0, options.soak - elapsed))
        statuses = {str(status): count for status, count in load.statuses.items()}
        samples.append({"seconds": round(elapsed), "megabytes": resident(server.pid), "statuses": statuses})
        print(samples[-1], flush=True)
    return samples


def record_soak(options: argparse.Namespace, model: str, samples: list[dict[str, Any]]) -> None:
    """A record beside the benchmark's own. The first tenth of the time is warm-up."""
    warm = samples[len(samples) // 10 :]
    statuses = Counter[str]()
    for sample in samples:
        statuses.update(sample["statuses"])
    answers = statuses.total()
    options.out = options.out.with_name("serving-soak.json")
    minutes = f"{options.soak / 60:.0f} minutes of full load, {SOAK_CLIENTS} clients"
    claims = [
        Claim(
            what=f"Memory of the server at the end, {minutes}",
            figure=warm[-1]["megabytes"] / warm[0]["megabytes"],
            reference="after a tenth of the time",
            at_most=1.05,
        ),
        Claim(
            what=f"Answers that are neither right nor 503, {minutes}",
            figure=float(answers - statuses["200"] - statuses["503"]),
            reference=f"{answers:,} answers",
            unit="answers",
            at_most=0.0,
        ),
    ]
    measured = {"model": model, "clients": SOAK_CLIENTS, "statuses": dict(statuses), "samples": samples}
    leave_record(options, dataset=dataset(measured), claims=claims, limits=[], measured=measured)


def resident(pid: int) -> float:
    """Resident memory, MB (powers of 1000)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


if __name__ == "__main__":
    main()
