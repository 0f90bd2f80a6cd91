"""The corpus generation that a record names: what a model was trained on, found again exactly or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nextvec.errors import MismatchError, NotFoundError
from nextvec.records import taken_apart
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace, generation_name

HUB = "hub"
"""Of the corpus record of a model that was pushed: where its corpus is, `hf:NAME@COMMIT`."""
_PINNED = re.compile(r"hf:[A-Za-z0-9._-]+/[A-Za-z0-9._-]+@[0-9a-f]{40}")


def trained_generation(workspace: Workspace, config: Mapping[str, Any]) -> Snapshot:
    """The very corpus generation that a bundle's config.json names.

    Raises NotFoundError when it is gone, MismatchError when another corpus has taken its name.
    """
    with taken_apart("the corpus of a model's config.json"):
        corpus = config["corpus"]
        at, made = corpus["tag"] if corpus["tag"] is not None else corpus["version"], corpus["fingerprint"]
    snapshot = _corpus(workspace, corpus).snapshot(at)
    if snapshot.fingerprint != made:
        raise MismatchError(
            f"a model was trained on {generation_label(corpus)} with fingerprint {corpus['fingerprint']}, and "
            f"{generation_label(corpus)} now has {snapshot.fingerprint}: it was made anew. Train the model again."
        )
    return snapshot


def _corpus(workspace: Workspace, record: Mapping[str, Any]) -> Corpus:
    """Raises NotFoundError that says where on the hub it is, if whoever pushed the model knew."""
    hub, name = str(record.get(HUB, "")), record["name"]
    if Corpus.exists(workspace, name) or not _PINNED.fullmatch(hub):
        return Corpus.open(workspace, name)
    raise NotFoundError(
        f"a model was trained on corpus '{name}', which is not in {workspace}. It is on the hub: nextvec corpus import "
        f"{hub} --corpus {name}"
    )


def generation_label(corpus: Mapping[str, Any]) -> str:
    """`NAME@TAG` or `NAME@v3`, of the corpus record of a bundle's config.json. Raises IntegrityError for a part of
    one."""
    with taken_apart("the corpus of a model's config.json"):
        return generation_name(corpus["name"], corpus["tag"], corpus["version"])


def run_in_words(before: dict[str, Any]) -> str:
    """Of the record of an inverter that another one began with: its name and weights, and what it learnt from."""
    corpus, metrics = before["corpus"], before["metrics"]
    licences = ", ".join(corpus.get("licences", [])) or "not recorded"
    return (
        f"{before['inverter']} (weights {before['weights']}), which saw {metrics['tokens']:,} tokens of "
        f"{generation_label(corpus)}, {corpus['documents']:,} documents, licences: {licences}"
    )
