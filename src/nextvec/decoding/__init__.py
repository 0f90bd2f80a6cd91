"""Vectors in, text out. `load_decoder("nearest", snapshot, index)` gives a decoder; others are named the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nextvec.decoding.decoder import Decoder, DecoderFactory, Surroundings
from nextvec.registry import Registry

if TYPE_CHECKING:
    from nextvec.encoders.encoder import Encoder
    from nextvec.retrieval.neighbours import Index
    from nextvec.store.snapshot import Snapshot
    from nextvec.workspace import Workspace

DECODERS: Registry[DecoderFactory] = Registry("decoders", "nextvec.decoding")


def load_decoder(
    reference: str,
    snapshot: Snapshot,
    index: Index,
    *,
    workspace: Workspace | None = None,
    encoder: Encoder | None = None,
) -> Decoder:
    """The decoder that `reference` names, ready for use.

    Args:
        reference: KIND or KIND:ARGUMENT, one of `nearest`, `edit[:BEGIN][?steps=12]` (BEGIN is another decoder, whose
            texts are edited), `inverter:ID` (a model of the workspace, or a folder), `vec2text:FOLDER`,
            `sonar:FOLDER[?language=fra_Latn]`, or a kind that another package registers.
        snapshot, index: the corpus whose vectors are decoded, and its index.
        workspace: where models are named; None means the one of the environment.
        encoder: of the snapshot, for decoders that encode their texts again; None loads it when one needs it.

    Raises:
        UsageError: the kind is unknown or the argument is not one it takes.
        NotFoundError, IntegrityError, MismatchError: from the decoder itself, when it cannot be loaded or reads the
            vectors of another encoder.
    """
    kind = reference.partition("?")[0].partition(":")[0]
    argument = reference.removeprefix(kind).removeprefix(":")
    return DECODERS.get(kind)(argument, Surroundings(snapshot, index, workspace, encoder))


def inverter_of(reference: str) -> str | None:
    """The inverter that a decoder's reference names, by itself or as what another one begins with; None without one."""
    _, named, inverter = f":{reference.partition('?')[0]}".partition(":inverter:")
    return inverter if named else None
