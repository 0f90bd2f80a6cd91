"""Which chunks of a corpus begin a paragraph: a column of it, or in one from before there was that, what spans tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nextvec.corpus.document import Chunk
from nextvec.errors import DataError
from nextvec.records import write_atomic
from nextvec.store.metadata import BREAKS_COLUMN
from nextvec.structure import BEGINS, CONTINUES, UNKNOWN

if TYPE_CHECKING:
    import pyarrow as pa

SHORTEST_BREAK = 2
"""Characters: the two line ends around a blank line."""
EXPECTED = "1 where the chunk begins a paragraph, 0 where it goes on with one, -1 where that is not known"
_SPANS = ["position", "start", "end"]


@dataclass(frozen=True, slots=True)
class Breaks:
    """How many chunks begin a paragraph, and of how many it is not known."""

    begins: int
    unknown: int

    @classmethod
    def count(cls, breaks: np.ndarray) -> Breaks:
        """breaks: (N,) codes of `structure`."""
        return cls(int((breaks == BEGINS).sum()), int((breaks == UNKNOWN).sum()))

    def to_dict(self) -> dict[str, int]:
        return {"begins": self.begins, "unknown": self.unknown}


def check_breaks(breaks: np.ndarray, count: int, owner: str) -> np.ndarray:
    """`breaks` as (count,) int8. Raises DataError, naming `owner`, unless they are a code of `structure` each."""
    if breaks.shape != (count,) or (count and breaks.dtype.kind not in "iu"):
        raise DataError(f"{owner}: breaks {breaks.shape} {breaks.dtype} for {count} chunks, expected one integer each")
    wrong = (breaks < UNKNOWN) | (breaks > BEGINS)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(f"{owner}: the break of chunk {row} is {breaks[row]}; expected {EXPECTED}")
    return breaks.astype(np.int8)


def breaks_of_chunks(chunks: Sequence[Chunk], owner: str) -> np.ndarray:
    """(n,) int8: what the chunks of a document say of themselves. Raises what `check_breaks` raises."""
    return check_breaks(np.array([chunk.begins for chunk in chunks]), len(chunks), owner)


def breaks_by_spans(chunks: Sequence[Chunk]) -> np.ndarray:
    """(n,) int8: what the spans of all chunks of a document tell."""
    starts, ends = np.array([chunk.start for chunk in chunks]), np.array([chunk.end for chunk in chunks])
    return breaks_of_spans(np.arange(len(chunks)), starts, ends)


def breaks_of_spans(positions: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(N,) int8 from where chunks are in their document and in its text, for corpora that do not store it.

    The first chunk of a document begins a paragraph, and so does one that is `SHORTEST_BREAK` characters or more behind
    the one before it. A shorter gap never holds a blank line; a longer one nearly always does, because chunkers trim
    their spans and sources give text whose sentences are one space or one line end apart. What it takes for a break and
    is none: two spaces between sentences, an indented line, a piece without a letter that was left out.
    UNKNOWN where a chunk has no span.
    """
    gaps = starts - np.concatenate([starts[:1], ends[:-1]])
    begins = (positions == 0) | (gaps >= SHORTEST_BREAK)
    return np.where(ends > starts, begins, UNKNOWN).astype(np.int8)


def write_breaks_of_lines(path: Path, lines: Sequence[str]) -> None:
    """A code a line: for each of `lines` that is not blank, whether it is the first or comes after a blank one; and
    where the last is blank, that what comes next begins a paragraph."""
    write_atomic(path, "".join(f"{code}\n" for code in _breaks_of_lines(lines)).encode())


def _breaks_of_lines(lines: Sequence[str]) -> Iterator[int]:
    blank = True
    for line in lines:
        if line.strip():
            yield BEGINS if blank else CONTINUES
        blank = not line.strip()
    if blank:
        yield BEGINS


def read_breaks(path: Path, rows: int) -> np.ndarray:
    """(rows,) int8, or one more, of what comes next. Raises DataError for another number, or what is no code."""
    codes = path.read_bytes().split()
    known = {str(code).encode() for code in (UNKNOWN, CONTINUES, BEGINS)}
    if odd := [code for code in codes if code not in known]:
        raise DataError(f"{path} holds {odd[0][:20]!r}; expected 1, 0 or -1 for each row")
    if len(codes) not in (rows, rows + 1):
        raise DataError(
            f"{path} holds {len(codes):,} codes for {rows:,} rows; expected one each, or one more, of what comes next"
        )
    return np.array(codes, dtype=np.int8)


def break_columns(schema: pa.Schema) -> list[str]:
    """What `breaks_of_table` reads of a corpus of this schema."""
    return [BREAKS_COLUMN] if BREAKS_COLUMN in schema.names else _SPANS


def breaks_of_table(table: pa.Table) -> np.ndarray:
    """(N,) int8 from the `break_columns` of consecutive rows."""
    if BREAKS_COLUMN in table.column_names:
        return table[BREAKS_COLUMN].to_numpy().astype(np.int8)
    return breaks_of_spans(*(table[name].to_numpy() for name in _SPANS))
