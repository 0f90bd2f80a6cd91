"""The table of documents is a sequence of records, and its fingerprint that of the lists it would be."""

import itertools

import pyarrow as pa
import pytest

from nextvec.fingerprint import fingerprint, fingerprint_columns
from nextvec.store.documents import RECORD, DocumentRecord, DocumentTable

RECORDS = [
    DocumentRecord(
        doc_id=f"d{i}", title=f"Titel „{i}“", source="s", licence="b" if i % 2 else "a", content_hash=f"h{i}"
    )
    for i in range(5)
]


@pytest.fixture
def table():
    return DocumentTable.of(RECORDS)


def test_it_is_a_sequence_of_records(table):
    assert len(table) == 5
    assert table == RECORDS
    assert list(table) == RECORDS
    assert table[3] == table[-2] == RECORDS[3]
    assert table[1:3] == RECORDS[1:3]
    assert RECORDS[2] in table
    with pytest.raises(IndexError, match="document 5 of 5"):
        table[5]


def test_it_knows_ids_and_licences(table):
    assert table.ids == ["d0", "d1", "d2", "d3", "d4"]
    assert table.licences == ["a", "b"]


def test_no_documents_are_a_table_too():
    empty = DocumentTable.of([])
    assert (len(empty), empty.ids, empty.licences) == (0, [], [])
    assert empty == []


def test_chunks_of_columns_are_one():
    rows = [{name: getattr(record, name) for name in RECORD} for record in RECORDS]
    whole = pa.concat_tables([pa.Table.from_pylist(rows[:2]), pa.Table.from_pylist(rows[2:])])
    assert DocumentTable(whole) == RECORDS


@pytest.mark.parametrize("rows", [1, 2, 100])
@pytest.mark.parametrize("cuts", [[0, 5], [0, 2, 2, 5]])
def test_a_fingerprint_of_columns_is_that_of_lists(rows, cuts, monkeypatch):
    monkeypatch.setattr("nextvec.fingerprint.ROWS", rows)
    columns = [[record.title for record in RECORDS], [None, "", '"', "ü\n", "x"]]
    pieces = [pa.chunked_array([c[a:b] for a, b in itertools.pairwise(cuts)], pa.string()) for c in columns]
    first = ["e", {"b": 1, "a": None}, "float16"]
    assert fingerprint_columns(first, pieces) == fingerprint([*first, columns])


def test_a_fingerprint_of_empty_columns_is_that_of_empty_lists():
    empty = pa.chunked_array([], pa.string())
    assert fingerprint_columns(["e"], [empty, empty]) == fingerprint(["e", [[], []]])
