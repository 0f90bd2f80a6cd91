"""JSON in one piece."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import open_source

ROWS = [{"id": number, "title": f"T{number}", "text": f"Text {number} has five words, é."} for number in range(3)]


def found(path: Path, options: str = "") -> list[Document | Unusable]:
    return list(open_source(f"{path}{options}").documents())


def texts(items: list[Document | Unusable]) -> list[str]:
    return [item.text for item in items if isinstance(item, Document)]


@pytest.mark.parametrize("layout", [{}, {"indent": 4}, {"separators": (",", ":"), "ensure_ascii": False}])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_array_holds_what_json_lines_hold(tmp_path: Path, layout: dict[str, object], encoding: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(ROWS, **layout), encoding=encoding)
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    whole, lines = found(tmp_path / "a.json"), found(tmp_path / "a.jsonl")
    assert [(item.id, item.title, item.text) for item in whole] == [(item.id, item.title, item.text) for item in lines]


def test_its_name_does_not_matter_and_it_may_be_packed(tmp_path: Path) -> None:
    (tmp_path / "export").write_bytes(gzip.compress(json.dumps(ROWS).encode()))
    assert len(texts(found(tmp_path / "export"))) == 3


def test_columns_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"a": {"b": "What is said here, in full."}}]))
    assert texts(found(tmp_path / "a.json", "?text=a.b")) == ["What is said here, in full."]


@pytest.mark.parametrize(
    ("content", "read", "told"),
    [
        ('[{"text": "One of the five words."}, 5, {"text": "Two of the five words."}]', 2, "not a JSON object"),
        ('[{"text": "One of the five words."}, {"text": "Tw', 1, "cannot be read from here on"),
        ('[{"text": "One of the five words."} {"text": "Two of the five words."}]', 1, "cannot be read from here on"),
        ('[{"text": "One of the five words."}] {"text": "Two of the five words."}', 1, "cannot be read from here on"),
        ('[{"text": "One of the five words.", "text": "Two of the five words."}]', 0, "a key is there twice"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_is_read(tmp_path: Path, content: str, read: int, told: str) -> None:
    (tmp_path / "a.json").write_text(content)
    items = found(tmp_path / "a.json")
    assert len(texts(items)) == read
    assert [item.reason for item in items if isinstance(item, Unusable)] == [told]


def test_a_bad_byte_spoils_its_object_alone(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(
        json.dumps(ROWS).replace("Text 1", "Text \x00").encode().replace(b"\x00", b"\xff")
    )
    assert [text[:6] for text in texts(found(tmp_path / "a.json"))] == ["Text 0", "Text 2"]


def test_half_a_packed_file_gives_what_there_is(tmp_path: Path) -> None:
    whole = gzip.compress(
        json.dumps([{"text": f"Text {number**9} of the five words."} for number in range(2000)]).encode()
    )
    (tmp_path / "a.json.gz").write_bytes(whole[: len(whole) // 2])
    items = found(tmp_path / "a.json.gz")
    assert len(texts(items)) > 500
    assert isinstance(items[-1], Unusable)
    assert items[-1].reason == "cannot be read from here on"
