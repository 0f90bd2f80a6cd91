"""The trained inverter as a decoder: generate, encode, correct."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from nextvec.decoding.correction import Vectors, refine
from nextvec.decoding.decoder import Decoded, per_vector
from nextvec.decoding.inverter.bundle import Inverter
from nextvec.decoding.inverter.generation import Rows, generate
from nextvec.decoding.inverter.network import BOUNDARY, Hypothesis
from nextvec.decoding.quality import DEFAULT, QualityConfig, judge
from nextvec.encoders.encoder import Encoder, EncoderSpec, require_same_encoder
from nextvec.errors import MismatchError, UsageError

MAX_STEPS = 50
BATCH = 256
SEED = 0


class InverterDecoder:
    """Writes a text for a vector, and corrects it by encoding it again.

    Args:
        inverter: a loaded bundle.
        encoder: encodes texts again; of the inverter's training.
        vectors_of: spec of the encoder whose vectors will be decoded; None means `encoder`'s own.
        candidates: texts proposed at a time: the most probable one, the others drawn at `temperature`.
        beam: hypotheses corrected side by side.
        quality: bounds of the verdict.

    Raises MismatchError when encoder or vectors are not those that the inverter was trained on.
    """

    max_steps = MAX_STEPS

    def __init__(
        self,
        inverter: Inverter,
        encoder: Encoder,
        vectors_of: EncoderSpec | None = None,
        *,
        candidates: int = 4,
        beam: int = 1,
        temperature: float = 0.7,
        quality: QualityConfig = DEFAULT,
    ) -> None:
        if candidates < 1 or beam < 1 or temperature <= 0:
            raise UsageError(
                f"candidates = {candidates}, beam = {beam}, temperature = {temperature}: expected 1 or more, "
                "1 or more, and above 0"
            )
        for spec, name in ((encoder.spec, "the encoder at hand"), (vectors_of or encoder.spec, "the corpus")):
            require_same_encoder(spec, inverter.encoder, left_name=name, right_name=f"inverter {inverter.identity}")
        self._inverter, self._encoder, self._quality = inverter, encoder, quality
        self._candidates, self._beam, self._temperature = candidates, beam, temperature

    @property
    def name(self) -> str:
        return f"inverter:{self._inverter.weights}:{self._candidates}:{self._beam}:{self._temperature}"

    def decode(
        self, vectors: np.ndarray, sources: Sequence[Sequence[str]] | None = None, *, steps: int = 0
    ) -> list[Decoded]:
        """See `Decoder.decode`. Raises UsageError for a number of steps that it cannot take."""
        if not 0 <= steps <= self.max_steps:
            raise UsageError(f"{steps} correction steps asked of the inverter; expected 0 to {self.max_steps}")
        dim = self._inverter.encoder.dim
        if vectors.ndim != 2 or vectors.shape[1] != dim:
            raise MismatchError(f"vectors of shape {vectors.shape}: the inverter reads (vectors, {dim})")
        sources = per_vector(sources, len(vectors))
        refined = refine(
            self, self._encoder.encode, vectors.astype(np.float32, copy=False), steps=steps, beam=self._beam
        )
        return [
            Decoded(
                text=found.best.text,
                verdict=judge(found.best.text, source, self._quality),
                steps=found.steps,
                cosine=found.best.cosine,
            )
            for found, source in zip(refined, sources, strict=True)
        ]

    def begin(self, target_ND: Vectors) -> list[list[str]]:
        """See `Writer`."""
        return self._write(target_ND, None, None)

    def correct(self, target_ND: Vectors, texts: Sequence[str], encoded_ND: Vectors) -> list[list[str]]:
        """See `Writer`."""
        return self._write(target_ND, texts, encoded_ND)

    def _write(self, target_ND: Vectors, texts: Sequence[str] | None, encoded_ND: Vectors | None) -> list[list[str]]:
        """`candidates` texts for each target, the most probable first. The draws are the same at every call."""
        rounds = [self._round(target_ND, texts, encoded_ND, number) for number in range(self._candidates)]
        return [list(proposals) for proposals in zip(*rounds, strict=True)]

    def _round(
        self, target_ND: Vectors, texts: Sequence[str] | None, encoded_ND: Vectors | None, number: int
    ) -> list[str]:
        device = next(self._inverter.network.parameters()).device
        generator = torch.Generator(device).manual_seed(SEED + number)
        rows: Rows = []
        for first in range(0, len(target_ND), BATCH):
            part = slice(first, first + BATCH)
            hypothesis = None
            if texts is not None and encoded_ND is not None:
                hypothesis = self._hypothesis(texts[part], encoded_ND[part])
            rows += generate(
                self._inverter.network,
                torch.from_numpy(target_ND[part]).to(device),
                hypothesis,
                temperature=self._temperature if number else 0.0,
                generator=generator,
            )
        return self._inverter.vocabulary.decode(rows)

    def _hypothesis(self, texts: Sequence[str], encoded_ND: Vectors) -> Hypothesis:
        network = self._inverter.network
        ids = [row[: network.config.longest] for row in self._inverter.vocabulary.encode(texts)]
        tokens_BH = np.full((len(ids), max(1, *map(len, ids))), BOUNDARY, dtype=np.int64)
        keep_BH = np.zeros(tokens_BH.shape, dtype=bool)
        for place, row in enumerate(ids):
            tokens_BH[place, : len(row)], keep_BH[place, : len(row)] = row, True
        device = network.bias.device
        return Hypothesis(*(torch.from_numpy(array).to(device) for array in (tokens_BH, keep_BH, encoded_ND)))
