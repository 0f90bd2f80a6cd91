"""Does a decoder give back what its encoder was given? A few texts go there and back before it may decode.

Equal dimensions prove nothing: at another encoder's vectors a decoder writes fluent texts about something else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nextvec.decoding.decoder import Decoder
from nextvec.encoders.encoder import Encoder
from nextvec.errors import MismatchError

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


def require_round_trip(
    decoder: Decoder, encoder: Encoder, texts: Sequence[str] = TEXTS, *, owner: str, least: float | None = None
) -> float:
    """The mean cosine between texts and what the decoder writes for their vectors.

    Args:
        owner: the decoder's name, for the message.
        least: LEAST, unless less is known of this decoder.

    Raises MismatchError with the figure where it is below that.
    """
    needed = LEAST if least is None else min(LEAST, least)
    vectors, found, taken = encoder.encode(texts), -1.0, 0
    for steps in STEPS:
        taken = min(steps, decoder.max_steps)
        found = float(np.mean([one.cosine or 0.0 for one in decoder.decode(vectors, steps=taken)]))
        if found >= needed:
            return found
    raise MismatchError(
        f"{owner}: {len(texts)} texts came back at a cosine of {found:.3f} after {taken} corrections, expected "
        f"{needed:.2f} or more. Its weights were trained on vectors of another encoder than "
        f"{encoder.spec.describe()}, or are damaged. Give it its own encoder, or download it again"
    )
