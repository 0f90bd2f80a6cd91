from __future__ import annotations

import bz2
import gzip
import json
import lzma
import math
import tracemalloc
from collections.abc import Callable
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


@pytest.mark.parametrize("nothing", [None, math.nan, "", " \n"])
def test_a_column_with_nothing_in_it_hides_no_other(tmp_path: Path, nothing: object) -> None:
    row = {"title": nothing, "name": "T", "text": nothing, "content": nothing, "body": TEXT}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    [document] = found(tmp_path / "a.jsonl")
    assert isinstance(document, Document)
    assert (document.title, document.text) == ("T", TEXT)


def test_where_all_are_blank_there_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": " ", "body": "", "summary": TEXT}))
    [item] = found(tmp_path / "a.jsonl")
    assert isinstance(item, Unusable)
    assert (item.kind, item.reason) == ("skipped", "empty")


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
        (b"[1]", "it is a list, expected an object"),
        (b'{"id": "x\xff"}', "not UTF-8: at byte 9 of the line"),
        (b'{"id": "x"}', "no text: looked for text, content"),
        (b'{"text": 5}', "its text is not a string: text is a number"),
        (b'{"text": ["One.", "Two."]}', "its text is not a string: text is a list"),
        (b'{"text": true}', "its text is not a string: text is true or false"),
        (b'{"text": {"body": "A text."}}', "text is a structure of body. Name it: a.jsonl?text=text.body"),
        (b'{"id": "abcdefg", "line": "abc"}', "has id, line. Name it: a.jsonl?text=line"),
        (b'{"Id": "abcdefg", "Text": "abc"}', "has Id, Text. Name it: a.jsonl?text=Text"),
        (b'{"id": "x", "the text": "abc"}', "Name it: a.jsonl?text=the%20text"),
        (b'{"id": "x", "n": 5}', "has id, n"),
        (b'{"text": "\\ud800 and a few more words here"}', "half a surrogate pair"),
        (b'{"id": "\\ud800", "text": "and a few more words here"}', "its id cannot be written as UTF-8: it has half"),
        (
            b'{"id": "\\ud800", "text": "\\ud800 and a few more words"}',
            "its text cannot be written as UTF-8: it has half",
        ),
        (b"[" * 100_000, "not JSON"),
        (b'{"id": 1, "text": "One.", "text": "Two."}', "a key is there twice: 'text'"),
    ],
)
def test_a_bad_line_fails_alone(tmp_path: Path, line: bytes, reason: str) -> None:
    good = json.dumps({"id": "good", "text": TEXT}).encode()
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([line, b"  ", good]))
    first, second = found(tmp_path / "a.jsonl")
    assert isinstance(first, Unusable)
    assert first.kind == "failed"
    assert reason in first.message
    assert isinstance(second, Document)


def test_a_key_that_is_there_twice_further_in_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"id": "x", "text": {json.dumps(TEXT)}, "about": {{"tag": 1, "tag": 2}}}}')
    [document] = found(tmp_path / "a.jsonl")
    assert isinstance(document, Document)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "empty"), (" \n ", "empty"), (None, "empty"), (math.nan, "empty"), ("Too few words.", "too short: 3 words")],
)
def test_little_text_is_skipped(tmp_path: Path, text: object, reason: str) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "x", "text": text}))
    [item] = found(tmp_path / "a.jsonl")
    assert isinstance(item, Unusable)
    assert item.kind == "skipped"
    assert item.message.startswith(reason)


