"""The documents a predictor is evaluated on, and the chunks of others that its targets hide among.

Documents are put in the order of their ids first, so nothing depends on the order they are named or stored in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import torch

from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.evaluation.metric import unit_rows
from nextvec.evaluation.pools import ForeignPool
from nextvec.fingerprint import fingerprint_bytes
from nextvec.sequences.closeness import unit_rows as normalised
from nextvec.sequences.headings import HeadingArrays, headings_of
from nextvec.sequences.splits import Part, SplitSpec, split_documents
from nextvec.sequences.windows import MIN_CONTEXT, concatenate_ranges
from nextvec.structure import UNKNOWN

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot

FOREIGN_SIZE = 10_000
_BLOCK_ROWS = 65_536
_BALANCE_STEPS = 100
_BALANCED = 1e-5
_SMALLEST = np.float32(1e-12)

IntArray = npt.NDArray[np.int64]
Structure = Literal["breaks", "headings", "next"]
"""What may be known of a text beside its chunks: where paragraphs begin, the headings above them, and, before the next
chunk is there, whether it begins one. The first two are told, as a text that is there has them; the third is not."""


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Whole documents longer than `min_context`, copied out of a snapshot, with a foreign pool drawn by `seed`.

    Attributes:
        doc_ids: ascending, one for each document.
        vectors: (n, D) float16 or float32, the rows of the documents one after another.
        breaks: (n,) int8, which of the rows begin a paragraph (`structure`).
        headings: vectors, and the place among them of that of each row (`sequences.headings`); None for none.
        offsets: (docs + 1,), document i owns rows offsets[i]:offsets[i+1] of `vectors`.
        pool: (P, D) foreign candidates; pool_owner (P,) is the document they belong to, -1 for one not evaluated.
        split_fingerprint: of the split that these documents are a part of; None where they are all of a corpus.
        tells_next: whether predictors are told if the next chunk begins a paragraph.
    """

    corpus: str
    encoder: str
    encoder_fingerprint: str
    split_fingerprint: str | None
    min_context: int
    seed: int
    doc_ids: tuple[str, ...]
    vectors: npt.NDArray[np.floating]
    breaks: npt.NDArray[np.int8]
    offsets: IntArray
    pool: npt.NDArray[np.floating]
    pool_owner: IntArray
    headings: HeadingArrays | None = None
    tells_next: bool = False
    _foreign: dict[torch.device, ForeignPool] = field(default_factory=dict, init=False, repr=False)

    @property
    def dim(self) -> int:
        return int(self.vectors.shape[1])

    @cached_property
    def targets(self) -> IntArray:
        """(docs,) targets of each document: its rows but the first `min_context`."""
        return np.diff(self.offsets) - self.min_context

    @cached_property
    def fingerprint(self) -> str:
        """Of everything that decides what a predictor is asked: documents, rows, their content, and the pool."""
        header = f"{self.encoder_fingerprint} {self.min_context} {self.vectors.dtype} {chr(0).join(self.doc_ids)}"
        header += " told the next break" if self.tells_next else ""
        arrays = (self.offsets, self.vectors, self.breaks, self.pool_owner, self.pool, *(self.headings or ()))
        return fingerprint_bytes(
            [header.encode(), *(np.ascontiguousarray(a).reshape(-1).view(np.uint8).data for a in arrays)]
        )

    def knows(self, structure: Structure) -> bool:
        """Whether anything is known of headings, or of paragraphs."""
        return self.headings is not None if structure == "headings" else bool((self.breaks != UNKNOWN).any())

    def otherwise(self, structure: Structure) -> HeldOut:
        """The same, with nothing known of paragraphs, or of headings; or with the next break told."""
        if structure == "next":
            return replace(self, tells_next=True)
        if structure == "headings":
            return replace(self, headings=None)
        return replace(self, breaks=np.full_like(self.breaks, UNKNOWN))

    def foreign(self, device: torch.device | str) -> ForeignPool:
        """Made once a device: what all predictors are judged by, with what is known of it (`ForeignPool.searched`)."""
        device = torch.device(device)
        if device not in self._foreign:
            vectors = unit_rows(torch.from_numpy(self.pool).to(device))
            self._foreign[device] = ForeignPool(
                vectors_PD=vectors, owner_P=torch.from_numpy(self.pool_owner).to(device)
            )
        return self._foreign[device]


