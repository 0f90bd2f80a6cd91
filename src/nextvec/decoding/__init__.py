"""Vectors in, text out. `load_decoder("nearest", snapshot, index)` gives a decoder; others are named the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nextvec.decoding.decoder import Decoder, DecoderFactory
from nextvec.registry import Registry

if TYPE_CHECKING:
    from nextvec.retrieval.neighbours import Index
    from nextvec.store.snapshot import Snapshot

DECODERS: Registry[DecoderFactory] = Registry("decoders", "nextvec.decoding")


def load_decoder(reference: str, snapshot: Snapshot, index: Index) -> Decoder:
    """The decoder that `reference` (KIND or KIND:ARGUMENT) names, over a snapshot and its index.

    Raises UsageError when the kind is unknown or the argument is not one it takes.
    """
    kind, _, argument = reference.partition(":")
    return DECODERS.get(kind)(argument, snapshot, index)
