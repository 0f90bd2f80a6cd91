"""Does a decoder give back what its encoder was given? A few texts go there and back before it may decode.

Equal dimensions prove nothing: at another encoder's vectors a decoder writes fluent texts about something else.
"""

from __future__ import annotations

import numpy as np

from nextvec.decoding.correction import Vectors
from nextvec.decoding.decoder import Decoder
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import MismatchError
from nextvec.store.given import directions
from nextvec.store.snapshot import Snapshot

LEAST = 0.63
"""Mean cosine of the round trip; the public decoders of GTR reach 0.63 to 0.85 at their encoder, 0.076 at another."""
STEPS = (1, 5)
"""Corrections that are tried, the second only where the first do not suffice."""
TEXTS = (
    "The ferry to the island leaves at seven in the morning.",
    "He was elected to the city council in 1998 and served for two terms.",
    "Heavy rain is expected in the north of the country tonight.",
    "The committee will publish its report on the accident next week.",
)


def spread_vectors(snapshot: Snapshot) -> Vectors:
    """Of a few chunks of a corpus, evenly spaced: for decoders that know its words or its language alone."""
    rows = np.unique(np.linspace(0, len(snapshot) - 1, len(TEXTS)).round().astype(int))
    return directions(snapshot.vectors[rows], snapshot.label)


def require_round_trip(
    decoder: Decoder, vectors: Vectors, spec: EncoderSpec, *, owner: str, least: float | None = None
) -> float:
    """The mean cosine between vectors of texts and those of what the decoder writes for them.

    Args:
        decoder: one that encodes its texts again.
        vectors: float32 (N, D), unit norm.
        spec: of their encoder.
        owner: the decoder's name, for the message.
        least: LEAST, unless less is known of this decoder.

    Raises MismatchError with the figure where it is below that.
    """
    needed = LEAST if least is None else min(LEAST, least)
    found, taken = -1.0, 0
    for taken in dict.fromkeys(min(steps, decoder.max_steps) for steps in STEPS):
        found = float(np.mean([one.cosine or 0.0 for one in decoder.decode(vectors, steps=taken)]))
        if found >= needed:
            return found
    raise MismatchError(
        f"{owner}: {len(vectors)} texts came back at a cosine of {found:.3f} after {taken} corrections, expected "
        f"{needed:.2f} or more. Its weights were trained on vectors of another encoder than {spec.describe()}, or are "
        "damaged. Give it its own encoder, or download it again"
    )