def hold_out(
    snapshot: Snapshot,
    documents: npt.ArrayLike,
    *,
    min_context: int = MIN_CONTEXT,
    seed: int = 0,
    foreign_size: int = FOREIGN_SIZE,
    whole: bool = False,
) -> HeldOut:
    """The evaluated documents of a snapshot.

    `whole` says that nothing of the corpus was trained on, so that its split does not matter.

    Documents of `min_context` rows or fewer have no target and are left out. The foreign pool comes from the given
    documents when they have at least twice its size, else from every document of the snapshot.
    Raises UsageError for repeated documents or min_context < 1, DataError when no document is long enough.
    """
    chosen = _usable(snapshot, np.asarray(documents, np.int64), min_context)
    lengths = snapshot.lengths[chosen]
    pool_rows = _foreign_rows(snapshot, chosen, seed, foreign_size)
    position = np.full(len(snapshot.documents), -1, np.int64)
    position[chosen] = np.arange(len(chosen))
    rows = concatenate_ranges(snapshot.offsets[chosen], lengths)
    return HeldOut(
        corpus=snapshot.label,
        encoder=snapshot.encoder.describe(),
        encoder_fingerprint=snapshot.encoder.fingerprint,
        split_fingerprint=None if whole else _split_spec(snapshot).fingerprint,
        min_context=min_context,
        seed=seed,
        doc_ids=tuple(snapshot.documents.ids[i] for i in chosen),
        vectors=snapshot.vectors[rows],
        breaks=snapshot.breaks[rows],
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        pool=snapshot.vectors[pool_rows],
        pool_owner=position[snapshot.doc_index[pool_rows]],
        headings=headings_of(snapshot, chosen),
    )


def fair_documents(
    snapshots: Sequence[Snapshot], part: Part = "test", limit: int | None = None
) -> tuple[Snapshot, IntArray]:
    """The oldest generation of those compared, and the indexes in it of the documents all models are evaluated on.

    These are its test documents, the first `limit` of them in hash order. Every later generation must hold the same
    documents with the same content. Raises MismatchError naming both generations when encoder, split or a document
    differs, UsageError without snapshots.
    """
    if not snapshots:
        raise UsageError("no corpus generation was given: name at least one to evaluate on")
    oldest = min(snapshots, key=lambda snapshot: len(snapshot.documents))
    spec = _split_spec(oldest)
    ids = [document.doc_id for document in oldest.documents]
    chosen = split_documents(spec, ids, owner=oldest.label)[part]
    for other in snapshots:
        _require_grown(oldest, other, chosen)
    in_hash_order = sorted(chosen.tolist(), key=lambda i: (spec.bucket(ids[i]), ids[i]))
    return oldest, np.array(sorted(in_hash_order[:limit]), np.int64)


