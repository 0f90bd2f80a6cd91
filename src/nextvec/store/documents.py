"""The documents of a snapshot: a table of columns, a record only when one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRecord:
    """One row of the document table. `content_hash` identifies the text that the source gave."""

    doc_id: str
    title: str
    source: str
    licence: str
    content_hash: str


RECORD = tuple(each.name for each in fields(DocumentRecord))


class DocumentTable(Sequence[DocumentRecord]):
    """Records by number. A million take the memory of their text, not of a million objects."""

    def __init__(self, table: pa.Table) -> None:
        """`table` has a column of strings for every field of a record."""
        self._columns = {name: table[name].combine_chunks() for name in RECORD}

    def __getstate__(self) -> dict[str, object]:
        """Its columns, and nothing that was made of them."""
        return {"_columns": self._columns}

    @classmethod
    def of(cls, records: Iterable[DocumentRecord]) -> DocumentTable:
        import pyarrow as pa

        schema = pa.schema([(name, pa.string()) for name in RECORD])
        return cls(pa.Table.from_pylist([asdict(record) for record in records], schema=schema))

    @cached_property
    def ids(self) -> list[str]:
        """Every document's id, in order."""
        ids: list[str] = self._columns["doc_id"].to_pylist()
        return ids

    @property
    def sources(self) -> list[str]:
        """Every document's source, in order."""
        sources: list[str] = self._columns["source"].to_pylist()
        return sources

    @property
    def licences(self) -> list[str]:
        """Each once, sorted."""
        return sorted(self._columns["licence"].unique().to_pylist())

    def __len__(self) -> int:
        return len(self._columns["doc_id"])

    @overload
    def __getitem__(self, number: int) -> DocumentRecord: ...
    @overload
    def __getitem__(self, number: slice) -> list[DocumentRecord]: ...
    def __getitem__(self, number: int | slice) -> DocumentRecord | list[DocumentRecord]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(f"document {number} of {len(self)}")
        return DocumentRecord(**{name: column[int(number)].as_py() for name, column in self._columns.items()})

    def __iter__(self) -> Iterator[DocumentRecord]:
        return (self[number] for number in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return list(self) == (list(other) if isinstance(other, Sequence) else other)

    __hash__ = None  # type: ignore[assignment]
