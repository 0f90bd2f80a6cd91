"""Does a corpus know anything like a text? Passages of its held-out documents say how near is usual.

A text's last chunks each have a nearest stored chunk; the mean of those cosines is compared with that of held-out
passages of as many chunks. A passage that is farther than nearly all of them is of another kind of text, and what a
model of that corpus says about it is worth little. S chunks of a passage, D the size of a vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from nextvec.disk import where_possible
from nextvec.errors import IntegrityError
from nextvec.fingerprint import fingerprint
from nextvec.records import read_json, write_json
from nextvec.retrieval.neighbours import Index, require_index_of, rows_of
from nextvec.sequences.splits import Split, split_snapshot
from nextvec.store.snapshot import Snapshot

LONGEST = 4
"""Chunks of a text that are looked at, the last ones."""
PASSAGES = 128
"""Of held-out documents, that say what is usual."""
FEWEST = 24
"""Held-out documents, or passages of a length: fewer say nothing."""
UNUSUAL = 0.02
"""Share of held-out passages that are farther than what still counts as known."""
REVISION = 1
"""Raised when what is usual is measured in another way, so that nothing kept is taken for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Familiarity:
    """Attributes:
    nearest: mean cosine of a text's last chunks and the stored chunk nearest to each, -1..1.
    usual: median of the same over held-out passages of as many chunks.
    least: all but `UNUSUAL` of those are nearer than this.
    """

    nearest: float
    usual: float
    least: float

    @property
    def known(self) -> bool:
        """Whether the text is of a kind that the corpus has."""
        return self.nearest >= self.least

    def sentence(self, corpus: str) -> str:
        """That the corpus of that name knows nothing of the kind; empty where it does."""
        if self.known:
            return ""
        return (
            f"{corpus} knows nothing like this text, so do not expect much: its nearest chunks have cosine "
            f"{self.nearest:.2f}; for held-out texts of the corpus that is {self.usual:.2f}, seldom below "
            f"{self.least:.2f}"
        )

    def to_dict(self) -> dict[str, float | bool]:
        return {name: round(getattr(self, name), 4) for name in ("nearest", "usual", "least")} | {"known": self.known}


@dataclass(frozen=True, slots=True)
class Usual:
    """What `Familiarity` says of held-out passages of 1, 2, ... chunks; of none where there are too few documents."""

    usual: tuple[float, ...]
    least: tuple[float, ...]

    @classmethod
    def of(cls, snapshot: Snapshot, index: Index) -> Self:
        """Measured, or kept from before in the snapshot's cache.

        Raises MismatchError when the index was built from another snapshot, and what `split_snapshot` raises.
        """
        require_index_of(snapshot, index)
        if snapshot.cache is None:
            return cls._measured(snapshot, index)
        identity = fingerprint([REVISION, snapshot.split, index.spec.fingerprint])
        path = snapshot.cache / "familiarity" / f"{identity}.json"
        try:
            kept = read_json(path)
            return cls(tuple(kept["usual"]), tuple(kept["least"]))
        except (IntegrityError, KeyError, TypeError):  # absent or damaged: the cache is disposable
            found = cls._measured(snapshot, index)
            with where_possible():
                write_json(path, {"usual": found.usual, "least": found.least})
            return found

    @classmethod
    def _measured(cls, snapshot: Snapshot, index: Index) -> Self:
        split = split_snapshot(snapshot)
        held_out = np.concatenate([split.validation, split.test])
        means = _means(snapshot, index, split, _passages(snapshot, held_out)) if len(held_out) >= FEWEST else []
        enough = [each for each in means if len(each) >= FEWEST]
        return cls(
            tuple(float(np.median(each)) for each in enough),
            tuple(float(np.quantile(each, UNUSUAL)) for each in enough),
        )

    def judge(self, nearest_S: np.ndarray) -> Familiarity | None:
        """Of the cosines of a text's chunks with the stored chunk nearest to each, one or more; None where nothing is
        known of what is usual."""
        length = min(len(nearest_S), len(self.usual))
        if not length:
            return None
        return Familiarity(
            nearest=float(nearest_S[-length:].mean()), usual=self.usual[length - 1], least=self.least[length - 1]
        )


def doubt(told: Familiarity | None, corpus: str) -> str:
    """What to say before a text is answered: that its kind is unknown, or that nobody can tell; else nothing."""
    if told is not None:
        return told.sentence(corpus)
    return f"Whether {corpus} knows such texts cannot be told: it takes {FEWEST} held-out documents or more"


def nearest_cosines(index: Index, vectors_SD: np.ndarray, excluded: np.ndarray | None) -> np.ndarray:
    """(S,) of each vector and the stored one nearest to it, rows (N,) bool that are `excluded` apart; -1, as far as can
    be, where an index finds none."""
    return np.maximum(index.search(vectors_SD, 1, excluded).scores[:, 0], -1.0)


def _passages(snapshot: Snapshot, held_out: np.ndarray) -> list[np.ndarray]:
    """The rows of `PASSAGES` passages of at most `LONGEST` chunks, each somewhere in one of these documents."""
    random = np.random.default_rng(0)
    documents = np.resize(random.permutation(held_out), PASSAGES)
    ends = [random.integers(snapshot.offsets[one] + 1, snapshot.offsets[one + 1] + 1) for one in documents]
    starts = np.maximum(snapshot.offsets[documents], np.array(ends) - LONGEST)
    return [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]


def _means(snapshot: Snapshot, index: Index, split: Split, passages: list[np.ndarray]) -> list[np.ndarray]:
    """For 1 .. `LONGEST` chunks the means of the last so many of every passage that has them."""
    untrained = ~rows_of(snapshot.offsets, split.train)
    rows = np.concatenate(passages)
    cosines = nearest_cosines(index, snapshot.vectors[rows].astype(np.float32), untrained)
    each = np.split(cosines, np.cumsum([len(passage) for passage in passages])[:-1])
    lengths = range(1, LONGEST + 1)
    return [np.array([one[-length:].mean() for one in each if len(one) >= length]) for length in lengths]
