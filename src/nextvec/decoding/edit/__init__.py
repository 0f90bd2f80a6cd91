"""`edit?steps=12`: the nearest stored chunk, edited towards the vector with words of the next nearest ones."""

from __future__ import annotations

from nextvec.config import parse_query
from nextvec.decoding import DECODERS
from nextvec.decoding.decoder import Decoder, Surroundings
from nextvec.errors import UsageError

OWNER = "decoder 'edit'"


@DECODERS.register("edit")
def build_edit(argument: str, given: Surroundings) -> Decoder:
    """`argument`: nothing but options after a question mark, see `EditOptions`.

    Raises UsageError for anything else, MismatchError when the encoder is not the snapshot's, DataError for a corpus
    whose training documents do not show what is fluent, and what `split_snapshot` raises.
    """
    body, query = parse_query(argument, owner=OWNER)
    if body:
        raise UsageError(f"{OWNER}: '{body}' given, expected options alone, for example edit?steps=12")
    from nextvec.decoding.edit.bank import EditOptions, fluency_of, untrained
    from nextvec.decoding.edit.search import EditDecoder
    from nextvec.encoders import load_encoder
    from nextvec.encoders.encoder import require_same_encoder

    options = EditOptions.parse(query, owner=OWNER)
    snapshot = given.snapshot
    encoder = given.encoder or load_encoder(snapshot.encoder.reference)
    require_same_encoder(encoder.spec, snapshot.encoder, left_name="the encoder at hand", right_name=snapshot.label)
    held_out = untrained(snapshot)
    excluded = held_out if options.bank == "train" else None
    return EditDecoder(snapshot, given.index, encoder.encode, fluency_of(snapshot, held_out), excluded, options)
