"""The pre-trained inverter and corrector as a writer of texts for GTR's vectors, and the decoder that uses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nextvec.decoding.correction import CorrectingDecoder, Vectors
from nextvec.decoding.vec2text.checkpoint import Vec2Text
from nextvec.encoders.encoder import Encoder, EncoderSpec, require_same_encoder
from nextvec.errors import MismatchError, UsageError

GTR = "gtr-t5-base"
LONGEST = 128
"""Tokens that the encoder reads, and the most that are written."""
NO_REPEAT = 3
"""A run of so many tokens is not written twice."""


def require_gtr(spec: EncoderSpec) -> None:
    """Raises MismatchError, naming the encoder, unless it is GTR's T5 encoder: masked mean, no Dense layer, mean norm.

    The same model with its Dense layer decodes at a cosine of 0.076 in place of 0.63 to 0.85.
    """
    plain = (spec.pooling, spec.projection, spec.prompt, spec.whole_dim) == ("mean", "none", "", None)
    if spec.name.partition("?")[0] != GTR or not plain:
        raise MismatchError(
            f"vec2text decodes vectors of {GTR} (mean pooling, no Dense layer, no prompt, all dimensions); these are "
            f"of {spec.describe()}, pooling {spec.pooling}, projection {spec.projection}. Encode with {GTR}, or: "
            "nextvec train-inverter"
        )
    if spec.mean_norm is None:
        raise MismatchError(f"{spec.describe()} records no mean norm, which vec2text needs. Encode with {GTR} again.")


def vec2text_decoder(
    models: Vec2Text, encoder: Encoder, vectors_of: EncoderSpec | None = None, *, candidates: int = 1, beam: int = 1
) -> CorrectingDecoder:
    """The decoder of the pre-trained weights.

    Args:
        models: inverter and corrector.
        encoder: encodes texts again.
        vectors_of: spec of the encoder whose vectors will be decoded; None means `encoder`'s own.
        candidates: texts proposed at a time, see `Vec2TextWriter`.
        beam: hypotheses corrected side by side.

    Raises MismatchError unless both encoders are the same GTR.
    """
    require_gtr(encoder.spec)
    require_same_encoder(
        encoder.spec, vectors_of or encoder.spec, left_name="the encoder at hand", right_name="the corpus"
    )
    if encoder.spec.dim != models.dim:
        raise MismatchError(f"vec2text's weights read {models.dim}-D vectors, {encoder.spec.describe()} gives others")
    assert encoder.spec.mean_norm is not None, "require_gtr asks for it"
    return CorrectingDecoder(Vec2TextWriter(models, encoder.spec.mean_norm, candidates), encoder, beam=beam)


class Vec2TextWriter:
    """See `Writer`. Unit vectors are brought to the norm that the weights were trained on.

    Args:
        norm: mean norm of the encoder's vectors before normalisation.
        candidates: texts for each vector, the best of a beam search over tokens that is as wide.
    """

    def __init__(self, models: Vec2Text, norm: float, candidates: int = 1) -> None:
        if candidates < 1:
            raise UsageError(f"candidates = {candidates}: expected 1 text or more")
        self._models, self._norm, self._candidates = models, norm, candidates
        self.name = f"vec2text:{models.weights}:{candidates}"
        self.dim = models.dim
        self._device = models.inverter.encoder_decoder.device

    @torch.inference_mode()
    def begin(self, target_ND: Vectors) -> list[list[str]]:
        inverter = self._models.inverter
        return self._generate(inverter.encoder_decoder, *inverter.inputs(self._scaled(target_ND)))

    @torch.inference_mode()
    def correct(self, target_ND: Vectors, texts: Sequence[str], encoded_ND: Vectors) -> list[list[str]]:
        corrector = self._models.corrector
        tokens = self._models.tokenizer(
            list(texts), padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
        ).to(self._device)
        inputs = corrector.inputs(
            self._scaled(target_ND), self._scaled(encoded_ND), tokens["input_ids"], tokens["attention_mask"]
        )
        return self._generate(corrector.encoder_decoder, *inputs)

    def _scaled(self, unit_ND: Vectors) -> Tensor:
        return torch.from_numpy(unit_ND).to(self._device) * self._norm

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
