"""Chunks in, unit vectors out. `load_encoder("minilm")` gives an encoder; every other kind is named the same way."""

from __future__ import annotations

from pathlib import Path

from nextvec.encoders.encoder import Encoder, EncoderFactory, EncoderSpec
from nextvec.records import read_json
from nextvec.registry import Registry

ENCODERS: Registry[EncoderFactory] = Registry("encoders", "nextvec.encoders")


def load_encoder(reference: str) -> Encoder:
    """The encoder that `reference` names, ready for use.

    Args:
        reference: KIND or KIND:ARGUMENT, one of `minilm`, `gtr-t5-base[:FOLDER]`, `hashing[:DIM]`,
            `sentence-transformers:NAME_OR_FOLDER`, `openai:URL#MODEL[?batch=32]`, or a kind that another package
            registers.

    Raises:
        UsageError: the kind is unknown or the argument is not one it takes.
        NotFoundError, IntegrityError, MissingDependencyError: from the encoder itself, when it cannot be loaded.
    """
    kind, _, argument = reference.partition(":")
    return ENCODERS.get(kind)(argument)


def encoder_spec(reference: str) -> EncoderSpec:
    """Of the encoder that `reference` names, or what a .json file says of one. Raises as `load_encoder`, DataError."""
    if reference.endswith(".json"):
        return EncoderSpec.parse(read_json(Path(reference)), owner=reference)
    return load_encoder(reference).spec