def test_a_damaged_archive_gives_what_can_be_read(tmp_path: Path) -> None:
    lines = b"".join(json.dumps({"id": n, "text": f"{TEXT} {n * 7919}"}).encode() + b"\n" for n in range(5000))
    packed = gzip.compress(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    *documents, last = found(tmp_path / "a.jsonl.gz")
    assert len(documents) > 1000
    assert isinstance(last, Unusable)
    assert "cannot be read from here on" in last.reason


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize(
    ("damage", "kind"),
    [(lambda packed: packed[:-8], "failed"), (lambda packed: packed + b"x", "skipped")],
    ids=["cut", "goes on"],
)
def test_every_line_that_was_unpacked_is_there(
    tmp_path: Path, damage: Callable[[bytes], bytes], kind: str, end: str
) -> None:
    lines = "\n".join(json.dumps({"id": n, "text": TEXT}) for n in range(3)) + end
    (tmp_path / "a.jsonl.gz").write_bytes(damage(gzip.compress(lines.encode())))
    *documents, last = found(tmp_path / "a.jsonl.gz")
    assert [item.id for item in documents if isinstance(item, Document)] == ["0", "1", "2"]
    assert isinstance(last, Unusable)
    assert (last.id, last.kind) == ("a.jsonl.gz:4", kind)


def test_pieces_of_a_document_are_put_in_order(tmp_path: Path) -> None:
    rows = [{"id": "x", "position": 10 - n, "text": f"{TEXT} {n}"} for n in range(3)] + [{"id": "y", "text": TEXT}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    first, second = found(tmp_path / "a.jsonl")
    assert isinstance(first, Document)
    assert first.text == f"{TEXT} 2\n\n{TEXT} 1\n\n{TEXT} 0"
    assert isinstance(second, Document)


def test_a_piece_that_is_null_is_left_out(tmp_path: Path) -> None:
    rows = [{"id": "x", "position": n, "text": text} for n, text in enumerate([TEXT, None, "And an end to it."])]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    [document] = found(tmp_path / "a.jsonl")
    assert isinstance(document, Document)
    assert document.text == f"{TEXT}\n\nAnd an end to it."


def test_a_dot_leads_into_a_structure(tmp_path: Path) -> None:
    rows = [{"id": 1, "page": {"body": TEXT}}, {"id": 2, "page": None}, {"id": 3, "page": {"body": None}}, {"id": 4}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    first, *others = found(tmp_path / "a.jsonl", "?text=page.body")
    assert isinstance(first, Document)
    assert [(item.id, item.reason) for item in others if isinstance(item, Unusable)] == [
        ("2", "empty"),
        ("3", "empty"),
        ("4", "no text"),
    ]


def test_a_reason_is_the_same_for_all_lines_and_the_place_apart(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"id": n, "sentence": TEXT}) + "\n" for n in range(2)))
    first, second = found(tmp_path / "a.jsonl")
    assert isinstance(first, Unusable)
    assert isinstance(second, Unusable)
    assert (first.reason, first.place, second.place) == ("no text", "a.jsonl:1", "a.jsonl:2")
    assert first.detail == (
        "looked for text, content, body, article, document, passage; has id, sentence. Name it: a.jsonl?text=sentence"
    )


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ""])
def test_every_unicode_encoding(tmp_path: Path, encoding: str, ending: str) -> None:
    """With a mark or without, zipped or not, also where the name says nothing."""
    texts = [f"Größe \u2028 und 你好 {sign} sind hier zu lesen." for sign in ("\n", "\U0001d518", "Ж")]
    lines = "\r\n".join(json.dumps({"id": n, "text": text}, ensure_ascii=False) for n, text in enumerate(texts))
    content = f"\n{lines}\n".encode(encoding)
    path = tmp_path / f"a{ending}"
    path.write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    documents = found(path)
    assert [document.id for document in documents] == ["0", "1", "2"]
    assert all(isinstance(item, Document) and "你好" in item.text for item in documents)


def test_files_with_marks_put_together(tmp_path: Path) -> None:
    parts = [json.dumps({"id": n, "text": TEXT}).encode("utf-8-sig") + b"\n" for n in range(3)]
    (tmp_path / "a.jsonl").write_bytes(b"".join(parts))
    assert [item.id for item in found(tmp_path / "a.jsonl")] == ["0", "1", "2"]


def test_a_utf16_file_that_was_cut_gives_what_can_be_read(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"id": n, "text": TEXT}) + "\n" for n in range(3))
    (tmp_path / "a.jsonl").write_bytes(lines.encode("utf-16")[:-5])
    *documents, last = found(tmp_path / "a.jsonl")
    assert [document.id for document in documents] == ["0", "1"]
    assert isinstance(last, Unusable)


def test_a_lone_surrogate_in_utf16_fails_alone(tmp_path: Path) -> None:
    lines = [json.dumps({"id": n, "text": f"{TEXT} {sign}"}, ensure_ascii=False) for n, sign in enumerate("\ud800x")]
    (tmp_path / "a.jsonl").write_bytes("\n".join(lines).encode("utf-16", "surrogatepass"))
    first, second = found(tmp_path / "a.jsonl")
    assert isinstance(first, Unusable)
    assert isinstance(second, Document)


def test_what_tidying_drops_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": f"\x00{TEXT}\u200b\x07 And more."}))
    [document] = found(tmp_path / "a.jsonl")
    assert isinstance(document, Document)
    assert dict(document.left_out) == {"control characters": 3}


def test_positions_that_are_no_numbers_fail(tmp_path: Path) -> None:
    rows = [{"id": "x", "position": position, "text": TEXT} for position in (1, "two")]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    [item] = found(tmp_path / "a.jsonl")
    assert isinstance(item, Unusable)
    assert "positions are not all numbers: [1, 'two']" in item.message


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


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_files_are_known_to_be_packed_whatever_their_name(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "a.jsonl").write_bytes(pack(json.dumps({"id": "a", "text": TEXT}).encode()))
    [item] = found(tmp_path / "a.jsonl")
    assert isinstance(item, Document)


def test_a_packing_that_is_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\x28\xb5\x2f\xfd and so on")
    [item] = found(tmp_path / "a.jsonl")
    assert isinstance(item, Unusable)
    assert "packed with Zstandard" in item.message
