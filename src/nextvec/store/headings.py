"""Headings beside the chunks of a corpus: every chunk has the number of the one that it stands under, the first of
a document the list of them all. So they are written, tagged and read back with their chunks, in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nextvec.corpus.headings import NONE, Heading
from nextvec.errors import DataError
from nextvec.store.metadata import HEADING_COLUMN, HEADING_VECTORS_COLUMN, HEADINGS_COLUMN, heading_type

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, eq=False)
class Headings:
    """Of one document: H headings in reading order, and their unit vectors, (H, D)."""

    headings: tuple[Heading, ...]
    vectors: np.ndarray

    @classmethod
    def empty(cls, dim: int, dtype: np.dtype[np.floating]) -> Headings:
        return cls((), np.empty((0, dim), dtype=dtype))

    def __len__(self) -> int:
        return len(self.headings)


def headings_content(documents: Sequence[Headings], numbers: np.ndarray) -> list[bytes]:
    """What a digest of documents' headings is made of: they, and the `numbers` (n,) int32 of those that their chunks
    stand under; nothing where there are none."""
    told = [f"{one.start}:{one.level}:{one.text}\0".encode() for own in documents for one in own.headings]
    return [*told, *(own.vectors.tobytes() for own in documents), numbers.tobytes()] if told else []


def check_numbers(numbers: np.ndarray, known: np.ndarray, owner: str) -> np.ndarray:
    """`numbers` (n,) as int32 of their own, each NONE or below `known` (n,), how many headings its document has.

    Raises DataError, naming `owner`, for others.
    """
    if numbers.shape != known.shape or (len(numbers) and numbers.dtype.kind not in "iu"):
        raise DataError(
            f"{owner}: numbers of headings {numbers.shape} {numbers.dtype} for {len(known)} chunks, "
            "expected one integer each"
        )
    wrong = (numbers < NONE) | (numbers >= known)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{owner}: chunk {row} stands under heading {numbers[row]}; expected one of {known[row]} from 0, or {NONE}"
        )
    return numbers.astype(np.int32)


def heading_columns(documents: Sequence[Headings], counts: np.ndarray) -> dict[str, pa.Array]:
    """The lists of documents of `counts` chunks, one at least: all the headings of each beside its first, none beside
    the others."""
    import pyarrow as pa

    lengths = np.zeros(counts.sum() + 1, dtype=np.int64)
    lengths[1 + np.cumsum(counts) - counts] = [len(own) for own in documents]
    offsets = pa.array(np.cumsum(lengths), pa.int32())
    told = [{"text": one.text, "level": one.level, "start": one.start} for own in documents for one in own.headings]
    stacked = np.concatenate([own.vectors for own in documents])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(stacked.reshape(-1)), stacked.shape[1])
    return {
        HEADINGS_COLUMN: pa.ListArray.from_arrays(offsets, pa.array(told, heading_type())),
        HEADING_VECTORS_COLUMN: pa.ListArray.from_arrays(offsets, vectors),
    }


def headings_of_table(table: pa.Table, dim: int, dtype: np.dtype[np.floating]) -> list[Headings]:
    """Of each row of the `list_columns` of documents' first chunks."""
    if HEADINGS_COLUMN not in table.column_names:
        return [Headings.empty(dim, dtype)] * table.num_rows
    lists = table[HEADINGS_COLUMN].to_pylist()
    vectors = table[HEADING_VECTORS_COLUMN].combine_chunks().flatten().flatten().to_numpy().reshape(-1, dim)
    ends = np.cumsum([len(told) for told in lists])
    parts = np.split(vectors, ends[:-1]) if lists else []
    return [Headings(tuple(Heading(**one) for one in told), part) for told, part in zip(lists, parts, strict=True)]


def list_columns(schema: pa.Schema) -> list[str]:
    """What `headings_of_table` reads of a corpus of this schema."""
    return [name for name in (HEADINGS_COLUMN, HEADING_VECTORS_COLUMN) if name in schema.names]


def number_columns(schema: pa.Schema) -> list[str]:
    """What `numbers_of_table` reads of a corpus of this schema."""
    return [HEADING_COLUMN] if HEADING_COLUMN in schema.names else []


def numbers_of_table(table: pa.Table) -> np.ndarray:
    """(N,) int32: under which of its document's headings each row stands; NONE in a corpus from before there were."""
    if HEADING_COLUMN not in table.column_names:
        return np.full(table.num_rows, NONE, dtype=np.int32)
    return table[HEADING_COLUMN].to_numpy().astype(np.int32)
