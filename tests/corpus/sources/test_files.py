from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.headings import Heading
from nextvec.corpus.sources import open_source
from nextvec.errors import DataError, UsageError

TEXT = "A first sentence of some length. And a second one."


def read(path: Path) -> Document:
    [document] = open_source(str(path)).documents()
    assert isinstance(document, Document)
    return document


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_wrapped_lines_are_joined_and_long_ones_are_paragraphs(tmp_path: Path) -> None:
    long = "word " * 30 + "end."
    path = write(tmp_path / "a.txt", f"\ufeffOne two\r\n  three.\n\n\n{long}\n{long}\n\x00")
    assert read(path).text == f"One two three.\n\n{long}\n\n{long}"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark(tmp_path: Path, encoding: str) -> None:
    assert read(write(tmp_path / "a.txt", "Ein schöner langer Satz hier.".encode(encoding))).text.startswith("Ein schö")


def test_an_unreadable_encoding_is_reported(tmp_path: Path) -> None:
    [item] = open_source(str(write(tmp_path / "a.txt", "schön".encode("latin-1")))).documents()
    assert isinstance(item, Unusable)
    assert "can't decode byte 0xf6 in position 3" in item.detail


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.txt?encoding=windows-1252"])
@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"%PDF-1.4\nBT (A first sentence.) Tj ET", "a PDF: read it as pdf:a."),
        (b"PK\x03\x04" + bytes(22) + b"word/document.xml", "a DOCX: read it as docx:a."),
        (b"PK\x03\x04" + bytes(22) + b"mimetypeapplication/epub+zip", "an EPUB: read it as epub:a."),
        (b"PK\x03\x04" + bytes(22) + b"a.txt", "packed with zip: unpack it first"),
        (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        (b"{\\rtf1 A first sentence.}", "RTF: save it as DOCX"),
    ],
)
def test_what_is_no_text_is_said_to_be_what_it_is(tmp_path: Path, name: str, content: bytes, advice: str) -> None:
    write(tmp_path / name.partition("?")[0], content)
    [item] = open_source(str(tmp_path / name)).documents()
    assert isinstance(item, Unusable)
    assert f"it is no text but {advice}" in item.detail


def test_markdown_and_html_have_titles_of_their_own(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.md", f"# Heading\n\n{TEXT}\n")).title == "Heading"
    page = f'<meta charset="latin-1"><title>Schön</title><p>{TEXT}'
    assert read(write(tmp_path / "a.html", page.encode("latin-1"))).title == "Schön"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.rst", f"A title\n=======\n\n{TEXT}\n\n..\n\n    It is *so*.\n"),
        ("a.tex", f"\\emph{{{TEXT}}}\n\nIt is \\emph{{so}}. % no\n"),
        ("a.eml.gz", f"From: a@example.org\nTo: b@example.org\nSubject: A\n\n{TEXT}\n\nIt is so.\n\n-- \nAnn\n"),
    ],
)
def test_what_a_name_says_a_text_is_written_in_is_read_so(tmp_path: Path, name: str, written: str) -> None:
    content = gzip.compress(written.encode()) if name.endswith(".gz") else written.encode()
    assert read(write(tmp_path / name, content)).text == f"{TEXT}\n\nIt is so."


@pytest.mark.parametrize("start", ["\ufeff<!DOCTYPE html>", "\n<HTML>", '<?xml version="1.0"?>\n<html>'])
def test_a_page_without_an_ending_is_known_by_its_start(tmp_path: Path, start: str) -> None:
    assert read(write(tmp_path / "page", f"{start}<p>{TEXT}")).text == TEXT


def test_a_page_of_an_unknown_encoding_is_reported(tmp_path: Path) -> None:
    [item] = open_source(str(write(tmp_path / "a.html", b'<meta charset="klingon"><p>\xf6'))).documents()
    assert isinstance(item, Unusable)
    assert item.cause == "cannot be decoded"
    assert "klingon" in item.detail


