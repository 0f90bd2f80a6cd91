"""`inverter:ID`: texts written by a network that was trained on a corpus's own chunks and vectors, for any encoder."""

from __future__ import annotations

from nextvec.decoding import DECODERS
from nextvec.decoding.decoder import Decoder, Surroundings
from nextvec.errors import UsageError


@DECODERS.register("inverter")
def build_inverter(argument: str, given: Surroundings) -> Decoder:
    """`argument`: a model of the workspace. Raises UsageError without one, and what `load_inverter` raises."""
    if not argument:
        raise UsageError(
            "decoder 'inverter': which one? Name it as inverter:ID; train one with: nextvec train-inverter"
        )
    from nextvec.decoding.inverter.bundle import load_inverter
    from nextvec.decoding.inverter.writer import inverter_decoder
    from nextvec.device import chosen
    from nextvec.encoders import load_encoder
    from nextvec.workspace import Workspace

    folder = (given.workspace or Workspace()).model(argument)
    encoder = given.encoder or load_encoder(given.snapshot.encoder.reference)
    return inverter_decoder(load_inverter(folder, chosen() or "cpu"), encoder, given.snapshot.encoder)
