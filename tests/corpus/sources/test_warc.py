from __future__ import annotations

import gzip
import sys
import zlib
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import open_source
from nextvec.errors import MissingDependencyError, UsageError

TEXT = "The river rises in the hills. It was named after a king, who never saw it."
PAGE = f"<html><head><title>Rivers</title></head><body><h1>The River</h1><p>{TEXT}</p><nav>Home</nav></body></html>"
ADDRESS = "http://example.org/{}"


class Writer(WARCWriter):
    """Closes what it opens, which the library leaves to the garbage collection."""

    def _create_temp_file(self) -> BytesIO:
        return BytesIO()


class Archive:
    """A file that warcio writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb")
        self._writer = Writer(self._file, gzip=path.suffix == ".gz")
        self._count = 0

    def add(
        self, kind: str, content: bytes, *, http: list[tuple[str, str]] | None = None, status: str = "200 OK", **how
    ):
        self._count += 1
        headers = None if http is None else StatusAndHeaders(status, http, protocol="HTTP/1.1")
        given = {"WARC-Record-ID": f"<urn:uuid:{self._count:032d}>", **how.pop("warc_headers_dict", {})}
        record = self._writer.create_warc_record(
            ADDRESS.format(self._count), kind, payload=BytesIO(content), http_headers=headers,
            warc_headers_dict=given, **how,
        )  # fmt: skip
        self._writer.write_record(record)

    def page(self, content: bytes, kind: str = "text/html", **how) -> None:
        headers = [("Content-Type", kind), *how.pop("headers", [])]
        self.add("response", content, http=headers, **how)

    def read(self) -> list[Document | Unusable]:
        self._file.close()
        return list(open_source(str(self.path)).documents())


@pytest.fixture(params=["a.warc", "a.warc.gz"])
def archive(request, tmp_path: Path):
    made = Archive(tmp_path / request.param)
    yield made
    made._file.close()


def test_pages_are_read_as_html(archive: Archive) -> None:
    archive.page(PAGE.encode())
    [document] = archive.read()
    assert isinstance(document, Document)
    assert (document.id, document.source) == (f"{1:032d}", ADDRESS.format(1))
    assert (document.title, document.text) == ("The River", TEXT)
    assert document.left_out["navigation"] == 4
    assert [one.text for one in document.headings] == ["The River"]


def test_what_is_no_page_is_counted_by_its_reason(archive: Archive) -> None:
    archive.add("warcinfo", b"software: none\r\n")
    archive.add("request", b"", http=[("Host", "example.org")])
    archive.page(b"\x89PNG", "image/png")
    archive.page(PAGE.encode(), status="404 Not Found")
    archive.page(PAGE.encode())
    archive.add("metadata", b"a: b")
    *unusable, document, last = archive.read()
    assert isinstance(document, Document)
    causes = [(item.cause, item.kind) for item in (*unusable, last) if isinstance(item, Unusable)]
    names = ("warcinfo record", "request record", "not HTML", "HTTP status 404", "metadata record")
    assert causes == [(name, "skipped") for name in names]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text/html; charset=ISO-8859-1", "é".encode("latin-1")),
        ('text/html;charset="utf-8"', "é".encode()),
        ("text/html", b'<meta charset="windows-1252">' + "é".encode("cp1252")),
        ("text/html", "é".encode()),
        ("application/xhtml+xml", "é".encode()),
    ],
)
def test_encodings_are_those_of_the_headers_then_of_the_page(archive: Archive, kind: str, content: bytes) -> None:
    archive.page(b"<p>" + content + b" is a letter that has an accent.</p>", kind)
    [document] = archive.read()
    assert isinstance(document, Document)
    assert document.text == "é is a letter that has an accent."


def test_what_cannot_be_decoded_fails_alone(archive: Archive) -> None:
    archive.page(b"<p>\xff\xfe\xfd is no letter of UTF-8.</p>", "text/html; charset=utf-8")
    archive.page(b"\x1b\x03\x00 no page", headers=[("Content-Encoding", "compress, br")])
    archive.page(PAGE.encode())
    bad, packed, document = archive.read()
    assert isinstance(bad, Unusable)
    assert (bad.cause, bad.kind, bad.place) == ("cannot be decoded", "failed", f"{archive.path.name}:1")
    assert "?encoding=" not in bad.message
    assert isinstance(packed, Unusable)
    assert "packed with compress, br: it can be unpacked from gzip, deflate, br, zstd" in packed.message
    assert isinstance(document, Document)


def test_bytes_that_are_no_text_are_replaced_where_that_is_asked_for(archive: Archive) -> None:
    archive.page(f"<p>{TEXT}</p><p>The mou".encode() + b"\xff" + b"th is wide.</p>")
    (refused,) = archive.read()
    assert f"U+FFFD in place of such bytes: {archive.path.name}?errors=replace" in refused.detail
    (page,) = open_source(f"{archive.path}?errors=replace").documents()
    assert page.text == f"{TEXT}\n\nThe mou\ufffdth is wide."


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_page_of_which_the_crawler_kept_the_beginning_is_read_so_far(archive: Archive, pack) -> None:
    content = pack(f"<p>{TEXT}</p><p>{TEXT.replace('hills', 'Größe')}</p>".encode())
    packed = [("Content-Encoding", "gzip")] if pack is gzip.compress else []
    kept = content[: content.index("ö".encode()) + 1] if pack is bytes else content[:-9]
    archive.page(kept, headers=packed, warc_headers_dict={"WARC-Truncated": "length"})
    (page,) = archive.read()
    assert page.text.startswith(f"{TEXT}\n\nThe river rises in the Gr")


def test_packed_answers_that_are_cut_short_are_no_pages(archive: Archive) -> None:
    whole = gzip.compress(PAGE.encode())
    archive.page(whole[: len(whole) * 2 // 3], headers=[("Content-Encoding", "gzip")])
    archive.page(PAGE.encode())
    cut, document = archive.read()
    assert isinstance(cut, Unusable)
    assert "is packed, and cut short or damaged" in cut.message
    assert isinstance(document, Document)


def packed(packing: str) -> bytes:
    """The page; skips where the package is not installed."""
    if packing == "br":
        return pytest.importorskip("brotli").compress(PAGE.encode())
    if packing == "zstd":
        frame = pytest.importorskip("zstandard").ZstdCompressor().compress
        return frame(PAGE[:100].encode()) + frame(PAGE[100:].encode())
    return zlib.compress(PAGE.encode()) if packing == "deflate" else gzip.compress(PAGE.encode())


@pytest.mark.parametrize("packing", ["gzip", "x-gzip", "X-GZip", "deflate", "br", "zstd"])
def test_answers_may_be_packed(archive: Archive, packing: str) -> None:
    content = packed(packing)
    archive.page(content, headers=[("Content-Encoding", packing)])
    archive.page(content[: len(content) * 2 // 3], headers=[("Content-Encoding", packing)])
    document, cut = archive.read()
    assert isinstance(document, Document)
    assert document.text == TEXT
    assert isinstance(cut, Unusable)
    assert "is packed, and cut short or damaged" in cut.message


@pytest.mark.parametrize("packing", ["gzip", "x-gzip", "br", "zstd", "identity", "utf-8"])
def test_answers_that_are_not_packed_as_they_say_are_pages(archive: Archive, packing: str) -> None:
    archive.page(PAGE.encode(), headers=[("Content-Encoding", packing)])
    [document] = archive.read()
    assert isinstance(document, Document)
    assert document.text == TEXT


@pytest.mark.parametrize(("packing", "package"), [("br", "brotli"), ("zstd", "zstandard")])
def test_a_package_that_is_missing_is_named(archive: Archive, packing: str, package: str, monkeypatch) -> None:
    monkeypatch.setattr("nextvec.corpus.sources.packing.find_spec", lambda name: None)
    archive.page(b"\x1b\x03\x00 no page", headers=[("Content-Encoding", packing)])
    [item] = archive.read()
    assert isinstance(item, Unusable)
    assert item.cause == f"packed with {packing}"
    assert f"the package '{package}', which is not installed. Run: pip install 'nextvec[documents]'" in item.message


@pytest.mark.parametrize("keep", [1.0, 0.6])
def test_a_file_that_is_packed_as_a_whole(tmp_path: Path, keep: float) -> None:
    """With `gzip crawl.warc`; what can be unpacked of one that is cut short is read."""
    archive = Archive(tmp_path / "a.warc")
    random = Random(0)
    for _ in range(40):
        archive.page(PAGE.replace("hills", f"hills of {random.getrandbits(64)}").encode())
    plain = archive.read()
    content = gzip.compress(archive.path.read_bytes())
    (tmp_path / "b.warc.gz").write_bytes(content[: int(keep * len(content))])
    items = list(open_source(str(tmp_path / "b.warc.gz")).documents())
    whole = [item for item in items if isinstance(item, Document)]
    assert whole == plain[: len(whole)]
    if keep == 1.0:
        assert len(items) == len(whole) == 40
    else:
        assert len(whole) >= 10
        assert [item.cause for item in items[len(whole) :]] == [f"cannot be read on after {len(whole)} records"]


def test_resources_have_no_answer(archive: Archive) -> None:
    archive.add("resource", PAGE.encode(), warc_content_type="text/html")
    [document] = archive.read()
    assert isinstance(document, Document)
    assert document.text == TEXT


def test_common_crawls_wet_is_plain_text(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "CC-MAIN.warc.wet.gz")
    archive.add("warcinfo", b"Software-Info: none\r\n")
    archive.add("conversion", f"The River\n{TEXT}\nÜber den Fluß.".encode(), warc_content_type="text/plain")
    archive.add("conversion", b"no text", warc_content_type="application/octet-stream")
    skipped, document, other = archive.read()
    assert isinstance(document, Document)
    assert (document.title, document.source) == (ADDRESS.format(2), ADDRESS.format(2))
    assert document.text == f"The River\n\n{TEXT}\n\nÜber den Fluß."
    assert (skipped.reason, other.reason) == ("warcinfo record", "not text: application/octet-stream")


@pytest.mark.parametrize("keep", [0.4, 0.5, 0.9])
def test_a_file_that_is_cut_short(archive: Archive, keep: float) -> None:
    for _ in range(3):
        archive.page(PAGE.encode())
    assert len(archive.read()) == 3
    content = archive.path.read_bytes()
    archive.path.write_bytes(content[: int(keep * len(content))])
    items = list(open_source(str(archive.path)).documents())
    assert 1 <= sum(isinstance(item, Document) for item in items) < 3
    assert isinstance(items[-1], Unusable)
    assert items[-1].kind == "failed"


def test_what_is_no_warc(tmp_path: Path) -> None:
    (tmp_path / "a.warc").write_bytes(b"no such thing\r\n\r\n" * 4)
    [item] = open_source(str(tmp_path / "a.warc")).documents()
    assert isinstance(item, Unusable)
    assert item.reason == "cannot be read on after 0 records"


@pytest.mark.parametrize("line", [b"<p>" + TEXT.encode() * 9, b"\x00\xff\x1b" * 99])
def test_of_what_follows_a_wrong_length_a_beginning_is_told_and_nothing_printed(
    archive: Archive, capsys, line: bytes
) -> None:
    archive.page(PAGE.encode())
    archive._file.write(b"odd\r\n" + line)
    *documents, item = archive.read()
    assert len(documents) == 1
    assert isinstance(item, Unusable)
    assert len(item.detail) < 120
    assert (item.detail.isprintable(), capsys.readouterr().err) == (True, "")


def test_without_the_package(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a.warc").write_bytes(b"")
    with pytest.raises(UsageError, match="unknown option"):
        open_source(f"{tmp_path / 'a.warc'}?encoding=utf-8")
    monkeypatch.setitem(sys.modules, "warcio", None)
    with pytest.raises(MissingDependencyError, match=r"nextvec\[documents\]"):
        open_source(str(tmp_path / "a.warc"))
