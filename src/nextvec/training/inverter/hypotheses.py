"""Hypotheses to correct: what the inverter itself writes for training chunks, encoded again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save

from nextvec.decoding.correction import encode_written
from nextvec.decoding.inverter.generation import Rows, drawn, generate
from nextvec.decoding.inverter.network import InverterNetwork
from nextvec.decoding.inverter.vocabulary import Vocabulary
from nextvec.encoders.encoder import Encoder
from nextvec.records import write_atomic
from nextvec.training.inverter.chunks import Chunks, Ints, Texts

BATCH = 256
TEMPERATURE = 0.7

Report = Callable[[int, int], None]


def choose(chunks: Chunks, count: int, seed: int) -> Ints:
    """Numbers of at most `count` chunks, drawn without replacement, ascending."""
    drawn = np.random.default_rng([seed, 3]).choice(len(chunks), size=min(count, len(chunks)), replace=False)
    return np.sort(drawn).astype(np.int64)


def write_hypotheses(
    network: InverterNetwork,
    vocabulary: Vocabulary,
    encoder: Encoder,
    chunks: Chunks,
    *,
    seed: int,
    autocast: AbstractContextManager[object] | None = None,
    on_progress: Report | None = None,
) -> Chunks:
    """A text for every chunk's vector, drawn at temperature 0.7, and that text's own vector.

    `autocast` is entered for writing alone: the encoder has its own precision.
    """
    device = network.bias.device
    noise = drawn(TEMPERATURE, seed, device)
    rows: Rows = []
    # Of like length together: a batch costs as many steps as its longest text has tokens.
    order = np.argsort(chunks.texts.lengths, kind="stable")
    with autocast or nullcontext():
        for first in range(0, len(order), BATCH):
            target = torch.from_numpy(chunks.vectors[order[first : first + BATCH]].astype(np.float32)).to(device)
            rows += generate(network, target, noise=noise)
            if on_progress:
                on_progress(len(rows), len(order))
    written: Rows = [[] for _ in rows]
    for number, row in zip(order.tolist(), rows, strict=True):
        written[number] = row
    vectors = encode_written(encoder.encode, vocabulary.decode(written), encoder.spec.dim)
    return Chunks(texts=Texts.of(written), vectors=vectors)


def save_hypotheses(path: Path, hypotheses: Chunks) -> None:
    texts = hypotheses.texts
    content = save({"tokens": texts.tokens, "offsets": texts.offsets, "vectors": hypotheses.vectors})
    write_atomic(path, content)


def load_hypotheses(path: Path) -> Chunks:
    saved = load_file(path)
    return Chunks(texts=Texts(tokens=saved["tokens"], offsets=saved["offsets"]), vectors=saved["vectors"])
