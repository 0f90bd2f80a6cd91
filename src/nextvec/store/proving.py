"""Whether vectors that somebody gives are those of their texts: some of these are encoded again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nextvec.encoders.encoder import Encoder
from nextvec.errors import MismatchError
from nextvec.store.encoded import EncodedDocument

PROVED = 32
"""Chunks of a batch that are encoded again."""
LEAST_COSINE = 0.99


def prove(batch: Sequence[EncodedDocument], name: str, encoder: Encoder) -> int:
    """How many chunks were encoded again: up to `PROVED`, spread over the batch; 0 where none has a text.

    Raises MismatchError, naming the source `name`, where one has another vector.
    """
    chunks = [(one, chunk) for one in batch for chunk in one.chunks if chunk.text.strip()]
    if not chunks:
        return 0
    places = np.unique(np.linspace(0, len(chunks) - 1, PROVED).round().astype(int))
    sample = [chunks[place] for place in places]
    own = encoder.encode([chunk.text for _, chunk in sample])
    given = np.stack([one.vectors[chunk.position] for one, chunk in sample])
    cosines = np.einsum("nd,nd->n", own, given)
    if not (cosines >= LEAST_COSINE).all():
        document, chunk = sample[int(cosines.argmin())]
        raise MismatchError(
            f"{name}: the vectors are not those of {encoder.spec.describe()}: encoding the text of document "
            f"'{document.document.id}', position {chunk.position}, gives another one: cosine {cosines.min():.3f}, the "
            f"lowest of {len(sample)}; expected {LEAST_COSINE} or more. Name the encoder that they are of, or ingest "
            "the texts"
        )
    return len(sample)
