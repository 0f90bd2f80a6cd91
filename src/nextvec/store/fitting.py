"""A chunker that keeps within what an encoder reads, as far as it is new: a corpus grows as it began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.chunkers.fit import Fit, FittedChunker
from nextvec.corpus.document import Chunker
from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import Encoder
from nextvec.encoders.lengths import TokenLimited
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

ENCODER, CHUNKER = "minilm", "sentence"
"""Of a new corpus, unless others are named."""


def fit_of(encoder: Encoder) -> Fit | None:
    """What `encoder` reads of a text; None when it reads all of it or does not say."""
    limit = encoder.spec.max_length
    if limit is None or not isinstance(encoder, TokenLimited):
        return None
    counting: TokenLimited = encoder

    def count(texts: Sequence[str]) -> list[int]:
        return counting.count_tokens(texts).tolist()

    return Fit(limit, count)


def fitted_chunker(
    workspace: Workspace, corpus: str, name: str, options: Mapping[str, Any], encoder: Encoder
) -> Chunker:
    """The chunker for a corpus that `encoder` will encode, with `max_tokens` set to what it reads.

    Not set where the chunker has no such option, the options say something else, or the corpus began without it.
    """
    fit = fit_of(encoder)
    chunker = build_chunker(name, options, fit, encoder.encode)
    if fit is None or "max_tokens" in options or not isinstance(chunker, FittedChunker):
        return chunker
    if _began_without(workspace, corpus, name):
        return chunker
    return build_chunker(name, {**options, "max_tokens": fit.max_tokens}, fit, encoder.encode)


def tools_of(
    workspace: Workspace,
    corpus: str,
    *,
    encoder: str | Encoder | None,
    chunker: str | None,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """What `load_tools` takes: of what is not said (None, and no options) a corpus that has documents goes on as it
    began, and any other begins as most do."""
    known = _used(workspace, corpus)
    spec = dict(known.metadata.chunker) if known else {"name": CHUNKER}
    name = spec.pop("name")
    own = (known.metadata.encoder.reference if known else "") or ENCODER
    return {
        "encoder": own if encoder is None else encoder,
        "chunker": name if chunker is None else chunker,
        "options": dict(options) if options or chunker is not None else spec,
    }


def load_tools(
    workspace: Workspace, corpus: str, *, encoder: str | Encoder, chunker: str, options: Mapping[str, Any]
) -> tuple[Encoder, Chunker]:
    """What a corpus is made with, from references: an encoder, or the one given, and the chunker that fits it."""
    loaded = load_encoder(encoder) if isinstance(encoder, str) else encoder
    return loaded, fitted_chunker(workspace, corpus, chunker, options, loaded)


def _began_without(workspace: Workspace, corpus: str, name: str) -> bool:
    if (known := _known(workspace, corpus)) is None:
        return False
    return known.metadata.chunker.get("name") == name and "max_tokens" not in known.metadata.chunker


def _known(workspace: Workspace, corpus: str) -> Corpus | None:
    return Corpus.open(workspace, corpus) if Corpus.exists(workspace, corpus) else None


def _used(workspace: Workspace, corpus: str) -> Corpus | None:
    known = _known(workspace, corpus)
    return None if known is None or known.unused else known
