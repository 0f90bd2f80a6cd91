"""`sonar:FOLDER?language=eng_Latn`: texts written by SONAR's decoder, in any of its 200 languages."""

from __future__ import annotations

from pydantic import Field

from nextvec.config import Config, parse_query
from nextvec.decoding import DECODERS
from nextvec.decoding.decoder import Decoder, Surroundings
from nextvec.encoders.encoder import Encoder
from nextvec.errors import UsageError

OWNER = "decoder 'sonar'"


class SonarOptions(Config):
    """`language`: of the texts that it writes, as NLLB names it, by default that in which the corpus was read; `beam`:
    how many texts it writes at a time, of which the best is given; `longest`: tokens of a text."""

    language: str | None = None
    beam: int = Field(default=5, ge=1)
    longest: int = Field(default=128, ge=1)


@DECODERS.register("sonar")
def build_sonar(argument: str, given: Surroundings) -> Decoder:
    """`argument`: a folder with SONAR's decoder, in it or in `decoder/`, or a name on the hub; options after a question
    mark.

    Raises UsageError without one, MismatchError unless the snapshot's encoder is SONAR's and a few chunks of the corpus
    survive the round trip (`gate.py`), NotFoundError or IntegrityError for what the folder lacks.
    """
    body, query = parse_query(argument, owner=OWNER)
    options = SonarOptions.parse(query, owner=OWNER)
    if not body:
        raise UsageError(f"{OWNER}: which weights? sonar:FOLDER, the folder of SONAR's port with its decoder")
    from nextvec.decoding.gate import require_round_trip, spread_vectors
    from nextvec.decoding.sonar.writer import require_sonar, sonar_decoder

    spec = given.snapshot.encoder
    require_sonar(spec)
    encoder = _encoder(given, options.language)
    decoder = sonar_decoder(body, encoder, spec, beam=options.beam, longest=options.longest)
    require_round_trip(decoder, spread_vectors(given.snapshot), spec, owner=f"sonar:{argument}")
    return decoder


def _encoder(given: Surroundings, language: str | None) -> Encoder:
    """Of the language that is written: vectors of all languages are of one space, and texts are read in their own."""
    from nextvec.encoders import load_encoder
    from nextvec.encoders.sonar import in_language, language_of

    spec = given.snapshot.encoder
    if given.encoder is not None and language in (None, language_of(spec)):
        return given.encoder
    return load_encoder(in_language(spec.reference, language or language_of(spec)))
