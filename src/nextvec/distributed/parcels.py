"""How blocks of documents travel between processes: tables of one row, so that Ray Data neither cuts nor joins them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pyarrow as pa

COLUMNS = ("told", "items", "rows")
NOTHING = pa.py_buffer(b"")
SCHEMA = pa.schema([(name, pa.large_binary()) for name in COLUMNS])


def parcel(*, told: Any = None, items: pa.Buffer = NOTHING, rows: pa.Table | None = None) -> pa.Table:
    """told: what the driver needs to know; items: the packed documents of a block; rows: of the corpus."""
    content = [pack(told), items, NOTHING if rows is None else _stream(rows)]
    return pa.table([_one(part) for part in content], schema=SCHEMA)


def pack(value: Any) -> pa.Buffer:
    return pa.py_buffer(pickle.dumps(value))


def told_of(table: pa.Table) -> Any:
    return pickle.loads(_content(table, "told"))


def items_of(table: pa.Table) -> Any:
    return pickle.loads(packed_items(table))


def packed_items(table: pa.Table) -> pa.Buffer:
    """To be handed on as they are."""
    return _content(table, "items")


def rows_of(table: pa.Table) -> pa.Table:
    """Without a copy: they stay in the memory of the parcel."""
    return pa.ipc.open_stream(_content(table, "rows")).read_all()


def _content(table: pa.Table, name: str) -> pa.Buffer:
    return table[name][0].as_buffer()


def _one(content: pa.Buffer) -> pa.Array:
    """A column of this value, without a copy."""
    bounds = np.array([0, content.size], dtype=np.int64)
    return pa.Array.from_buffers(pa.large_binary(), 1, [None, pa.py_buffer(bounds), content])


def _stream(rows: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return sink.getvalue()
