"""Claim: an ingest from PostgreSQL is hardly slower than one from a file of JSON lines that holds the same rows.

    python benchmarks/postgres.py [--documents 800] [--rounds 5] [--clock wall]

The text is that of shared/data/wikipedia, or the Python manual. The server is that of the package `pgserver`, on this
machine, over a socket; with `hashing` next to nothing is spent on encoding. Rounds take turns, the order changing from
one to the next, and the ratio is the median over rounds. `--clock processor` counts the seconds of processors that the
ingest and the server took together, which can be read on a crowded machine, too.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pgserver
import psutil
import psycopg

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document
from nextvec.corpus.sources import open_source
from nextvec.encoders import load_encoder
from nextvec.store.ingest import ingest
from nextvec.workspace import Workspace
from real import source, source_name
from record import Claim, leave_record, options_of

ENCODER = "hashing:384"
TARGET = 0.9


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory(prefix="nextvec-") as place:
        folder = Path(place)
        rows = list(rows_of(options.documents))
        server = pgserver.get_server(folder / "data")
        sources = {"jsonl": write_lines(folder / "rows.jsonl", rows), "postgresql": write_table(server.get_uri(), rows)}
        clock = time.perf_counter if options.clock == "wall" else partial(processor, server.get_pid())
        seconds, chunks = race(sources, folder, options.rounds, clock)
        server.cleanup()
    ratios = [one / other for one, other in zip(seconds["jsonl"], seconds["postgresql"], strict=True)]
    measured = {
        "clock": options.clock,
        "rows": len(rows),
        "chunks": chunks,
        "seconds": seconds,
        "ratios": [round(r, 3) for r in ratios],
    }
    leave_record(
        options,
        dataset=f"{len(rows):,} documents of {source_name()}, {chunks:,} chunks",
        claims=list(claims(ratios, seconds, options.clock)),
        limits=[
            "The server runs on the same processors as the ingest; one on another machine leaves them to it and adds "
            "a network.",
            "The table has a primary key on the id, by which its rows are read.",
        ],
        measured=measured,
    )


def parse() -> argparse.Namespace:
    parser = options_of("postgres", __doc__, threads=1)
    parser.add_argument("--documents", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    return parser.parse_args()


def rows_of(count: int) -> Iterator[tuple[str, str, str]]:
    documents = (item for item in open_source(source()).documents() if isinstance(item, Document))
    for document in islice(documents, count):
        yield document.id, document.title, document.text


def write_lines(path: Path, rows: list[tuple[str, str, str]]) -> str:
    lines = (json.dumps({"id": identity, "title": title, "text": text}) for identity, title, text in sorted(rows))
    path.write_text("\n".join(lines))
    return str(path)


def write_table(uri: str, rows: list[tuple[str, str, str]]) -> str:
    with psycopg.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE rows (id text PRIMARY KEY, title text, text text)")
        with cursor.copy("COPY rows FROM STDIN") as sink:
            for row in rows:
                sink.write_row(row)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE rows")
    return f"{uri}&table=rows"


def processor(server: int) -> float:
    """Seconds that this process and those that answered it took so far; one of a server is counted when it ends."""
    answered = psutil.Process(server).cpu_times()
    return time.process_time() + answered.children_user + answered.children_system


def race(
    sources: dict[str, str], folder: Path, rounds: int, clock: Callable[[], float]
) -> tuple[dict[str, list[float]], int]:
    """Seconds of each round by source, after one that does not count, and the chunks of a corpus."""
    encoder, chunker = load_encoder(ENCODER), build_chunker("sentence")
    seconds: dict[str, list[float]] = {name: [] for name in sources}
    counts: set[Any] = set()
    for number in range(-1, rounds):
        for name in sorted(sources, reverse=number % 2 == 1):
            place = Workspace(folder / f"{name}{number}")
            began = clock()
            counts.add(ingest(place, "c", open_source(sources[name]), chunker, encoder).chunks)
            if number >= 0:
                seconds[name].append(round(clock() - began, 3))
    (chunks,) = counts
    return seconds, chunks


def claims(ratios: list[float], seconds: dict[str, list[float]], clock: str) -> Iterator[Claim]:
    yield Claim(
        what=f"Ingest from PostgreSQL with {ENCODER}, chunks per second",
        figure=round(statistics.median(ratios), 3),
        reference=f"jsonl of the same rows, {statistics.median(seconds['jsonl']):.1f} s by the {clock} clock",
        at_least=TARGET,
    )


if __name__ == "__main__":
    main()
