from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.prose import visible
from nextvec.corpus.sources import open_source
from nextvec.errors import DataError, NotFoundError, UsageError

TEXT = "A first sentence of some length. And a second one."


def write_jsonl(path: Path, count: int) -> Path:
    lines = [json.dumps({"doc_id": f"d{number}", "text": TEXT}) for number in range(count)]
    path.write_text("\n".join(lines))
    return path


def test_kind_is_found_from_the_ending(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    [document] = open_source(str(tmp_path / "a.txt")).documents()
    assert isinstance(document, Document)
    assert (document.id, document.title, document.text) == ("a.txt", "a", TEXT)


def test_kind_is_found_from_how_the_file_begins(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "export", 2)
    assert [document.id for document in open_source(str(path)).documents()] == ["d0", "d1"]


def test_gzip_is_found_from_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(gzip.compress(write_jsonl(tmp_path / "plain.jsonl", 3).read_bytes()))
    assert len(list(open_source(str(path)).documents())) == 3


PACKINGS = [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
ROW = json.dumps({"id": "a", "text": TEXT})


@pytest.mark.parametrize(("ending", "pack"), PACKINGS)
@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", TEXT), ("a.md", TEXT), ("a.html", f"<p>{TEXT}"), ("a.jsonl", ROW), ("a", ROW), ("a", f"<html>{TEXT}")],
)
def test_a_packed_file_is_of_the_kind_that_it_is_unpacked(
    tmp_path: Path, name: str, content: str, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / f"{name}{ending}").write_bytes(pack(content.encode()))
    [document] = open_source(str(tmp_path / f"{name}{ending}")).documents()
    assert isinstance(document, Document)
    assert (document.title, document.text) == ("a", TEXT)
    if name != "a":
        assert list(open_source(str(tmp_path)).documents()) == [document]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\x28\xb5\x2f\xfd and so on", "packed with Zstandard"), (gzip.compress(b"so"), "not a kind of file")],
    ids=["Zstandard", "gzip"],
)
def test_what_is_packed_and_of_no_known_kind_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.jsonl.zst").write_bytes(content)
    with pytest.raises(UsageError, match=message):
        open_source(str(tmp_path / "a.jsonl.zst"))


@pytest.mark.parametrize("damage", [lambda packed: packed[:-9], lambda packed: packed[:20] + bytes(4) + packed[24:]])
def test_a_text_that_cannot_be_unpacked_to_its_end_fails(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    (tmp_path / "a.txt.gz").write_bytes(damage(gzip.compress(TEXT.encode())))
    [item] = open_source(str(tmp_path / "a.txt.gz")).documents()
    assert isinstance(item, Unusable)
    assert "it is packed, and damaged" in item.message


def test_limit_counts_usable_documents(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", 4)
    path.write_text("not json\n" + path.read_text())
    found = list(open_source(str(path), limit=2).documents())
    assert [type(item) for item in found] == [Unusable, Document, Document]


def test_every_call_starts_anew(tmp_path: Path) -> None:
    source = open_source(str(write_jsonl(tmp_path / "a.jsonl", 2)))
    assert list(source.documents()) == list(source.documents())


def test_a_duplicate_id_is_reported(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", 1)
    path.write_text(path.read_text() + "\n" + path.read_text())
    _, second = open_source(str(path)).documents()
    reason = "its id was given to an earlier document"
    assert second == Unusable(id="d0", reason=reason, kind="failed", characters=visible(TEXT))


def test_a_missing_file_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "wiki.jsonl").touch()
    with pytest.raises(NotFoundError, match=r"no file or folder '.*wiki\.json'.*holds: wiki\.jsonl\."):
        open_source(str(tmp_path / "wiki.json"))


@pytest.mark.parametrize("kind", ["html", "text", "jsonl", "parquet", "wikipedia", "warc", "pdf", "manifest"])
def test_a_folder_is_no_file_whatever_its_name(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(UsageError, match=r"a\.txt' is a folder, expected a file"):
        open_source(f"{kind}:{tmp_path / 'a.txt'}")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    with pytest.raises(UsageError, match=r"a\.txt' is a file, expected a folder"):
        open_source(f"folder:{tmp_path / 'a.txt'}")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("pydoc:", "Did you mean 'pydocs'"),
        ("pydocs:3", "no package '3' is installed"),
        ("pydocs:?x", "expected key=value"),
        ("", "no file or folder is named: got an empty path"),
        ("?text=body", "no file or folder is named: got an empty path"),
        ("jsonl:", "no file or folder is named: got an empty path"),
        ("-", "Write the text to a file first"),
        ("/dev/null", "'/dev/null' is a pipe or a device"),
    ],
)
def test_a_wrong_reference_is_one_clear_line(reference: str, message: str) -> None:
    with pytest.raises((UsageError, NotFoundError), match=message):
        open_source(reference)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "text.txt")
    with pytest.raises(UsageError, match="is a pipe or a device"):
        open_source(str(tmp_path / "text.txt"))


def test_limit_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="limit 0: expected at least 1"):
        open_source("pydocs:", limit=0)


def test_an_unknown_option_names_the_nearest(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", 1)
    with pytest.raises(UsageError, match="Did you mean 'text'"):
        open_source(f"{path}?texts=body")


def test_a_pointer_of_git_lfs_is_no_text(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 33\n"
    (tmp_path / "a.txt").write_text(pointer)
    with pytest.raises(DataError, match=r"pointer of Git LFS.*git lfs pull"):
        open_source(str(tmp_path / "a.txt"))
    [item] = open_source(str(tmp_path)).documents()
    assert isinstance(item, Unusable)
    assert (item.kind, item.cause) == ("failed", "cannot be read")


def test_names_of_files_are_told_on_one_line_and_as_unicode(tmp_path: Path) -> None:
    for name in (b"a\nb.txt", b"caf\xe9.txt", "\u00e9.txt".encode()):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(TEXT)
    documents = list(open_source(str(tmp_path)).documents())
    assert [(item.id, getattr(item, "text", "")) for item in documents] == [
        ("a\\nb.txt", TEXT),
        ("caf\\xe9.txt", TEXT),
        ("\u00e9.txt", TEXT),
    ]


def test_a_page_without_prose_tells_what_it_holds_instead(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<title>A</title><h1>A</h1><pre>x = open(a)\nprint(x)</pre>")
    [item] = open_source(str(tmp_path / "a.html")).documents()
    assert isinstance(item, Unusable)
    assert item.message == "no prose: most of it is left out as code"


def test_xml_is_of_the_kind_that_its_root_says(tmp_path: Path) -> None:
    """One ending, several kinds."""
    pages = {
        "a.xml": f'<?xml version="1.0"?><article><title>Boats</title><para>{TEXT}</para></article>',
        "b.xml": '<?xml version="1.0"?>\n<project><name>A name</name></project>',
        "c.fb2": f"<FictionBook><body><p>{TEXT}</p></body></FictionBook>",
    }
    for name, page in pages.items():
        (tmp_path / name).write_text(page)
    first, other, second = open_source(str(tmp_path)).documents()
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert (first.title, first.text, second.text) == ("Boats", TEXT, TEXT)
    assert isinstance(other, Unusable)
    assert "its root is <project>, expected" in other.detail
