"""Hypotheses to correct: what the inverter itself writes for training chunks, encoded again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
from nextvec.training.inverter.chunks import Chunks, Ints, Texts, make_hypothesis

BATCH = {"cpu": 256, "cuda": 4096}
"""Texts that are written side by side, by the type of device."""
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
    before: Chunks | None = None,
    autocast: AbstractContextManager[object] | None = None,
    on_progress: Report | None = None,
) -> Chunks:
    """A text for every chunk's vector, drawn at temperature 0.7, and that text's own vector.

    With the hypotheses of `before` every second text is drawn as a correction of the chunk's. `autocast` is entered for
    writing alone: the encoder has its own precision.
    """
    device = network.bias.device
    noise = drawn(TEMPERATURE, seed, device)
    written: Rows = [[]] * len(chunks)
    # Of like length together: a batch costs as many steps as its longest text has tokens.
    order = np.argsort(chunks.texts.lengths, kind="stable").astype(np.int64)
    parts: list[tuple[Ints, Chunks | None]] = [(order, None)]
    if before is not None:
        parts = [(order[::2], None), (order[1::2], before)]
    done = 0
    with autocast or nullcontext():
        for numbers, given in _batches(parts, BATCH[device.type]):
            target = torch.from_numpy(chunks.vectors[numbers].astype(np.float32)).to(device)
            hypothesis = None if given is None else make_hypothesis(given, numbers).to(device)
            rows = generate(network, target, hypothesis, noise)
            for number, row in zip(numbers.tolist(), rows, strict=True):
                written[number] = row
            done += len(rows)
            if on_progress:
                on_progress(done, len(order))
    vectors = encode_written(encoder.encode, vocabulary.decode(written), encoder.spec.dim)
    return Chunks(texts=Texts.of(written), vectors=vectors)


def _batches(parts: Sequence[tuple[Ints, Chunks | None]], size: int) -> Iterator[tuple[Ints, Chunks | None]]:
    """At most `size` numbers at a time, each with what its part corrects."""
    for numbers, given in parts:
        for first in range(0, len(numbers), size):
            yield numbers[first : first + size], given


def save_hypotheses(path: Path, hypotheses: Chunks) -> None:
    texts = hypotheses.texts
    content = save({"tokens": texts.tokens, "offsets": texts.offsets, "vectors": hypotheses.vectors})
    write_atomic(path, content)


def load_hypotheses(path: Path) -> Chunks:
    saved = load_file(path)
    return Chunks(texts=Texts(tokens=saved["tokens"], offsets=saved["offsets"]), vectors=saved["vectors"])
