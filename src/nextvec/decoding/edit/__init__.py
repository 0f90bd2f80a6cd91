"""`edit?steps=12`: the nearest stored chunk, edited towards the vector with words that it tells and those
of the next nearest ones; `edit:inverter:ID?steps=12`: what another decoder wrote, edited so."""

from __future__ import annotations

from nextvec.config import parse_query
from nextvec.decoding import DECODERS, load_decoder
from nextvec.decoding.decoder import Decoder, Surroundings

OWNER = "decoder 'edit'"


@DECODERS.register("edit")
def build_edit(argument: str, given: Surroundings) -> Decoder:
    """`argument`: the decoder that it begins with (none: the nearest stored chunk), and after a question mark options
    of editing, see `EditOptions`; that decoder takes its own defaults.

    Raises UsageError for an unknown one, MismatchError when the encoder is not the snapshot's, DataError for a corpus
    whose training documents do not show what is fluent, and what `split_snapshot` and that decoder raise.
    """
    body, query = parse_query(argument, owner=OWNER)
    from nextvec.decoding.edit.bank import EditOptions, fluency_of, lexicon_of, untrained
    from nextvec.decoding.edit.search import EditDecoder
    from nextvec.encoders import load_encoder
    from nextvec.encoders.encoder import require_same_encoder

    options = EditOptions.parse(query, owner=OWNER)
    snapshot = given.snapshot
    encoder = given.encoder or load_encoder(snapshot.encoder.reference)
    require_same_encoder(encoder.spec, snapshot.encoder, left_name="the encoder at hand", right_name=snapshot.label)
    held_out = untrained(snapshot)
    excluded = held_out if options.bank == "train" else None
    begin = load_decoder(body, snapshot, given.index, workspace=given.workspace, encoder=encoder) if body else None
    fluency = fluency_of(snapshot, held_out)
    lexicon = lexicon_of(snapshot, held_out) if options.told else None
    return EditDecoder(snapshot, given.index, encoder.encode, fluency, excluded, options, begin, lexicon)
