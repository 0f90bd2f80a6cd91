"""Encoding: sentences per second of `minilm` against `sentence_transformers.SentenceTransformer.encode`.

    python benchmarks/encoding.py [--sentences 5120] [--block 512] [--threads 2] [--clock wall]

Both use the same weights and the same sentences of shared/data/wikipedia (or of the Python manual) in the same run,
the library with its defaults. The sentences come in blocks; every block is encoded by each contestant in turn, the
order changing from block to block, and the ratio is the median over blocks, so that other work on the machine touches
all alike. On a crowded machine threads wait for each other: `--threads 1 --clock processor` is what still can be read
then. `minilm` runs as `load_encoder` gives it and, for processors without bfloat16, in float32.
Prints ratios and cosines.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from nextvec.encoders.inference.pretrained import quiet_transformers
from nextvec.encoders.transformer import load_minilm, minilm_folder
from real import sentences, source_name
from record import Claim, leave_record, options_of

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
REFERENCE = "sentence-transformers"

Encode = Callable[[list[str]], np.ndarray]


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    texts = sentences(options.sentences)
    fast, exact = load_minilm(""), load_minilm("", exact=True)
    with quiet_transformers():
        library = SentenceTransformer(str(minilm_folder()), device="cpu")
    contestants: dict[str, Encode] = {REFERENCE: library.encode, "minilm": fast.encode, "float32": exact.encode}
    blocks = [texts[start : start + options.block] for start in range(0, len(texts), options.block)]
    seconds, vectors = race(contestants, blocks, CLOCKS[options.clock])
    result = {
        "sentences": len(texts),
        "mean_characters": round(statistics.mean(map(len, texts)), 1),
        "source": source_name(),
        "clock": options.clock,
        "precision": fast.precision,
        "sentences_per_second": {name: speed(blocks, seconds[name]) for name in contestants},
        "minilm": compare(seconds, vectors, "minilm"),
        "float32": compare(seconds, vectors, "float32"),
    }
    show(result)
    leave_record(options, dataset=dataset(result), claims=claims(result), limits=limits(result), measured=result)


def dataset(result: dict[str, Any]) -> str:
    return f"{result['sentences']:,} sentences of {result['source']}"


def claims(result: dict[str, Any]) -> list[Claim]:
    halved = result["precision"] == "bfloat16"
    reference = "SentenceTransformer.encode, defaults, same weights and sentences"
    return [
        Claim(
            what=f"Encoding with minilm in {result['precision']}, sentences per second",
            figure=result["minilm"]["ratio"],
            reference=reference,
            at_least=1.5 if halved else 1.0,
        ),
        Claim(
            what="Encoding with minilm in float32, sentences per second",
            figure=result["float32"]["ratio"],
            reference=reference,
            at_least=1.0,
        ),
        Claim(
            what="Lowest cosine of a minilm vector to the library's",
            figure=result["minilm"]["cosine_min"],
            unit="cosine",
            reference=reference,
            at_least=0.9999,
        ),
    ]


def limits(result: dict[str, Any]) -> list[str]:
    return [
        f"Seconds are those of the {result['clock']} clock, on one machine, for one encoder.",
        "The library sorts and pads each block of sentences; one call with all sentences would pad a little less.",
    ]


def parse() -> argparse.Namespace:
    parser = options_of("encoding", __doc__)
    parser.add_argument("--sentences", type=int, default=5120)
    parser.add_argument("--block", type=int, default=512)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    return parser.parse_args()


def race(
    contestants: dict[str, Encode], blocks: list[list[str]], clock: Callable[[], float]
) -> tuple[dict[str, list[float]], dict[str, np.ndarray]]:
    """Seconds of each block by contestant, and all vectors by contestant; one small block first, uncounted."""
    for encode in contestants.values():
        encode(blocks[0][:32])
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    vectors: dict[str, list[np.ndarray]] = {name: [] for name in contestants}
    names = list(contestants)
    for number, block in enumerate(blocks):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            start = clock()
            vectors[name].append(contestants[name](block))
            seconds[name].append(clock() - start)
    return seconds, {name: np.concatenate(parts) for name, parts in vectors.items()}


def speed(blocks: list[list[str]], seconds: list[float]) -> float:
    return round(statistics.median(len(block) / taken for block, taken in zip(blocks, seconds, strict=True)), 1)


def compare(seconds: dict[str, list[float]], vectors: dict[str, np.ndarray], name: str) -> dict[str, float]:
    ratios = [theirs / ours for theirs, ours in zip(seconds[REFERENCE], seconds[name], strict=True)]
    cosines = np.einsum("nd,nd->n", vectors[name], vectors[REFERENCE])
    return {
        "ratio": round(statistics.median(ratios), 3),
        "ratio_lowest_block": round(min(ratios), 3),
        "ratio_highest_block": round(max(ratios), 3),
        "cosine_min": round(float(cosines.min()), 7),
        "cosine_mean": round(float(cosines.mean()), 7),
    }


def show(result: dict[str, Any]) -> None:
    print(f"{result['sentences']} sentences of {result['source']}, {result['mean_characters']} characters on average")
    for name, per_second in result["sentences_per_second"].items():
        print(f"  {name:24s} {per_second:8.1f} sentences/s")
    for name in ("minilm", "float32"):
        row = result[name]
        precision = result["precision"] if name == "minilm" else "float32"
        print(
            f"{name} ({precision}) / {REFERENCE}: {row['ratio']:.2f}x "
            f"(blocks {row['ratio_lowest_block']:.2f} .. {row['ratio_highest_block']:.2f}), "
            f"cosine min {row['cosine_min']:.6f} mean {row['cosine_mean']:.6f}"
        )


if __name__ == "__main__":
    main()
