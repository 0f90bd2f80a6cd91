"""Splits by document, by hash: a document's part depends on its id, the salt and two bounds, and on nothing else, so
adding documents moves none and every generation of a corpus has the same test documents.

    bucket = blake2b(salt + doc_id) mod 1000;  test < `test`,  `test` <= validation < `validation`,  train the rest

A training document that nearly duplicates a held-out one is left out of training and listed; it does not move.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import chain, product
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from nextvec.config import Config
from nextvec.disk import where_possible
from nextvec.errors import DataError, IntegrityError, NotFoundError
from nextvec.fingerprint import fingerprint
from nextvec.records import read_json, write_json
from nextvec.sequences.identity import Keys, half_keys, row_keys, window_keys
from nextvec.sequences.sharing import Holdings, Sharing
from nextvec.sequences.shingles import containment, shingle_keys, shingles
from nextvec.sequences.windows import IntArray, concatenate_ranges, target_rows

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot
    from nextvec.store.stored import VectorSource

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
BUCKETS = 1000
SMALLEST_PART = 2

MEAN_COSINE = 0.98
"""Documents whose mean vectors are closer than this are compared in full."""
PASSAGE = 6
"""Documents that share this many chunks in a row (a context of five and its target) are compared in full, too."""
SHARED_SHINGLES = 0.2
"""Near-duplicates share at least this part of the smaller one's shingles. Of the 1.1 million pairs of 1,500 Wikipedia
articles, 524 share any run of eight words, 74 a twentieth of them, 38 a fifth and 1 a half."""
REVISION = 1
"""Raised when near-duplicates are found in another way, so that none kept is taken for what would be found now."""
_BLOCK_ROWS = 65_536
_BLOCK_DOCUMENTS = 4_096
GATHERING = 64
"""What a cosine of two documents costs, against one of many that are multiplied together."""


class SplitSpec(Config):
    """How a corpus is split; chosen when the corpus is created, stored with it, never changed.

    `test` and `validation` are upper bounds of the buckets, 0 < test < validation < 1000.
    """

    salt: str
    test: int = Field(100, ge=1)
    validation: int = Field(200, le=BUCKETS - 1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.test >= self.validation:
            raise ValueError(
                f"test = {self.test} and validation = {self.validation} leave no validation documents: both are "
                f"upper bounds of the same {BUCKETS} buckets, so expected test < validation, "
                "for example test = 200, validation = 400"
            )
        return self

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits, equal for all generations of a corpus."""
        return fingerprint(self.to_dict())

    def bucket(self, doc_id: str) -> int:
        """0..999."""
        return int.from_bytes(hashlib.blake2b((self.salt + doc_id).encode(), digest_size=8).digest()) % BUCKETS

    def assign(self, doc_id: str) -> Part:
        return self._part(self.bucket(doc_id))

    def _part(self, bucket: int) -> Part:
        if bucket < self.test:
            return "test"
        return "validation" if bucket < self.validation else "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A training document that nearly duplicates a held-out one.

    `cosine` of the mean vectors and `shared`, the part of the smaller document's shingles that both have, in [0, 1].
    """

    document: int
    doc_id: str
    held_out: int
    held_out_id: str
    cosine: float
    shared: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Document indexes of a snapshot by part, ascending; `train` is without the documents listed in `left_out`."""

    spec: SplitSpec
    train: IntArray
    validation: IntArray
    test: IntArray
    left_out: tuple[LeftOut, ...]

    @property
    def fingerprint(self) -> str:
        """Of the spec: models of different generations of one corpus agree in it."""
        return self.spec.fingerprint

    @property
    def parts(self) -> dict[Part, IntArray]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


def split_snapshot(snapshot: Snapshot) -> Split:
    """The split that a snapshot's own spec defines, near-duplicates of held-out documents left out of training.

    Those are looked for once and kept with the snapshot, which never changes.

    Raises DataError when a part has fewer than two documents.
    """
    spec = SplitSpec.parse(snapshot.split, owner=f"the split of {snapshot.label}")
    ids = snapshot.documents.ids
    parts = split_documents(spec, ids, owner=snapshot.label)
    held_out = np.concatenate([parts["validation"], parts["test"]])
    left_out = _found_once(snapshot, spec, lambda: near_duplicates(snapshot, parts["train"], held_out))
    train = np.setdiff1d(parts["train"], np.array([item.document for item in left_out], np.int64))
    if len(train) < SMALLEST_PART:
        raise DataError(
            f"{snapshot.label}: {len(left_out)} of {len(parts['train'])} training documents are near-duplicates of "
            f"documents held out, and are left out; {len(train)} are left, and {SMALLEST_PART} are needed. No bounds "
            "help: add documents that differ from these."
        )
    return Split(spec=spec, train=train, validation=parts["validation"], test=parts["test"], left_out=left_out)


