"""What an encoder is, what identifies it, and the check that no two are ever mixed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from pydantic import Field

from nextvec.config import Config
from nextvec.encoders.golden import GOLDEN_SENTENCES, Sketch, sketch_distance, sketch_vectors
from nextvec.errors import DataError, MismatchError, RefusedTextsError, UsageError
from nextvec.fingerprint import fingerprint

GOLDEN_TOLERANCE = 0.05
_IDENTITY = ("dim", "pooling", "prompt", "projection", "whole_dim", "normalised", "max_length", "weights_hash")

Progress = Callable[[int, int], None]
"""Called with (texts done, texts in all), `done` rising to `all`."""


class EncoderSpec(Config):
    """Everything that decides which vector a text becomes, and how to get the encoder again.

    Two encoders are the same when their fingerprints are equal and their golden sketches agree. The fingerprint
    covers dim, pooling, prompt, projection, normalisation, maximum length and the hash of the weights. Names,
    revisions, references and licences are labels: the same weights under another name are the same encoder. Measured
    numbers (`golden`, `mean_norm`) differ in the last digits between CPUs and precisions, where no rounding is safe
    inside a hash; therefore they stay outside it and are compared with a tolerance.

    Attributes:
        name: for people, e.g. "minilm".
        reference: what `load_encoder` takes to load it again; empty when nothing can.
        revision: version or commit of the weights, as far as their origin states one.
        dim: length D of a vector.
        pooling: from token states to one vector: "mean", "cls", "mean+max", ... or "none".
        prompt: stands before every text.
        projection: what follows the pooling: "none", or each layer with the hash of its weights.
        whole_dim: length of the vectors of which the first `dim` components are kept; None where all are.
        normalised: the encoder's vectors have norm 1.
        max_length: tokens kept of a text, special tokens included; None when the encoder has no limit of its own.
        weights_hash: of the weights; for weights that cannot be seen, "declared:" and the model's name.
        mean_norm: mean norm of the golden sentences' vectors before normalisation: decoders that expect vectors
            that are not normalised multiply by it. None when it cannot be measured.
        golden: sketch of the golden sentences' vectors (golden.py); empty when it was not measured.
        licence: of the weights, where it forbids something that people do with models.
    """

    name: str
    dim: int = Field(gt=0)
    reference: str = ""
    revision: str = ""
    pooling: str = "mean"
    prompt: str = ""
    projection: str = "none"
    whole_dim: int | None = Field(default=None, gt=0)
    normalised: bool = True
    max_length: int | None = Field(default=None, gt=0)
    weights_hash: str = ""
    mean_norm: float | None = Field(default=None, gt=0)
    golden: Sketch = ()
    licence: str = ""

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits, equal on every machine for the same encoder."""
        return fingerprint(
            {
                "dim": self.dim,
                "pooling": self.pooling + (f" after prompt {self.prompt!r}" if self.prompt else ""),
                "projection": self.projection + (f" + first {self.dim} of {self.whole_dim}" if self.whole_dim else ""),
                "normalised": self.normalised,
                "max_length": self.max_length,
                "weights_hash": self.weights_hash,
            }
        )

    def describe(self) -> str:
        return f"{self.name} {self.dim}-D (fingerprint {self.fingerprint})"


class Encoder(Protocol):
    """Texts to unit vectors."""

    @property
    def spec(self) -> EncoderSpec: ...

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """float32 (N, D), every row of norm 1, row i for text i, the same however the texts are batched.

        Raises DataError for an empty text, RefusedTextsError when some cannot be encoded and the others are.
        """
        ...


_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


def require_list(texts: Sequence[str]) -> None:
    """Raises UsageError for one string in place of a list of them, the mistake that silently encodes its letters, and
    for what has no order or can be read once alone."""
    if isinstance(texts, str):
        raise UsageError(f"encode takes a list of texts, got one string ({texts[:40]!r}). Put it in a list.")
    if isinstance(texts, Mapping) or not (hasattr(texts, "__len__") and hasattr(texts, "__getitem__")):
        raise UsageError(f"encode takes a list of texts, got a {type(texts).__name__}. Make a list of it: list(...)")


def require_texts(texts: Sequence[str]) -> None:
    """Raises what `require_list` raises, and DataError for what is no text, for an empty one, which would get a vector
    that says nothing, and for half a surrogate pair, which no tokenizer reads."""
    require_list(texts)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(f"text {number} of {len(texts)} is a {type(text).__name__}, expected a string")
        if not text or text.isspace():
            raise DataError(f"text {number} of {len(texts)} is empty, expected some words. Leave it out")
        if not text.isascii() and (half := _HALF_A_PAIR.search(text)):
            raise DataError(
                f"text {number} of {len(texts)} has half a surrogate pair at character {half.start()}: it was not read "
                "in the encoding that it has. Read it as UTF-8, or in its own"
            )


def require_same_encoder(left: EncoderSpec, right: EncoderSpec, *, left_name: str, right_name: str) -> None:
    """Raises MismatchError naming both sides and what differs, unless both specs are of one encoder."""
    same = left.fingerprint == right.fingerprint
    differences = [field for field in _IDENTITY if not same and getattr(left, field) != getattr(right, field)]
    if same and left.golden and right.golden:
        differences = _golden_difference(left.golden, right.golden)
    if differences:
        raise MismatchError(
            f"{left_name} uses encoder {left.describe()}, {right_name} uses {right.describe()}: "
            f"they differ in {', '.join(differences)}. Vectors of two encoders cannot be mixed: "
            "encode both with the same one."
        )


def verify_golden(encoder: Encoder, recorded: EncoderSpec) -> None:
    """Encode the golden sentences now and compare with what `recorded` says of them.

    Catches what no hash can see: a server whose model was exchanged, a library that computes something else since.
    Raises MismatchError when the encoder is another one or its vectors have moved by more than GOLDEN_TOLERANCE.
    """
    measured = encoder.spec.model_copy(update={"golden": golden_sketch(encoder)})
    require_same_encoder(measured, recorded, left_name="the encoder as it answers now", right_name="the record")


def golden_sketch(encoder: Encoder) -> Sketch:
    """Of the golden sentences as `encoder` encodes them now; zero for those that it refuses."""
    try:
        return sketch_vectors(encoder.encode(GOLDEN_SENTENCES))
    except RefusedTextsError as refusal:
        return sketch_vectors(np.nan_to_num(refusal.vectors))


def _golden_difference(left: Sketch, right: Sketch) -> list[str]:
    distance = sketch_distance(left, right)
    return [] if distance <= GOLDEN_TOLERANCE else [f"the vectors of the golden sentences (by {distance:.0%})"]
