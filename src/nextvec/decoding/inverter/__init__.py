"""`inverter:ID`: texts written by a network that was trained on a corpus's own chunks and vectors, for any encoder."""

from __future__ import annotations

from nextvec.decoding import DECODERS
from nextvec.decoding.decoder import Decoder, Surroundings
from nextvec.errors import UsageError

KEPT = 0.75
"""Of the round-trip cosine that was recorded on validation texts, so much at least comes back of a few chunks."""


@DECODERS.register("inverter")
def build_inverter(argument: str, given: Surroundings) -> Decoder:
    """`argument`: a model of the workspace, or hf:NAME[@REV] of the hub.

    Raises UsageError without one, MismatchError when a few chunks of the corpus come back worse than those did on which
    it was validated, and what `adopted` and `load_inverter` raise.
    """
    if not argument:
        raise UsageError(
            "decoder 'inverter': which one? Name it as inverter:ID; train one with: nextvec train-inverter"
        )
    from nextvec.adoption import adopted
    from nextvec.decoding.gate import require_round_trip, spread_vectors
    from nextvec.decoding.inverter.bundle import load_inverter
    from nextvec.decoding.inverter.writer import inverter_decoder
    from nextvec.device import chosen
    from nextvec.encoders import load_encoder
    from nextvec.workspace import Workspace

    workspace = given.workspace or Workspace()
    folder = workspace.model(adopted(workspace, argument))
    encoder = given.encoder or load_encoder(given.snapshot.encoder.reference)
    inverter = load_inverter(folder, chosen() or "cpu")
    decoder = inverter_decoder(inverter, encoder, given.snapshot.encoder)
    recorded = inverter.metrics.get("round_trip")
    least = None if recorded is None else KEPT * recorded
    require_round_trip(decoder, spread_vectors(given.snapshot), encoder.spec, owner=f"inverter:{argument}", least=least)
    return decoder