def _found_once(snapshot: Snapshot, spec: SplitSpec, find: Callable[[], tuple[LeftOut, ...]]) -> tuple[LeftOut, ...]:
    """What was found before of this snapshot under this split, or is found now: kept where the snapshot keeps it."""
    if snapshot.cache is None:
        return find()
    identity = fingerprint([REVISION, snapshot.fingerprint, spec.to_dict()])
    path = snapshot.cache / "splits" / f"{identity}.json"
    try:
        return tuple(LeftOut(**each) for each in read_json(path)["left_out"])
    except (IntegrityError, KeyError, TypeError):  # absent or damaged: the cache is disposable
        found = find()
        with where_possible():
            write_json(path, {"left_out": [asdict(each) for each in found]})
        return found


def split_documents(spec: SplitSpec, doc_ids: Sequence[str], *, owner: str) -> dict[Part, IntArray]:
    """Indexes into `doc_ids` by part. Raises DataError, naming `owner`, when a part has fewer than two documents."""
    assigned = np.array([spec.assign(doc_id) for doc_id in doc_ids], dtype=object)
    parts = {part: np.flatnonzero(assigned == part).astype(np.int64) for part in PARTS}
    _require_parts(spec, doc_ids, parts, owner=owner)
    return parts


def _require_parts(spec: SplitSpec, doc_ids: Sequence[str], parts: dict[Part, IntArray], *, owner: str) -> None:
    """Raises DataError when a part has fewer than two documents, with bounds that would give every part enough."""
    if all(len(parts[part]) >= SMALLEST_PART for part in PARTS):
        return
    given = ", ".join(f"{len(parts[part])} {part}" for part in PARTS)
    raise DataError(
        f"{owner}: {len(doc_ids)} documents split into {given} with bounds test = {spec.test}, validation = "
        f"{spec.validation}; every part needs {SMALLEST_PART}. {_remedy(spec, doc_ids)}"
    )


def _remedy(spec: SplitSpec, doc_ids: Sequence[str]) -> str:
    for width in range(50, 500, 50):
        wider = SplitSpec(salt=spec.salt, test=width, validation=2 * width)
        assigned = [wider.assign(doc_id) for doc_id in doc_ids]
        if all(assigned.count(part) >= SMALLEST_PART for part in PARTS):
            return f"Create the corpus anew with test = {width}, validation = {2 * width}, or add documents."
    return "No bounds help: add documents, or create the corpus anew with another salt."


