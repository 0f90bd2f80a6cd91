"""`vec2text:FOLDER`: texts written by the public pre-trained decoders of GTR's vectors, or others saved as they are."""

from __future__ import annotations

from nextvec.decoding import DECODERS
from nextvec.decoding.decoder import Decoder, Surroundings
from nextvec.errors import UsageError


@DECODERS.register("vec2text")
def build_vec2text(argument: str, given: Surroundings) -> Decoder:
    """`argument`: a folder that holds `inverter/` and `corrector/`, or INVERTER,CORRECTOR, two names on the hub.

    Raises UsageError without one, MismatchError unless the snapshot's encoder is GTR without a Dense layer and a few
    texts survive the round trip (`gate.py`), and what `load_vec2text` raises.
    """
    if not argument:
        raise UsageError(
            "decoder 'vec2text': which weights? vec2text:FOLDER with inverter/ and corrector/ in it, or "
            "vec2text:INVERTER,CORRECTOR, two names on the Hugging Face hub"
        )
    from nextvec.decoding.gate import TEXTS, require_round_trip
    from nextvec.decoding.vec2text.checkpoint import load_vec2text
    from nextvec.decoding.vec2text.writer import require_gtr, vec2text_decoder
    from nextvec.encoders import load_encoder

    require_gtr(given.snapshot.encoder)
    encoder = given.encoder or load_encoder(given.snapshot.encoder.reference)
    decoder = vec2text_decoder(load_vec2text(argument), encoder, given.snapshot.encoder)
    require_round_trip(decoder, encoder.encode(TEXTS), encoder.spec, owner=f"vec2text:{argument}")
    return decoder
