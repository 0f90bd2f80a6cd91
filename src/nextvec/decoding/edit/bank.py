"""Of which texts a corpus's vectors are edited, and which say what is fluent and what words a vector tells: those of
training documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from pydantic import Field

from nextvec.decoding.edit.fluency import Fluency
from nextvec.decoding.edit.lexicon import Lexicon
from nextvec.decoding.edit.search import EditConfig
from nextvec.disk import where_possible
from nextvec.fingerprint import fingerprint
from nextvec.retrieval.neighbours import rows_of
from nextvec.sequences.splits import split_snapshot
from nextvec.store.snapshot import Snapshot

Learnt = TypeVar("Learnt", Fluency, Lexicon)

MOST_TEXTS = 200_000
"""From which either is learnt, evenly spaced; more of them teach little and cost memory."""
REVISION = 1
"""Raised when either is learnt in another way, so that none kept is taken for what would be learnt now."""


class EditOptions(EditConfig):
    """What a reference may say besides."""

    bank: Literal["train", "all"] = Field(
        default="train", description="documents whose chunks are edited and taken from"
    )


def untrained(snapshot: Snapshot) -> np.ndarray:
    """bool (N,), True for rows of documents that no model trains on. Raises what `split_snapshot` raises."""
    return ~rows_of(snapshot.offsets, split_snapshot(snapshot).train)


def fluency_of(snapshot: Snapshot, held_out: np.ndarray) -> Fluency:
    """Learnt from the other rows than `held_out` (N,), kept in the snapshot's cache.

    Raises what `Fluency.learn` raises, and FullDiskError.
    """
    return _kept(snapshot, "fluency", Fluency.load, lambda: learnt_from(snapshot, np.flatnonzero(~held_out)))


def lexicon_of(snapshot: Snapshot, held_out: np.ndarray) -> Lexicon:
    """Learnt and kept as `fluency_of` does. Raises FullDiskError."""

    def learn() -> Lexicon:
        rows = _spread(np.flatnonzero(~held_out))
        return Lexicon.learn(snapshot.texts(rows), snapshot.vectors[rows])

    return _kept(snapshot, "lexicon", Lexicon.load, learn)


def learnt_from(snapshot: Snapshot, rows: np.ndarray, written: Callable[[str], str] = str) -> Fluency:
    """From these rows' texts, or what is `written` for them. Raises what `Fluency.learn` raises."""
    return Fluency.learn([written(text) for text in snapshot.texts(_spread(rows))])


def _spread(rows: np.ndarray) -> np.ndarray:
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_TEXTS)).round().astype(np.int64)]


def _kept(snapshot: Snapshot, name: str, load: Callable[[Path], Learnt | None], learn: Callable[[], Learnt]) -> Learnt:
    if snapshot.cache is None:
        return learn()
    path = snapshot.cache / f"{name}-{fingerprint([snapshot.fingerprint, snapshot.split, REVISION])}.npz"
    kept = load(path)
    if kept is None:
        kept = learn()
        with where_possible():
            kept.save(path)
    return kept
