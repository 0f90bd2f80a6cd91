"""The pre-trained inverter and corrector as a decoder of GTR's vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nextvec.decoding.correction import Vectors, refine
from nextvec.decoding.decoder import Decoded, per_vector
from nextvec.decoding.quality import DEFAULT, QualityConfig, judge
from nextvec.decoding.vec2text.checkpoint import Vec2Text
from nextvec.encoders.encoder import Encoder, EncoderSpec, require_same_encoder
from nextvec.errors import MismatchError, UsageError

GTR = "gtr-t5-base"
MAX_STEPS = 50
LONGEST = 128
"""Tokens that the encoder reads, and the most that are written."""
NO_REPEAT = 3
"""A run of so many tokens is not written twice."""


def require_gtr(spec: EncoderSpec) -> None:
    """Raises MismatchError, naming the encoder, unless it is GTR's T5 encoder: masked mean, no Dense layer, mean norm.

    The same model with its Dense layer decodes at a cosine of 0.076 in place of 0.63 to 0.85.
    """
    if spec.name != GTR or spec.pooling != "mean" or spec.projection != "none":
        raise MismatchError(
            f"vec2text decodes vectors of {GTR} (mean pooling, no Dense layer); these are of {spec.describe()}, "
            f"pooling {spec.pooling}, projection {spec.projection}. Encode with {GTR}, or: nextvec train-inverter"
        )
    if spec.mean_norm is None:
        raise MismatchError(f"{spec.describe()} records no mean norm, which vec2text needs. Encode with {GTR} again.")


class Vec2TextDecoder:
    """Writes a text for a unit vector of GTR and corrects it by encoding it again.

    Unit vectors are multiplied by the encoder's mean norm: the weights were trained on vectors that are not normalised.

    Args:
        models: inverter and corrector.
        encoder: encodes texts again.
        vectors_of: spec of the encoder whose vectors will be decoded; None means `encoder`'s own.
        beam: hypotheses corrected side by side.
        candidates: texts proposed at a time, the best of a beam search over tokens that is as wide.
        quality: bounds of the verdict.

    Raises MismatchError unless both encoders are the same GTR.
    """

    max_steps = MAX_STEPS

    def __init__(
        self,
        models: Vec2Text,
        encoder: Encoder,
        vectors_of: EncoderSpec | None = None,
        *,
        beam: int = 1,
        candidates: int = 1,
        quality: QualityConfig = DEFAULT,
    ) -> None:
        if beam < 1 or candidates < 1:
            raise UsageError(f"beam = {beam}, candidates = {candidates}: expected 1 or more")
        require_gtr(encoder.spec)
        require_same_encoder(
            encoder.spec, vectors_of or encoder.spec, left_name="the encoder at hand", right_name="the corpus"
        )
        if encoder.spec.dim != models.dim:
            raise MismatchError(
                f"vec2text's weights read {models.dim}-D vectors, {encoder.spec.describe()} gives others"
            )
        self._models, self._encoder, self._quality = models, encoder, quality
        self._beam, self._candidates = beam, candidates
        self._norm = float(encoder.spec.mean_norm or 0.0)

    @property
    def name(self) -> str:
        return f"vec2text:{self._models.weights}:{self._candidates}:{self._beam}"

    def decode(
        self, vectors: np.ndarray, sources: Sequence[Sequence[str]] | None = None, *, steps: int = 0
    ) -> list[Decoded]:
        """See `Decoder.decode`. Raises UsageError for a number of steps that it cannot take."""
        if not 0 <= steps <= self.max_steps:
            raise UsageError(f"{steps} correction steps asked of vec2text; expected 0 to {self.max_steps}")
        if vectors.ndim != 2 or vectors.shape[1] != self._models.dim:
            raise MismatchError(f"vectors of shape {vectors.shape}: vec2text reads (vectors, {self._models.dim})")
        sources = per_vector(sources, len(vectors))
        refined = refine(self, self._encoder.encode, vectors.astype(np.float32), steps=steps, beam=self._beam)
        return [
            Decoded(
                text=found.best.text,
                verdict=judge(found.best.text, source, self._quality),
                steps=found.steps,
                cosine=found.best.cosine,
            )
            for found, source in zip(refined, sources, strict=True)
        ]

    @torch.inference_mode()
    def begin(self, target_ND: Vectors) -> list[list[str]]:
        """See `Writer`."""
        inverter = self._models.inverter
        return self._generate(inverter.encoder_decoder, *inverter.inputs(self._scaled(target_ND)))

    @torch.inference_mode()
    def correct(self, target_ND: Vectors, texts: Sequence[str], encoded_ND: Vectors) -> list[list[str]]:
        """See `Writer`."""
        corrector = self._models.corrector
        tokens = self._models.tokenizer(
            list(texts), padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
        )
        inputs = corrector.inputs(
            self._scaled(target_ND), self._scaled(encoded_ND), tokens["input_ids"], tokens["attention_mask"]
        )
        return self._generate(corrector.encoder_decoder, *inputs)

    def _scaled(self, unit_ND: Vectors) -> Tensor:
        return torch.from_numpy(unit_ND) * self._norm

    def _generate(self, t5: Any, x_BSM: Tensor, mask_BS: Tensor) -> list[list[str]]:
        if not len(x_BSM):
            return []
        ids = t5.generate(
            inputs_embeds=x_BSM,
            attention_mask=mask_BS,
            do_sample=False,
            num_beams=self._candidates,
            num_return_sequences=self._candidates,
            no_repeat_ngram_size=NO_REPEAT,
            max_new_tokens=LONGEST,
        )
        texts = self._models.tokenizer.batch_decode(ids, skip_special_tokens=True)
        return [texts[first : first + self._candidates] for first in range(0, len(texts), self._candidates)]
