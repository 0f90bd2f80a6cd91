"""Of which texts a corpus's vectors are edited, and which say what is fluent: those of training documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from pydantic import Field

from nextvec.decoding.edit.fluency import Fluency
from nextvec.decoding.edit.search import EditConfig
from nextvec.fingerprint import fingerprint
from nextvec.retrieval.neighbours import rows_of
from nextvec.sequences.splits import split_snapshot
from nextvec.store.snapshot import Snapshot

MOST_TEXTS = 200_000
"""From which fluency is learnt, evenly spaced; more of them teach it little and cost memory."""
REVISION = 1
"""Raised when fluency is learnt in another way, so that none kept is taken for what would be learnt now."""


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
    rows = np.flatnonzero(~held_out)
    if snapshot.cache is None:
        return learnt_from(snapshot, rows)
    path = snapshot.cache / f"fluency-{fingerprint([snapshot.fingerprint, snapshot.split, REVISION])}.npz"
    kept = Fluency.load(path)
    if kept is None:
        kept = learnt_from(snapshot, rows)
        kept.save(path)
    return kept


def learnt_from(snapshot: Snapshot, rows: np.ndarray, written: Callable[[str], str] = str) -> Fluency:
    """From these rows' texts, or what is `written` for them. Raises what `Fluency.learn` raises."""
    spread = np.linspace(0, len(rows) - 1, min(len(rows), MOST_TEXTS)).round().astype(np.int64)
    return Fluency.learn([written(text) for text in snapshot.texts(rows[spread])])