def test_a_folder_in_order_of_path(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.md", "a/b/c.html", "A.txt", ".hidden.txt", ".git/x.txt", "picture.PNG"):
        write(tmp_path / name, f"{TEXT} {name}")
    write(tmp_path / "rows.jsonl", f'{{"id": "row", "text": "{TEXT}"}}')
    write(tmp_path / "bad.txt", b"\xff")
    items = list(open_source(str(tmp_path)).documents())
    wanted = [item.id for item in items if not isinstance(item, Unusable) or item.kind == "failed"]
    assert wanted == ["A.txt", "a/b/c.html", "a/z.md", "b.txt", "bad.txt", "row"]
    assert [type(item) for item in items].count(Unusable) == 4
    skipped = {item.id: item.reason for item in items if isinstance(item, Unusable) and item.kind == "skipped"}
    assert skipped == {".git": "hidden", ".hidden.txt": "hidden", "picture.PNG": "of no known kind: .png"}
    assert {item.sort for item in items if isinstance(item, Unusable)} == {"", ".png"}


def test_one_file_alone_has_the_same_id_as_in_its_folder(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", TEXT)
    [in_folder] = open_source(str(tmp_path)).documents()
    assert in_folder == read(path)


def test_what_lines_are_and_the_encoding_are_options(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", f"{TEXT}\nSchön.".encode("cp1252"))
    [document] = open_source(f"{path}?encoding=windows-1252&lines=wrapped").documents()
    assert isinstance(document, Document)
    assert document.text == f"{TEXT} Schön."
    for options, message in (("encoding=klingon", "unknown encoding 'klingon'"), ("lines=all", "lines = 'all'")):
        with pytest.raises(UsageError, match=message):
            open_source(f"{path}?{options}")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.jsonl"])
def test_what_is_left_out_travels_with_the_document(tmp_path: Path, name: str) -> None:
    content = f'{{"text": "{TEXT}\u00ad"}}' if name.endswith("jsonl") else f"{TEXT}\u00ad"
    assert read(write(tmp_path / name, content)).left_out["control characters"] == 1


def test_options_that_a_file_does_not_take_are_reported_for_that_file(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", TEXT)
    write(tmp_path / "b.jsonl", f'{{"story": "{TEXT}"}}')
    text, rows = open_source(f"{tmp_path}?text=story").documents()
    assert isinstance(text, Unusable)
    assert "unknown option of text file a.txt 'text'" in text.message
    assert isinstance(rows, Document)


def test_a_folder_without_anything_known(tmp_path: Path) -> None:
    write(tmp_path / "a.png", b"x")
    with pytest.raises(DataError, match="holds no file of a known kind"):
        open_source(str(tmp_path))


def test_a_file_of_no_known_kind(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a kind of file that is known"):
        open_source(str(write(tmp_path / "a.png", b"x")))


@pytest.mark.parametrize("content", ["[]", "[1, 2]", "{}", '{\n "text": "A."\n}', "null", ""])
def test_json_that_is_no_rows_says_what_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(
        UsageError, match=r"a\.json: expected an array of objects, \[\{\.\.\.\}, \.\.\.\], or an object on"
    ):
        open_source(str(path))


@pytest.mark.parametrize(
    "address", ["http://x.org/a.txt", "https://x.org/a.jsonl?text=b", "HTTPS://x.org", "ftp://x/y"]
)
def test_an_address_is_to_be_fetched_first(address: str) -> None:
    with pytest.raises(UsageError, match="is an address: fetch it first, and give the path of the file"):
        open_source(address)


def link(path: Path, target: Path | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def reasons(root: Path) -> dict[str, str]:
    """What a folder gives by name: the reason of what is left out, "" of what is read."""
    return {item.id: item.reason if isinstance(item, Unusable) else "" for item in open_source(str(root)).documents()}


def test_links_are_followed(tmp_path: Path) -> None:
    write(tmp_path / "blobs/1f2e", TEXT)
    write(tmp_path / "elsewhere/deep/c.txt", TEXT)
    link(tmp_path / "root/data/a.txt", "../../blobs/1f2e")
    link(tmp_path / "root/more", "../elsewhere")
    assert reasons(tmp_path / "root") == {"data/a.txt": "", "more/deep/c.txt": ""}


def test_a_file_is_read_once_and_by_its_own_path(tmp_path: Path) -> None:
    write(tmp_path / "z/own.txt", TEXT)
    link(tmp_path / "a.txt", "z/own.txt")
    link(tmp_path / "b", "z")
    assert reasons(tmp_path) == {"a.txt": "read already: as z/own.txt", "b": "read already: as z", "z/own.txt": ""}


def test_loops_end_and_broken_links_are_told(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", TEXT)
    link(tmp_path / "sub/up", "..")
    link(tmp_path / "gone.txt", "nowhere.txt")
    link(tmp_path / "self.txt", "self.txt")
    found = reasons(tmp_path)
    assert found["a.txt"] == ""
    assert found["sub/up"] == "read already: as ."
    assert found["gone.txt"] == "its link leads nowhere: nowhere.txt"
    assert found["self.txt"] == "its link leads nowhere: self.txt"


def test_one_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", b"no parquet")
    write(tmp_path / "b.html", b'<meta charset="klingon"><p>a')
    write(tmp_path / "c.xml", b"<other/>")
    write(tmp_path / "d.jsonl.gz", b"\x1f\x8bbroken")
    write(tmp_path / "e.txt", TEXT)
    found = reasons(tmp_path)
    assert found.pop("e.txt") == ""
    assert len(found) == 4
    assert all(found.values())


@pytest.mark.parametrize("name", ["a.mhtml", "a.html", "page"])
def test_a_saved_page_is_read_from_its_archive(tmp_path: Path, name: str) -> None:
    archive = (
        "From: <Saved by a browser>\nMIME-Version: 1.0\nContent-Type: multipart/related;\n\tboundary=B\n\n"
        "--B\nContent-Type: text/html; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable\n\n"
        "<html><p>A first sen=\ntence of caf=E9s is here. And a second one.</p></html>\n"
        "--B\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\n--B--\n"
    )
    document = read(write(tmp_path / name, archive.replace("\n", "\r\n")))
    assert document.text == "A first sentence of caf\xe9s is here. And a second one."


@pytest.mark.parametrize(
    ("name", "content", "headings"),
    [
        ("a.md", f"## A\n\n{TEXT}", [Heading(text="A", level=2, start=0)]),
        ("a.html", f"<p>{TEXT}</p><h3>A</h3><p>{TEXT}</p>", [Heading(text="A", level=3, start=len(TEXT) + 2)]),
        ("a.txt", f"A\n\n{TEXT}", []),
        ("a.jsonl", f'{{"id": "a", "text": "# A\\n\\n{TEXT}"}}', []),
    ],
)
def test_headings_travel_with_the_document(tmp_path: Path, name: str, content: str, headings: list[Heading]) -> None:
    assert list(read(write(tmp_path / name, content)).headings) == headings


@pytest.mark.parametrize("name", ["a.srt", "a.vtt"])
def test_subtitles_are_known_by_their_endings(tmp_path: Path, name: str) -> None:
    cues = "WEBVTT\n\n1\n00:00:01.000 --> 00:00:04.000\nThe river rises\nin the hills."
    assert read(write(tmp_path / name, cues)).text == "The river rises in the hills."


def test_mail_is_known_without_an_ending_and_by_its_own_encoding(tmp_path: Path) -> None:
    head = "From a@b.c Mon Jan  1 10:00:00 2024\nFrom: a@b.c\nTo: d@e.f\nContent-Type: text/plain; charset=iso-8859-1\n"
    said = "Der Fluß kommt aus den Hügeln und fließt ins Meer."
    document = read(write(tmp_path / "Inbox", f"{head}\n{said}\n".encode("latin-1")))
    assert document.text == said
