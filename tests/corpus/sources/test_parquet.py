from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import open_source
from nextvec.errors import UsageError

TEXT = "A first sentence of some length. And a second one."


def write(path: Path, **columns: list[object]) -> Path:
    pq.write_table(pa.table(columns), path, row_group_size=3)
    return path


def found(reference: object) -> list[Document | Unusable]:
    return list(open_source(str(reference)).documents())


def test_a_document_a_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", id=[1, 2], text=[TEXT, None], vector=[[0.1], [0.2]])
    first, second = found(path)
    assert first == Document(id="1", title="1", text=TEXT, source="a.parquet", licence="unknown")
    assert isinstance(second, Unusable)
    assert (second.id, second.reason, second.kind) == ("2", "empty", "skipped")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"ID": ["a"], "Text": [TEXT]}, "has ID, Text. Name it: a.parquet?text=Text"),
        ({"id": ["a"], "text": [{"body": TEXT}]}, "text is a structure of body. Name it: a.parquet?text=text.body"),
        ({"id": ["a"], "text": [b"sch\xf6n"]}, "text is bytes that are not UTF-8, expected one string"),
        ({"id": ["a"], "size": [5]}, "passage; has id, size (at a.parquet:1)"),
    ],
)
def test_what_is_there_is_said_where_no_text_is_found(tmp_path: Path, columns: dict[str, list[object]], message: str):
    [item] = found(write(tmp_path / "a.parquet", **columns))
    assert isinstance(item, Unusable)
    assert message in item.message


def test_a_dot_leads_into_a_structure(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", id=["a", "b"], text=[{"body": TEXT, "n": 1}, None])
    first, second = found(f"{path}?text=text.body")
    assert isinstance(first, Document)
    assert isinstance(second, Unusable)
    assert (first.text, second.reason) == (TEXT, "empty")


def test_many_rows_a_document_over_batches_and_row_groups(tmp_path: Path) -> None:
    names = [f"d{number // 7}" for number in range(700)]
    positions = [6 - number % 7 for number in range(700)]
    texts = [f"{TEXT} {position}" for position in positions]
    path = write(tmp_path / "a.parquet", doc_id=names, position=positions, text=texts)
    documents = found(path)
    assert [document.id for document in documents] == [f"d{number}" for number in range(100)]
    assert {document.text for document in documents if isinstance(document, Document)} == {
        "\n\n".join(f"{TEXT} {position}" for position in range(7))
    }


def test_named_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", key=["x"], story=[TEXT])
    [document] = found(f"{path}?text=story&id=key")
    assert document.id == "x"
    with pytest.raises(UsageError, match=r"unknown column 'stories'\. Did you mean 'story'"):
        found(f"{path}?text=stories")


def test_a_damaged_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing of the kind")
    [item] = found(tmp_path / "a.parquet")
    assert isinstance(item, Unusable)
    assert item.kind == "failed"


def test_text_that_was_stored_as_bytes_is_text(tmp_path: Path) -> None:
    [item] = found(write(tmp_path / "a.parquet", id=[b"a"], text=[TEXT.encode()]))
    assert isinstance(item, Document)
    assert (item.id, item.text) == ("a", TEXT)


def test_a_damaged_file_is_told_on_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", text=[TEXT])
    content = path.read_bytes()
    path.write_bytes(content[:60] + bytes(20) + content[80:])
    [item] = found(path)
    assert isinstance(item, Unusable)
    assert "\n" not in item.message


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([TEXT])] * 4, names=["text", "size", "text", "size"])
    pq.write_table(table, tmp_path / "a.parquet")
    [item] = found(tmp_path / "a.parquet")
    assert isinstance(item, Unusable)
    assert item.message == "a column is there twice: 'text'; which one counts, nobody can know. Rename one"
