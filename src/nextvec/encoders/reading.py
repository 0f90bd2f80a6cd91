"""How an encoder is read: with a prompt before each text, fewer tokens of it, fewer dimensions of its vector.

Each makes other vectors of the same weights, and so another encoder with another fingerprint. E5 and BGE want prompts
(`query: `, `passage: `). Dimensions are for models whose first ones were trained to do without the others (Kusupati et
al. 2022, "Matryoshka Representation Learning"): the vector is cut last, after pooling and projection, and scaled to
norm 1 again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from nextvec.config import Config, with_query
from nextvec.encoders.encoder import Encoder, EncoderSpec, Progress, golden_sketch, require_texts
from nextvec.encoders.lengths import TokenLimited
from nextvec.errors import RefusedTextsError, UsageError


class Reading(Config):
    """What every encoder can be told. `identity`: the options that make another encoder of it."""

    identity: ClassVar[tuple[str, ...]] = ("prompt", "dim")

    prompt: str | None = Field(default=None, description="words before every text, as they are: `query: `")
    dim: int | None = Field(default=None, ge=2, description="components kept of a vector, the first ones")

    def said(self) -> dict[str, Any]:
        """The options of `identity` that are not as they are by default."""
        chosen = self.model_dump(exclude_defaults=True)
        return {name: chosen[name] for name in self.identity if name in chosen}


class LimitedReading(Reading):
    """For encoders that count tokens."""

    identity: ClassVar[tuple[str, ...]] = (*Reading.identity, "max_length")

    max_length: int | None = Field(default=None, ge=3, description="tokens kept of a text, special ones included")

    def tokens(self, usual: int | None, most: int | None, *, owner: str) -> int | None:
        """How many are kept of a text: as asked, or as usual. Raises UsageError for more than `most`."""
        if self.max_length is None:
            return usual
        if most is not None and self.max_length > most:
            raise UsageError(f"{owner}: max_length = {self.max_length}, but it reads {most} tokens of a text at most")
        return self.max_length


def as_read(encoder: Encoder, reading: Reading) -> Encoder:
    """The encoder in that reading; itself where nothing is said of it.

    Raises UsageError for more dimensions than it has, or a prompt that leaves no room for a text.
    """
    if not reading.said():
        return encoder
    return (
        _LimitedReadEncoder(encoder, reading) if isinstance(encoder, TokenLimited) else _ReadEncoder(encoder, reading)
    )


class _ReadEncoder:
    """What its loader has not done itself, as its spec tells: the prompt, the dimensions."""

    def __init__(self, encoder: Encoder, reading: Reading) -> None:
        spec = encoder.spec
        self._encoder = encoder
        self._prompt = "" if reading.prompt in (None, spec.prompt) else reading.prompt
        self._dim = reading.dim or spec.dim
        if self._dim > spec.dim:
            raise UsageError(f"{spec.name}: dim = {self._dim}, but its vectors have {spec.dim} components")
        self.spec: EncoderSpec = self._described(spec, reading)
        self.spec = self.spec.model_copy(update={"golden": golden_sketch(self)})

    def _described(self, spec: EncoderSpec, reading: Reading) -> EncoderSpec:
        changed: dict[str, Any] = {
            name: with_query(getattr(spec, name), reading.said()) for name in ("name", "reference")
        }
        changed |= {"prompt": reading.prompt} if self._prompt else {}
        if self._dim < spec.dim:
            changed |= {"dim": self._dim, "whole_dim": spec.dim}
        unmeasured = {"mean_norm": None} if self._prompt or self._dim < spec.dim else {}
        return spec.model_copy(update=changed | unmeasured)

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """float32 (N, D), unit norm, in order.

        Raises RefusedTextsError for texts that the encoder refuses, or whose first components are all zero.
        """
        require_texts(texts)
        refused: dict[int, str] = {}
        try:
            vectors = self._encoder.encode([self._prompt + text for text in texts], on_progress)
        except RefusedTextsError as refusal:
            vectors, refused = refusal.vectors, dict(refusal.reasons)
        cut = vectors[:, : self._dim]
        norms = np.linalg.norm(cut, axis=1, keepdims=True)
        without = f"has no direction in its first {self._dim} components"
        refused |= {int(row): without for row in np.flatnonzero(norms == 0)}
        cut = cut / np.where(norms == 0, np.nan, norms)
        if refused:
            raise RefusedTextsError.of(self.spec.name, texts, refused, cut)
        return cut


class _LimitedReadEncoder(_ReadEncoder):
    """The same, of an encoder that counts tokens."""

    def __init__(self, encoder: TokenLimited, reading: Reading) -> None:
        super().__init__(encoder, reading)
        self._counting = encoder
        limit, taken = self.spec.max_length, int(self.count_tokens([""])[0])
        if limit is not None and taken >= limit:
            raise UsageError(
                f"{self.spec.name}: the prompt has {taken} of the {limit} tokens that are read, which leaves none for "
                "a text. Take a shorter prompt, or a larger max_length"
            )

    def count_tokens(self, texts: Sequence[str]) -> np.ndarray:
        """int64 (N,): tokens of each whole text, those of the prompt and special ones included."""
        return self._counting.count_tokens([self._prompt + text for text in texts])
