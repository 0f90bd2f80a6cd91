from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import open_source

TEXT = "A first sentence of some length. And a second one."
DATA = Path(__file__).parents[4] / "shared" / "data"


def found(path: Path, options: str = "") -> list[Document | Unusable]:
    return list(open_source(f"{path}{options}").documents())


def test_every_part_of_a_document(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    values = {"doc_id": "x", "title": "T", "text": "One two three\n\n\nfour five.\r\n", "source": "S", "license": "L"}
    path.write_text(json.dumps(values))
    assert found(path) == [Document(id="x", title="T", text="One two three\n\nfour five.", source="S", licence="L")]


def test_what_a_line_does_not_say(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"body": TEXT}))
    assert found(path) == [Document(id="a.jsonl:1", title="a.jsonl:1", text=TEXT, source="a.jsonl", licence="unknown")]


@pytest.mark.parametrize(("identifier", "expected"), [(0, "0"), ("", "a.jsonl:1"), (None, "a.jsonl:1")])
def test_ids_that_are_false_but_there(tmp_path: Path, identifier: object, expected: str) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": identifier, "text": TEXT}))
    assert [item.id for item in found(tmp_path / "a.jsonl")] == [expected]


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "no", "story": TEXT, "key": 7}))
    [document] = found(path, "?text=story&id=key")
    assert isinstance(document, Document)
    assert (document.id, document.text) == ("7", TEXT)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1]", "a JSON list, expected an object"),
        (b'{"id": "x\xff"}', "not UTF-8 at byte 9"),
        (b'{"id": "x"}', "no text: looked for text, content"),
        (b'{"text": 5}', "its text is int, expected a string"),
        (b'{"text": "\\ud800 and a few more words here"}', "half a surrogate pair"),
        (b'{"id": "\\ud800", "text": "and a few more words here"}', "its id has half a surrogate pair"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_line_fails_alone(tmp_path: Path, line: bytes, reason: str) -> None:
    good = json.dumps({"id": "good", "text": TEXT}).encode()
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([line, b"  ", good]))
    first, second = found(tmp_path / "a.jsonl")
    assert isinstance(first, Unusable)
    assert first.kind == "failed"
    assert reason in first.reason
    assert isinstance(second, Document)


@pytest.mark.parametrize(
    ("text", "reason"), [("", "empty"), (" \n ", "empty"), ("Too few words.", "too short: 3 words")]
)
def test_little_text_is_skipped(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "x", "text": text}))
    [item] = found(tmp_path / "a.jsonl")
    assert isinstance(item, Unusable)
    assert item.kind == "skipped"
    assert item.reason.startswith(reason)


def test_a_damaged_archive_gives_what_can_be_read(tmp_path: Path) -> None:
    lines = b"".join(json.dumps({"id": n, "text": f"{TEXT} {n * 7919}"}).encode() + b"\n" for n in range(5000))
    packed = gzip.compress(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    *documents, last = found(tmp_path / "a.jsonl.gz")
    assert len(documents) > 1000
    assert isinstance(last, Unusable)
    assert "damaged from here on" in last.reason


def test_pieces_of_a_document_are_put_in_order(tmp_path: Path) -> None:
    rows = [{"id": "x", "position": 10 - n, "text": f"{TEXT} {n}"} for n in range(3)] + [{"id": "y", "text": TEXT}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    first, second = found(tmp_path / "a.jsonl")
    assert isinstance(first, Document)
    assert first.text == f"{TEXT} 2\n\n{TEXT} 1\n\n{TEXT} 0"
    assert isinstance(second, Document)


def test_positions_that_are_no_numbers_fail(tmp_path: Path) -> None:
    rows = [{"id": "x", "position": position, "text": TEXT} for position in (1, "two")]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    [item] = found(tmp_path / "a.jsonl")
    assert isinstance(item, Unusable)
    assert "positions are not all numbers: [1, 'two']" in item.reason


@pytest.mark.parametrize("name", ["recipes", "dialogues", "papers", "nonfiction_classics"])
def test_real_files(name: str) -> None:
    path = DATA / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"shared/data/{path.name} is not there")
    expected = {"recipes": 317, "dialogues": 2601, "papers": 140, "nonfiction_classics": 201}[name]
    items = found(path)
    assert len(items) == expected
    assert all(isinstance(item, Document) and item.licence and item.title for item in items)


@pytest.mark.parametrize("name", ["wikipedia", "textbooks", "narratives", "tech_docs"])
def test_large_real_files_begin_at_once_and_take_no_memory(name: str) -> None:
    path = DATA / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"shared/data/{path.name} is not there")
    tracemalloc.start()
    count = sum(isinstance(item, Document) for item in open_source(str(path), limit=150).documents())
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 150
    assert highest < 8_000_000
