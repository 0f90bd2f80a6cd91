"""SONAR's decoder as a writer of texts for unit vectors: M2M100's decoder reads one vector in place of states.

Shape suffixes: N vectors, D their size, B hypotheses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers.modeling_outputs import BaseModelOutput

from nextvec.decoding.correction import CorrectingDecoder, Vectors
from nextvec.device import fastest
from nextvec.encoders.encoder import Encoder, EncoderSpec
from nextvec.encoders.inference.m2m100 import DECODER, half_folder, load_m2m100_decoder, load_nllb_tokenizer
from nextvec.encoders.inference.weights import weight_files
from nextvec.encoders.licence import say_licence
from nextvec.encoders.sonar import NAME, NON_COMMERCIAL, TERMS, language_of
from nextvec.errors import MismatchError
from nextvec.fingerprint import fingerprint, sha256_file

TOGETHER = 16
"""Vectors that are written for at a time."""


def require_sonar(spec: EncoderSpec) -> None:
    """Raises MismatchError, naming the encoder, unless it is SONAR's, whole, without a prompt, its mean norm known."""
    plain = (spec.projection, spec.prompt, spec.whole_dim) == ("none", "", None)
    if spec.name.partition("?")[0] != NAME or not plain or spec.mean_norm is None:
        raise MismatchError(
            f"SONAR's decoder reads vectors of SONAR's encoder (all dimensions, no prompt); these are of "
            f"{spec.describe()}. Encode with sonar:FOLDER, or: nextvec train-inverter"
        )


def sonar_decoder(
    name: str, encoder: Encoder, vectors_of: EncoderSpec, *, beam: int = 5, longest: int = 128
) -> CorrectingDecoder:
    """The decoder in a folder or on the hub; it writes the language that `encoder` reads, and corrects nothing.

    Args:
        encoder: SONAR's, for the texts that are written.
        vectors_of: spec of the encoder whose vectors will be decoded: the same weights, in any language.
        beam: texts proposed for a vector.
        longest: tokens of a text.

    Raises MismatchError for vectors of other weights or another size; what the loader raises.
    """
    if (encoder.spec.weights_hash, encoder.spec.dim) != (vectors_of.weights_hash, vectors_of.dim):
        raise MismatchError(
            f"the encoder at hand is {encoder.spec.describe()}, the corpus has vectors of {vectors_of.describe()}: "
            "they have other weights"
        )
    writer = SonarWriter(name, vectors_of, language_of(encoder.spec), beam=beam, longest=longest)
    return CorrectingDecoder(writer, encoder, max_steps=0)


class SonarWriter:
    """See `Writer`. Unit vectors are brought to the mean norm of the encoder's before they are read."""

    def __init__(self, name: str, spec: EncoderSpec, language: str, *, beam: int, longest: int) -> None:
        folder = half_folder(name, DECODER)
        self._device = fastest()
        self._tokenizer = load_nllb_tokenizer(folder, language)
        self._model: Any = load_m2m100_decoder(folder).to(self._device)
        say_licence(NAME, NON_COMMERCIAL, TERMS)
        self.dim = int(self._model.config.d_model)
        if self.dim != spec.dim:
            raise MismatchError(f"sonar:{name} reads {self.dim}-D vectors, the corpus has {spec.dim}-D ones")
        assert spec.mean_norm is not None, "require_sonar asks for it"
        self._norm, self._beam, self._longest = spec.mean_norm, beam, longest
        self._language = self._tokenizer.convert_tokens_to_ids(language)
        weights = fingerprint([sha256_file(path) for path in weight_files(folder)])
        self.name = f"sonar:{weights}:{language}:{beam}:{longest}"

    def begin(self, target_ND: Vectors) -> list[list[str]]:
        parts = [target_ND[first : first + TOGETHER] for first in range(0, len(target_ND), TOGETHER)]
        return [texts for part in parts for texts in self._write(part)]

    def correct(self, target_ND: Vectors, texts: Sequence[str], encoded_ND: Vectors) -> list[list[str]]:
        raise NotImplementedError("SONAR has no corrector; CorrectingDecoder.max_steps is 0")

    @torch.inference_mode()
    def _write(self, target_ND: Vectors) -> list[list[str]]:
        states_N1D = torch.from_numpy(target_ND).to(self._device)[:, None] * self._norm
        ids = self._model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=states_N1D),
            attention_mask=torch.ones(len(states_N1D), 1, dtype=torch.long, device=self._device),
            forced_bos_token_id=self._language,
            do_sample=False,
            num_beams=self._beam,
            num_return_sequences=self._beam,
            max_new_tokens=self._longest,
        )
        texts = self._tokenizer.batch_decode(ids, skip_special_tokens=True)
        return [texts[first : first + self._beam] for first in range(0, len(texts), self._beam)]