def training_mean(snapshot: Snapshot, documents: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """(D,) mean vector over the rows of the given (training) documents, not normalised.

    Raises DataError when there is none.
    """
    chosen = np.asarray(documents, np.int64)
    rows = concatenate_ranges(snapshot.offsets[chosen], snapshot.lengths[chosen])
    if not len(rows):
        raise DataError(f"{snapshot.label}: no training rows to take the mean of. Give training documents.")
    total = np.zeros(snapshot.dim, np.float64)
    for start in range(0, len(rows), _BLOCK_ROWS):
        total += snapshot.vectors[rows[start : start + _BLOCK_ROWS]].sum(axis=0, dtype=np.float64)
    return (total / len(rows)).astype(np.float32)


def balance_point(held_out: HeldOut) -> npt.NDArray[np.float32]:
    """(D,) the point from which the directions to all targets cancel: centred there, every constant prediction has a
    mean cosine of zero, whatever the constant.

    It is the geometric median of the targets, found by Weiszfeld's iteration (Tohoku Math. J. 43, 1937). Subtracting
    the mean would not do: where targets crowd on one side, a constant on that side gains.
    """
    targets_ND = normalised(held_out.vectors[_target_rows(held_out)])
    centre_D = targets_ND.mean(axis=0)
    for _ in range(_BALANCE_STEPS):
        away_ND = targets_ND - centre_D
        near_N1 = 1 / np.maximum(np.linalg.norm(away_ND, axis=1, keepdims=True), _SMALLEST)
        pull_D = (away_ND * near_N1).mean(axis=0)
        if np.linalg.norm(pull_D) < _BALANCED:
            break
        centre_D = centre_D + pull_D / near_N1.mean()
    return centre_D.astype(np.float32)


def _target_rows(held_out: HeldOut) -> IntArray:
    return concatenate_ranges(held_out.offsets[:-1] + held_out.min_context, held_out.targets)


def _usable(snapshot: Snapshot, documents: IntArray, min_context: int) -> IntArray:
    """The documents that have targets, in the order of their ids."""
    if min_context < 1:
        raise UsageError(f"min_context = {min_context}: expected at least 1 vector of context")
    if len(np.unique(documents)) != len(documents):
        raise UsageError(f"{snapshot.label}: a document is given twice for evaluation. Give each once.")
    long_enough = documents[snapshot.lengths[documents] > min_context]
    if not len(long_enough):
        raise DataError(
            f"{snapshot.label}: none of {len(documents)} documents has more than {min_context} chunks, "
            "so there is nothing to predict. Add longer documents, or use smaller chunks."
        )
    return np.array(sorted(long_enough.tolist(), key=snapshot.documents.ids.__getitem__), np.int64)


def _foreign_rows(snapshot: Snapshot, chosen: IntArray, seed: int, size: int) -> IntArray:
    """Rows of the foreign pool, by document id and position; one draw for all documents of an evaluation."""
    if int(snapshot.lengths[chosen].sum()) < 2 * size:
        chosen = np.array(sorted(range(len(snapshot.documents)), key=snapshot.documents.ids.__getitem__), np.int64)
    rows = concatenate_ranges(snapshot.offsets[chosen], snapshot.lengths[chosen])
    drawn = np.random.default_rng([seed, 2]).choice(len(rows), size=min(size, len(rows)), replace=False)
    return rows[np.sort(drawn)]


def _split_spec(snapshot: Snapshot) -> SplitSpec:
    return SplitSpec.parse(snapshot.split, owner=f"the split of {snapshot.label}")


def _require_grown(oldest: Snapshot, other: Snapshot, chosen: IntArray) -> None:
    """Raises MismatchError unless `other` holds the chosen documents of `oldest` unchanged."""
    pair = f"{oldest.label} and {other.label}"
    if oldest.encoder.fingerprint != other.encoder.fingerprint:
        raise MismatchError(f"{pair} have different encoders: {oldest.encoder.describe()}, {other.encoder.describe()}")
    if _split_spec(oldest) != _split_spec(other):
        raise MismatchError(f"{pair} are split differently: {oldest.split}, {other.split}. Compare within one corpus.")
    known = {doc_id: i for i, doc_id in enumerate(other.documents.ids)}
    for i in chosen.tolist():
        record = oldest.documents[i]
        j = known.get(record.doc_id)
        same = j is not None and _content(oldest, i) == _content(other, j)
        if not same:
            raise MismatchError(
                f"{pair} are no generations of one corpus: test document '{record.doc_id}' is missing or changed in "
                f"{other.label}. Compare generations that only added documents."
            )


def _content(snapshot: Snapshot, document: int) -> tuple[str, int]:
    return snapshot.documents[document].content_hash, int(snapshot.lengths[document])
