"""The corpus generation that a record names: what a model was trained on, found again exactly or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nextvec.errors import MismatchError
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace, generation_name


def trained_generation(workspace: Workspace, config: Mapping[str, Any]) -> Snapshot:
    """The very corpus generation that a bundle's config.json names.

    Raises NotFoundError when it is gone, MismatchError when another corpus has taken its name.
    """
    corpus = config["corpus"]
    at = corpus["tag"] if corpus["tag"] is not None else corpus["version"]
    snapshot = Corpus.open(workspace, corpus["name"]).snapshot(at)
    if snapshot.fingerprint != corpus["fingerprint"]:
        raise MismatchError(
            f"a model was trained on {generation_label(corpus)} with fingerprint {corpus['fingerprint']}, and "
            f"{generation_label(corpus)} now has {snapshot.fingerprint}: it was made anew. Train the model again."
        )
    return snapshot


def generation_label(corpus: Mapping[str, Any]) -> str:
    """`NAME@TAG` or `NAME@v3`, of the corpus record of a bundle's config.json."""
    return generation_name(corpus["name"], corpus["tag"], corpus["version"])
