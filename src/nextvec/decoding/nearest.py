"""The extractive decoder: a vector's text is that of the nearest stored chunk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nextvec.decoding import DECODERS
from nextvec.decoding.decoder import Decoded, Surroundings, per_vector, unit_vectors
from nextvec.decoding.quality import DEFAULT, QualityConfig, judge
from nextvec.errors import DataError, UsageError
from nextvec.retrieval.neighbours import Index, require_index_of, rows_of

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot


class NearestDecoder:
    """Gives stored texts as they are: never nonsense, never new. The cosine is the true round trip, because the stored
    vector is what encoding the text again would give.

    Args:
        snapshot: whose chunks are given.
        index: over this snapshot.
        excluded: bool (N,), True for rows never to be given; None excludes none.
        quality: bounds of the verdict.

    Raises MismatchError when the index is of another snapshot.
    """

    max_steps = 0

    def __init__(
        self, snapshot: Snapshot, index: Index, excluded: np.ndarray | None = None, quality: QualityConfig = DEFAULT
    ) -> None:
        require_index_of(snapshot, index)
        self._snapshot, self._index, self._quality = snapshot, index, quality
        self._excluded = excluded

    @property
    def name(self) -> str:
        return f"nearest:{self._index.spec.fingerprint}"

    def without_rows(self, rows: Sequence[int] | np.ndarray) -> NearestDecoder:
        """The same decoder, these rows excluded too: those of the context itself, for example.

        Raises UsageError for a row outside 0..N-1."""
        mask = np.zeros(len(self._snapshot), dtype=bool)
        chosen = np.asarray(rows, dtype=np.int64)
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < len(mask):
            raise UsageError(f"rows {chosen.min()}..{chosen.max()} to exclude, expected 0..{len(mask) - 1}")
        mask[chosen] = True
        return self._without(mask)

    def without_documents(self, documents: Sequence[int] | np.ndarray) -> NearestDecoder:
        """The same decoder, all rows of these documents (by number) excluded too: the held-out ones, for example."""
        return self._without(rows_of(self._snapshot.offsets, documents))

    def decode(
        self, vectors: np.ndarray, sources: Sequence[Sequence[str]] | None = None, *, steps: int = 0
    ) -> list[Decoded]:
        """See `Decoder.decode`. Raises DataError when every row is excluded, UsageError for steps: there are none."""
        if steps:
            raise UsageError(f"the nearest decoder corrects nothing: {steps} steps asked, expected 0")
        target_QD = unit_vectors(vectors, self._snapshot.dim, owner="the nearest decoder")
        sources = per_vector(sources, len(target_QD))
        if not len(target_QD):
            return []
        scores, rows = self._nearest(target_QD)
        texts = self._snapshot.texts(rows.tolist())
        return [
            Decoded(text=text, verdict=judge(text, source, self._quality), cosine=float(score), row=int(row))
            for text, source, score, row in zip(texts, sources, scores, rows, strict=True)
        ]

    def _nearest(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = self._index.search(vectors, 1, self._excluded)
        if (found.rows < 0).any():
            raise DataError(f"no chunk of {self._snapshot.label} is left to give: all that were found are excluded")
        return found.scores[:, 0], found.rows[:, 0]

    def _without(self, mask: np.ndarray) -> NearestDecoder:
        excluded = mask if self._excluded is None else mask | self._excluded
        return NearestDecoder(self._snapshot, self._index, excluded, self._quality)


@DECODERS.register("nearest")
def build_nearest(argument: str, given: Surroundings) -> NearestDecoder:
    if argument:
        raise UsageError(f"decoder 'nearest:{argument}': expected 'nearest' alone, it takes no argument")
    return NearestDecoder(given.snapshot, given.index)
