"""An encoder that encodes no text twice: chunkers that cut by vectors have encoded what is stored soon after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nextvec.encoders.encoder import Encoder, Progress
from nextvec.errors import RefusedTextsError


class Remembered:
    """Vectors of `encoder`, by their texts, until they are forgotten."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._dim = encoder.spec.dim
        self._known: dict[str, np.ndarray] = {}

    def learn(self, texts: Sequence[str], on_progress: Progress | None = None) -> None:
        """Encode them together. Those that are refused stay unknown; whoever asks for one is told."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        refused: frozenset[int] = frozenset()
        try:
            vectors = self._encoder.encode(new, on_progress)
        except RefusedTextsError as refusal:
            vectors, refused = refusal.vectors, frozenset(refusal.reasons)
        self._known |= {
            text: vector for row, (text, vector) in enumerate(zip(new, vectors, strict=True)) if row not in refused
        }

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """float32 (N, D), unit norm, in order; only unknown ones are encoded. Raises what `Encoder.encode` raises."""
        rows = [row for row, text in enumerate(texts) if text not in self._known]
        vectors = np.empty((len(texts), self._dim), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._known.get(text, np.nan)
        if not rows:
            return vectors
        try:
            vectors[rows] = self._encoder.encode([texts[row] for row in rows], on_progress)
        except RefusedTextsError as refusal:
            vectors[rows] = refusal.vectors
            reasons = {rows[place]: why for place, why in refusal.reasons.items()}
            raise RefusedTextsError(str(refusal), reasons, vectors) from None
        return vectors

    def forget(self) -> None:
        self._known.clear()
