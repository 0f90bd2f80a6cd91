"""Encoders: sentences per second of every kind that runs here, beside sentence-transformers with the same weights.

    python benchmarks/encoders.py [--sentences 256] [--block 64] [--threads 1] [--clock processor]

As benchmarks/encoding.py measures `minilm`, in less detail and for all: blocks of sentences of shared/data/wikipedia
(or of the Python manual), each encoded by each contestant in turn, ratios by their median over blocks. Of GTR-T5 and
static models there are no weights without a download: random ones of the real shape take as long. docs/encoders.md has
the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from model2vec import StaticModel
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules
from tokenizers import Tokenizer
from transformers import AutoTokenizer, T5Config, T5EncoderModel

from encoding import CLOCKS, REFERENCE, Encode, race, speed
from nextvec.encoders import load_encoder
from nextvec.encoders.inference.pretrained import quiet_transformers
from nextvec.encoders.transformer import minilm_folder
from real import sentences, source_name
from record import Claim, leave_record, options_of

GTR = T5Config(d_model=768, d_kv=64, d_ff=3072, num_layers=12, num_heads=12, vocab_size=32128)
STATIC_DIM = 256


@dataclass(frozen=True)
class Pair:
    """One encoder here and in the library; None where the library has no such thing. `weights`: where they are from."""

    name: str
    kind: str
    ours: Encode
    theirs: Encode | None
    weights: str


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    texts = sentences(options.sentences)
    blocks = [texts[start : start + options.block] for start in range(0, len(texts), options.block)]
    options.workspace.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=options.workspace) as folder:
        rows = [measure(pair, blocks, CLOCKS[options.clock]) for pair in pairs(Path(folder))]
    leave_record(
        options,
        dataset=f"{len(texts):,} sentences of {source_name()}",
        claims=[claim(row) for row in rows if row["ratio"] is not None],
        limits=limits(options.clock),
        measured={"clock": options.clock, "rows": rows},
    )


def parse() -> argparse.Namespace:
    parser = options_of("encoders", __doc__, threads=1)
    parser.add_argument("--sentences", type=int, default=256)
    parser.add_argument("--block", type=int, default=64)
    parser.add_argument("--clock", choices=CLOCKS, default="processor")
    return parser.parse_args()


def pairs(folder: Path) -> Iterator[Pair]:
    """One after the other, so that no two are in memory at once."""
    own = "its own"
    yield Pair("hashing:384", "hashing", load_encoder("hashing:384").encode, None, own)
    static = save_static(folder / "static")
    theirs = SentenceTransformer(modules=[modules.StaticEmbedding.from_model2vec(str(static))], device="cpu").encode
    yield Pair("model2vec", "model2vec", load_encoder(f"model2vec:{static}").encode, theirs, "random, 30,522 x 256")
    for length in (256, 64):
        with quiet_transformers():
            library = SentenceTransformer(str(minilm_folder()), device="cpu")
        library.max_seq_length = length
        reference = "minilm" if length == 256 else f"minilm?max_length={length}"
        yield Pair(reference, "minilm", load_encoder(reference).encode, library.encode, own)
    gtr = save_gtr(folder / "gtr")
    transformer = modules.Transformer(str(gtr), max_seq_length=128)
    library = SentenceTransformer(modules=[transformer, modules.Pooling(768, pooling_mode="mean")], device="cpu")
    yield Pair(
        "gtr-t5-base", "gtr-t5-base", load_encoder(f"gtr-t5-base:{gtr}").encode, library.encode, "random, T5 base"
    )


def save_static(folder: Path) -> Path:
    """A static model with MiniLM's word pieces."""
    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    vectors = np.random.default_rng(0).standard_normal((tokenizer.get_vocab_size(), STATIC_DIM)).astype(np.float32)
    StaticModel(vectors, tokenizer).save_pretrained(folder)
    return folder


def save_gtr(folder: Path) -> Path:
    """T5's encoder in base size, with MiniLM's word pieces for a tokenizer: about as many a sentence."""
    torch.manual_seed(0)
    with quiet_transformers():
        T5EncoderModel(GTR).save_pretrained(folder)
        AutoTokenizer.from_pretrained(str(minilm_folder())).save_pretrained(folder)
    return folder


def measure(pair: Pair, blocks: list[list[str]], clock: Callable[[], float]) -> dict[str, Any]:
    contestants = {"ours": pair.ours} | ({} if pair.theirs is None else {REFERENCE: pair.theirs})
    seconds, vectors = race(contestants, blocks, clock)
    rates = {name: speed(blocks, taken) for name, taken in seconds.items()}
    row = {"name": pair.name, "kind": pair.kind, "dim": vectors["ours"].shape[1], "weights": pair.weights}
    row |= {"ours": rates["ours"], "library": rates.get(REFERENCE), "ratio": None}
    if pair.theirs is not None:
        ratios = [theirs / ours for theirs, ours in zip(seconds[REFERENCE], seconds["ours"], strict=True)]
        row["ratio"] = round(float(np.median(ratios)), 3)
    print(row, flush=True)
    return row


def claim(row: dict[str, Any]) -> Claim:
    return Claim(
        what=f"Encoding with {row['name']}, sentences per second",
        figure=row["ratio"],
        reference="SentenceTransformer.encode, defaults, same weights and sentences",
        at_least=1.0 if row["kind"] == "minilm" else None,
    )


def limits(clock: str) -> list[str]:
    return [
        f"Seconds are those of the {clock} clock, of one thread; a GPU or more threads order the encoders otherwise.",
        "SONAR, and servers that answer as OpenAI's, have no counterpart in the library and were not measured; "
        "`sentence-transformers:` is the library itself.",
        "Random weights of the real shape tell speed and nothing else.",
    ]


if __name__ == "__main__":
    main()
