"""What corpora of other sizes need, on paper: measured figures of benchmarks, multiplied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from results import table

Records = Mapping[str, Mapping[str, Any]]
"""Of benchmarks, by name."""

SIZES = (10_000_000, 100_000_000, 10_000_000_000)
NEEDED = ("scale", "storage", "encoding", "training", "snap")
DIM, CHUNKS_A_DOCUMENT = 384, 20
DAY = 24 * 3600


def sections(records: Records) -> Iterator[str]:
    """Paragraphs and tables of docs/scale.md."""
    scale, measured = records["scale"], SIZES[0]
    yield (
        f"`benchmarks/scale.py` measures a corpus of {measured:,} chunks; the other columns are that, or a figure of "
        "another benchmark, in proportion. Nothing in them was run. Chunks are sentences of MiniLM "
        f"({DIM}-D, float16), {CHUNKS_A_DOCUMENT} a document, on two cores."
    )
    names = ("", *(f"{size:,} chunks" for size in SIZES), "measured in", "when it is too much")
    yield table(names, list(_rows(records)), right=set(names[1:4]))
    yield "## What is constant"
    mapped, sharded = (scale["step-resident"] / scale[f"step-{place}"] for place in ("mapped", "sharded"))
    yield (
        f"A training step reads its batch's rows wherever they are: from a file of 10 million it runs at {mapped:.2f} "
        f"of the speed from memory, from the corpus itself at {sharded:.2f}, and its memory is that of a batch. Ingest "
        "holds a block of documents. Verdicts are "
        f"over documents: {scale['verdicts']:.1f} s for 10,000 test documents and 20 models, whatever the corpus; more "
        "test documents than that add little, so a larger corpus can take a smaller test part (`--test`)."
    )
    yield "## Which knob"
    yield "\n".join(f"* {line}" for line in KNOBS)
    yield "## What this does not show"
    yield (
        "Ten billion chunks are beyond what one opening of one corpus can do: its table of documents and offsets alone "
        "would take the memory of a large server. Split by source or by time into corpora that are trained on in turn, "
        "or use larger chunks. Search on disk was measured at smaller sizes. Times in a bucket depend on it."
    )


KNOBS = (
    "**Encoding** is nearly all of the time. `corpus ingest --ray ADDRESS --workers N` spreads it over machines; a GPU "
    "is used where there is one; larger chunks (`--chunker paragraph`, `packed`) are fewer.",
    "**Vectors beyond memory**: `--set rows=auto` keeps them in memory while they fit, else in a file that is mapped, "
    "else reads them from the corpus in shards. The results are the same, bit for bit. What a head with an anchor "
    "starts at is about as large again; it is reserved in the workspace's cache before training begins.",
    "**Versions**: ingest commits every 32,768 chunks or 60 seconds; `corpus compact NAME` merges files when you like.",
    "**Training time** is epochs times what the table says, all of them planned before the first step; validation "
    "decides which epoch is kept. "
    "`train --ray ADDRESS --workers N` shares each batch among workers, with the weights of N processes here.",
    "**Near-duplicates** are looked for once a generation, in proportion to its text, and the finding is kept.",
    "**Search**: exact below 200,000 vectors, FAISS above while memory holds them, Lance's lists on disk beyond.",
    "**Disk**: a workspace may be in a bucket (`NEXTVEC_WORKSPACE=s3://...`).",
)


def _rows(records: Records) -> Iterator[tuple[str, ...]]:
    scale, storage, encoding, training, snap = (records[name] for name in NEEDED)
    chunk = storage["bytes"]["corpus_bytes_per_sequence"] * storage["bytes"]["sequences"] / storage["bytes"]["vectors"]
    rate = encoding["sentences_per_second"]["minilm"]
    targets = training["architectures"]["gru"]["targets_per_second"]["bf16"]
    base = SIZES[0]
    memory = scale["memory"] * 1e6 / base  # what a process has before it opens anything was taken off
    yield _row("on disk: text and vectors", chunk, _bytes, "storage", "a bucket; larger chunks")
    yield _row("of that, vectors", 2 * DIM, _bytes, "float16", "an encoder of fewer dimensions (`?dim=`)")
    yield _row(
        "memory of an opening, beside the process", memory, _bytes, "scale", "several corpora; fewer, longer documents"
    )
    yield _row("the first opening, near-duplicates looked for", scale["first-split"] / base, _time, "scale", "")
    yield _row("opening for training", scale["opening"] / base, _time, "scale", "as above")
    yield _row(
        "planning an epoch, short spans", scale["plan-short"] / base, _time, "scale", "`--set span=` longer spans"
    )
    yield _row("planning an epoch, whole documents", scale["plan-long"] / base, _time, "scale", "")
    yield _row("encoding with MiniLM", 1 / rate, _time, "encoding", "`--ray`, a GPU, larger chunks")
    yield _row("training a GRU (6.7 M), an epoch", 1 / targets, _time, "training", "`--ray`, a GPU, fewer epochs")
    exact = snap["milliseconds"]["exact"] / 1000 / snap["vectors"][0]
    yield _row("exact search, a query", exact, _time, "snap", "FAISS; on disk, Lance")


def _row(name: str, each: float, form: Any, origin: str, knob: str) -> tuple[str, ...]:
    return (name, *(form(each * size) for size in SIZES), origin, knob)


def _bytes(count: float) -> str:
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.3g} {unit}"
    return f"{count / 1000:.3g} TB"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 2 * DAY else f"{seconds / DAY:,.0f} days"