def document_means(vectors: VectorSource, offsets: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """(n_docs, D) unit mean vector of every document; zero for a document without rows or with a zero mean."""
    bounds = np.asarray(offsets, np.int64)
    sums = np.zeros((len(bounds) - 1, vectors.shape[1]), np.float32)
    doc_index = np.repeat(np.arange(len(sums)), np.diff(bounds))
    for first in range(0, len(vectors), _BLOCK_ROWS):
        owner = doc_index[first : first + _BLOCK_ROWS]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        block = np.asarray(vectors[first : first + _BLOCK_ROWS], np.float32)
        sums[owner[starts]] += np.add.reduceat(block, starts, axis=0)
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.divide(sums, norms, out=np.zeros_like(sums), where=norms > 0)


def near_duplicates(
    snapshot: Snapshot, train: IntArray, held_out: IntArray, *, of: Snapshot | None = None
) -> tuple[LeftOut, ...]:
    """The documents of `train` that nearly duplicate one of `held_out`, each with the one it shares most with.

    Contents are read only of documents whose means are closer than `MEAN_COSINE`, or that share a passage: a document
    that holds a shorter one whole need not be close to it. In a snapshot without texts, equal vectors take the place
    of shared shingles.

    Args:
        of: the snapshot that `held_out` are documents of, encoded by the same encoder; by default `snapshot` itself.
    """
    other = snapshot if of is None else of
    means = document_means(snapshot.stored, snapshot.offsets)
    of_others = means if other is snapshot else document_means(other.stored, other.offsets)
    contents, others = _Contents(snapshot), _Contents(other)
    left, right = _Side(snapshot, train, means), _Side(other, held_out, of_others)
    pairs = {*_close_pairs(left, right), *_passage_pairs(snapshot, train, other, held_out)}
    found: dict[int, LeftOut] = {}
    for i, j in sorted(pairs):
        shared = contents.shared(i, others, j)
        if shared >= SHARED_SHINGLES and (i not in found or shared > found[i].shared):
            ids = snapshot.documents[i].doc_id, other.documents[j].doc_id
            cosine = float(means[i] @ of_others[j])
            found[i] = LeftOut(document=i, doc_id=ids[0], held_out=j, held_out_id=ids[1], cosine=cosine, shared=shared)
    return tuple(found.values())


def _close_pairs(left: _Side, right: _Side) -> Iterator[tuple[int, int]]:
    """Pairs with close means that share a shingle, or a vector where one of them has no words: others share nothing
    that counts. All pairs with close means, where so many share something that to multiply them all is less work."""
    sharings = list(_sharings(left, right))
    if sum(each.total for each in sharings) * GATHERING > len(left.documents) * len(right.documents):
        yield from _close_of_all(left, right)
        return
    for lefts, rights in chain.from_iterable(each.pairs() for each in sharings):
        close = np.einsum("nd,nd->n", left.means[lefts], right.means[rights]) > MEAN_COSINE
        yield from zip(lefts[close].tolist(), rights[close].tolist(), strict=True)


def _close_of_all(left: _Side, right: _Side) -> Iterator[tuple[int, int]]:
    for first in range(0, len(left.documents), _BLOCK_DOCUMENTS):
        block = left.documents[first : first + _BLOCK_DOCUMENTS]
        for i, j in np.argwhere(left.means[block] @ right.means[right.documents].T > MEAN_COSINE):
            yield int(block[i]), int(right.documents[j])


def _sharings(left: _Side, right: _Side) -> Iterator[Sharing]:
    """By shingles, and by vectors where the left, or only the right document has no words."""
    speaking_right, said_right = right.shingles()
    speaking_left, said_left = left.shingles(said_right)
    yield Sharing.of(said_left, said_right)
    silent = [np.setdiff1d(side.documents, own) for side, own in ((left, speaking_left), (right, speaking_right))]
    if len(silent[0]):
        yield Sharing.of(left.vector_keys(silent[0]), right.vector_keys(right.documents))
    if len(silent[1]):
        yield Sharing.of(left.vector_keys(speaking_left), right.vector_keys(silent[1]))


@dataclass(frozen=True, slots=True)
class _Side:
    """Some documents of a snapshot, and the means of all."""

    snapshot: Snapshot
    documents: IntArray
    means: npt.NDArray[np.float32]

    def shingles(self, known: Holdings | None = None) -> tuple[IntArray, Holdings]:
        """The documents that have words, and keys of their shingles: of those that are `known`, if that is given."""
        blocks = [
            (speaking, said if known is None else said.known_to(known))
            for speaking, said in shingle_keys(self.snapshot, np.sort(self.documents))
        ]
        speaking = np.concatenate([np.empty(0, np.int64), *(block[0] for block in blocks)])
        return speaking, Holdings.joined(block[1] for block in blocks)

    def vector_keys(self, documents: IntArray) -> Holdings:
        """Keys of the vectors of these, ascending, in half precision."""
        offsets = self.snapshot.offsets
        counts = offsets[documents + 1] - offsets[documents]
        rows = concatenate_ranges(offsets[documents], counts)
        return Holdings.of(half_keys(self.snapshot)[rows], np.repeat(documents, counts))


def _passage_pairs(left: Snapshot, lefts: IntArray, right: Snapshot, rights: IntArray) -> Iterator[tuple[int, int]]:
    """Pairs that share `PASSAGE` equal vectors in a row."""
    sides = ((left, lefts), (right, rights))
    keys = [row_keys(left.stored)] * 2 if left is right else [half_keys(left), half_keys(right)]
    windows = [_Windows.of(*side, key) for side, key in zip(sides, keys, strict=True)]
    shared = np.intersect1d(windows[0].keys, windows[1].keys)
    owners = [side.owners(shared) for side in windows]
    for key in shared.tolist():
        yield from product(owners[0][key], owners[1][key])


@dataclass(frozen=True, slots=True)
class _Windows:
    """Runs of `PASSAGE` chunks in some documents of a snapshot, by the row of their last chunk."""

    snapshot: Snapshot
    rows: IntArray
    keys: Keys

    @classmethod
    def of(cls, snapshot: Snapshot, documents: IntArray, keys: Keys) -> Self:
        rows = target_rows(snapshot.offsets, documents, PASSAGE - 1)
        return cls(snapshot, rows, window_keys(keys, rows, PASSAGE - 1))

    def owners(self, wanted: Keys) -> dict[int, set[int]]:
        """The documents in which each of the wanted windows occurs."""
        owners: dict[int, set[int]] = {}
        for place in np.flatnonzero(np.isin(self.keys, wanted)).tolist():
            document = int(np.searchsorted(self.snapshot.offsets, self.rows[place], side="right")) - 1
            owners.setdefault(int(self.keys[place]), set()).add(document)
        return owners


class _Contents:
    """What documents of a snapshot hold, each read once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.shingles, self.vectors = cache(self._shingles), cache(self._vectors)

    def shared(self, document: int, other: _Contents, theirs: int) -> float:
        """The part of the smaller one's shingles that both have; of its vectors, where one of them has no words."""
        left, right = self.shingles(document), other.shingles(theirs)
        return (
            containment(left, right) if left and right else containment(self.vectors(document), other.vectors(theirs))
        )

    def _shingles(self, document: int) -> frozenset[Hashable]:
        try:
            return shingles(self._snapshot.texts(self._rows(document)))
        except NotFoundError:
            return frozenset()

    def _vectors(self, document: int) -> frozenset[Hashable]:
        return frozenset(row.tobytes() for row in self._snapshot.stored[self._rows(document)].astype(np.float16))

    def _rows(self, document: int) -> IntArray:
        return np.arange(self._snapshot.offsets[document], self._snapshot.offsets[document + 1])
