"""Chunks in, unit vectors out. `load_encoder("minilm")` gives an encoder; every other kind is named the same way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nextvec.config import parse_query
from nextvec.encoders.encoder import Encoder, EncoderSpec, require_same_encoder
from nextvec.encoders.reading import Reading, as_read
from nextvec.errors import UsageError
from nextvec.records import read_json
from nextvec.registry import Registry

LoadEncoder = Callable[[str, Any], Encoder]
"""From what follows `KIND:` in a reference ("" when nothing does), and its options, to the encoder."""

F = TypeVar("F", bound=LoadEncoder)


@dataclass(frozen=True)
class EncoderKind:
    """`options`: what may follow a question mark; `after`: a sign that its options stand behind, for arguments that may
    hold question marks of their own; `dim`, `tokens`, `licence`: for documents, "" where the weights are the user's
    choice, and with them these."""

    load: LoadEncoder
    options: type[Reading] = Reading
    after: str = ""
    dim: str = ""
    tokens: str = ""
    licence: str = ""


ENCODERS: Registry[EncoderKind] = Registry("encoders", "nextvec.encoders", made_by=lambda kind: kind.load)


def register_encoder(name: str, **known: Any) -> Callable[[F], F]:
    """Decorator that makes an encoder's loader known under `name`; `known` are the other attributes of its kind."""

    def add(loader: F) -> F:
        ENCODERS.register(name)(EncoderKind(loader, **known))
        return loader

    return add


def load_encoder(reference: str) -> Encoder:
    """The encoder that `reference` names, ready for use.

    Args:
        reference: KIND or KIND:ARGUMENT, one of `minilm`, `gtr-t5-base[:FOLDER]`, `hashing[:DIM]`, `model2vec:FOLDER`,
            `sentence-transformers:NAME_OR_FOLDER`, `openai:URL#MODEL`, or a kind that another package registers; then
            options, above all how it is read: `minilm?prompt=query: &dim=128&max_length=64` (see `reading.Reading`).

    Raises:
        UsageError: the kind or an option is unknown, or the argument is not one it takes.
        NotFoundError, IntegrityError, MissingDependencyError: from the encoder itself, when it cannot be loaded.
    """
    name = re.split("[:?]", reference, maxsplit=1)[0]
    kind, owner = ENCODERS.get(name), f"encoder '{name}'"
    before, mark, rest = reference.partition(kind.after) if kind.after else ("", "", reference)
    body, query = parse_query(rest, owner=owner)
    options = kind.options.parse(query, owner=owner)
    argument = f"{before}{mark}{body}".removeprefix(name).removeprefix(":")
    return as_read(_loaded(kind, argument, options, owner), options)


def _loaded(kind: EncoderKind, argument: str, options: Reading, owner: str) -> Encoder:
    encoder = kind.load(argument, options)
    if not callable(getattr(encoder, "encode", None)) or not isinstance(getattr(encoder, "spec", None), EncoderSpec):
        raise UsageError(
            f"{owner} ({type(encoder).__name__}): expected a method encode(texts, on_progress) that gives their "
            "vectors, and spec, a nextvec.encoders.encoder.EncoderSpec that says what it is"
        )
    return encoder


def encoder_spec(reference: str) -> EncoderSpec:
    """Of the encoder that `reference` names, or what a .json file says of one. Raises as `load_encoder`, DataError."""
    if reference.endswith(".json"):
        return EncoderSpec.parse(read_json(Path(reference)), owner=reference)
    return load_encoder(reference).spec


def proving_encoder(reference: str) -> Encoder:
    """As `encoder_spec`, but one that encodes: a spec alone proves nothing.

    Raises UsageError for a spec that says not how to load it, MismatchError where that loads another one.
    """
    if not reference.endswith(".json"):
        return load_encoder(reference)
    spec = encoder_spec(reference)
    if not spec.reference:
        raise UsageError(f"{reference}: encoder {spec.name} cannot be loaded by its spec; name one that can encode")
    encoder = load_encoder(spec.reference)
    require_same_encoder(encoder.spec, spec, left_name=spec.reference, right_name=reference)
    return encoder
