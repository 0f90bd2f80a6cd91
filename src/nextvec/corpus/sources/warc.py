"""WARC (ISO 28500), what crawlers keep: HTML pages as they were answered; and Common Crawl's WET, their text.

Memory is bounded by the largest page, also of a file that was packed with gzip as a whole. Answers may be packed with
gzip, deflate, br or zstd. Records that hold no page are `Unusable` of kind "skipped", so that they are counted, and so
are answers that are no success or no HTML.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

from nextvec.config import Config
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.encodings import Errors, decode
from nextvec.corpus.markup.html import declared_encoding, read_html
from nextvec.corpus.markup.web_text import read_web_text
from nextvec.corpus.prose import Prose
from nextvec.corpus.sources import missing_path, register_source
from nextvec.corpus.sources.packing import Unzipped, advice, for_library, plain_name, unpacked
from nextvec.errors import DataError, MissingDependencyError

_HTML = ("text/html", "application/xhtml+xml")
_SUCCESS = "200"
_ONE_PIECE = "non-chunked gzip"
"""What warcio says of a file that was packed as a whole, and not record by record."""
_BLOCK = 65_536
_SILENT = SimpleNamespace(stderr=SimpleNamespace(write=lambda text: None))
"""In place of the module where the library prints what it finds damaged, which is told here by the file's name."""
_MOST_TOLD = 100
"""Characters of a message of the library."""
_URN = "urn:uuid:"


class WarcOptions(Config):
    """`errors`: of bytes that are not in a page's encoding, `strict` refuses the page, `replace` puts U+FFFD in their
    place."""

    errors: Errors = "strict"


@register_source(
    "warc",
    suffixes=(".warc", ".warc.gz", ".wet", ".wet.gz"),
    sniff=lambda head: head.startswith(b"WARC/"),
    extra="documents",
    leaves="what a page of HTML, or plain text, leaves out; of WET navigation (lines of menus), comments, footer, "
    "byline; answers that are no success or no HTML, and other records",
)
class WarcSource:
    """Documents have the id of their record, the address of the page as their source, and the title of the page.

    Raises NotFoundError, MissingDependencyError.
    """

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        self._errors = WarcOptions.parse(options, owner=f"WARC {name}").errors
        self._path, self._name = Path(argument), name
        if not self._path.is_file():
            raise missing_path(self._path)
        _library()

    def documents(self) -> Iterator[Document | Unusable]:
        with self._path.open("rb") as file:
            yield from self._documents(file, file)

    def _documents(self, file: BinaryIO, stream: BinaryIO | Unzipped, done: int = 0) -> Iterator[Document | Unusable]:
        """From a stream of `file`, behind those records that are `done`."""
        warcio, records = _library(), 0
        damaged = (warcio.exceptions.ArchiveLoadFailed, EOFError, OSError, ValueError, zlib.error)
        try:
            archive = warcio.ArchiveIterator(stream)
            for record in archive:
                if records >= done:
                    yield self._read(record, f"{self._name}:{records + 1}")
                _require_whole(record)
                records += 1
            _require_end(stream, archive.offset)
        except damaged as error:
            if _ONE_PIECE in str(error):
                file.seek(0)
                yield from self._documents(file, Unzipped(file), records)
                return
            reason, name = f"cannot be read on after {records} records", f"{self._name}:{records + 1}"
            yield Unusable(id=name, reason=reason, detail=_told(error), kind="failed")

    def _read(self, record: Any, place: str) -> Document | Unusable:
        """`place` is the record's, where it has no id."""
        identity = (record.rec_headers.get_header("WARC-Record-ID") or place).strip("<>").removeprefix(_URN)
        if reason := _no_page(record):
            return Unusable(id=identity, reason=reason, place=place, kind="skipped")
        packing = plain_name(_header(record, "Content-Encoding") or "")
        address = record.rec_headers.get_header("WARC-Target-URI") or place
        try:
            content = _content(record, packing)
            if told := advice(packing, content):
                return Unusable(id=identity, reason=f"packed with {packing}", detail=told, place=place, kind="failed")
            prose = self._prose(record, unpacked(packing, content))
        except DataError as error:
            return Unusable(id=identity, reason="cannot be decoded", detail=str(error), place=place, kind="failed")
        return Document(
            id=identity,
            title=prose.title or address,
            text=prose.text,
            source=address,
            licence="unknown",
            left_out=prose.left_out,
            headings=prose.headings,
        )

    def _prose(self, record: Any, content: bytes) -> Prose:
        """Raises DataError for bytes that are not in the encoding that headers, or the page, declare."""
        is_text = record.rec_type == "conversion"
        declared = _label(record) or (None if is_text else declared_encoding(content))
        text = decode(content, self._name, declared=declared, errors=self._errors, advise=False, cut=_is_cut(record))
        return read_web_text(text) if is_text else read_html(text)


def _library() -> Any:
    try:
        import warcio
        import warcio.archiveiterator
        import warcio.bufferedreaders
        import warcio.exceptions
    except ImportError:
        raise MissingDependencyError.for_extra("warcio", "documents") from None
    for module in (warcio.archiveiterator, warcio.bufferedreaders):
        module.sys = _SILENT
    return warcio


def _told(error: Exception) -> str:
    """What the library says, which may quote the file: no more of that than a beginning that can be read."""
    said = " ".join(str(error).split()) or type(error).__name__
    told = "".join(takewhile(str.isprintable, said))[:_MOST_TOLD]
    return said if told == said else f"{told}..."


def _no_page(record: Any) -> str:
    """Why a record holds none, "" where it does."""
    if record.rec_type == "conversion":
        return "" if _kind(record) == "text/plain" else f"not text: {_kind(record)}"
    if record.rec_type not in ("response", "resource"):
        return f"{record.rec_type} record"
    if record.rec_type == "response" and (status := _status(record)) != _SUCCESS:
        return f"HTTP status {status or 'unknown'}"
    return "" if _kind(record) in _HTML else f"not HTML: {_kind(record) or 'of no kind'}"


def _content(record: Any, packing: str) -> bytes:
    """Unpacked as far as the library does. Raises DataError for what is no whole page."""
    if record.http_headers is not None and packing:
        record.http_headers.replace_header("Content-Encoding", for_library(packing))
    stream = record.content_stream()
    content: bytes = stream.read()
    _require_whole(record)
    if not _is_cut(record):
        _require_unpacked(stream)
    return content


def _is_cut(record: Any) -> bool:
    """Whether the crawler kept the beginning alone, of an answer that was too long, say."""
    return record.rec_headers.get_header("WARC-Truncated") is not None


def _require_unpacked(stream: Any) -> None:
    """Raises DataError for a packed answer that ends too soon, of which the library gives what it could unpack."""
    unpacking = getattr(stream, "decompressor", None)
    if unpacking is not None and not unpacking.eof:
        raise DataError("what it answered is packed, and cut short or damaged")


def _require_end(stream: BinaryIO | Unzipped, offset: int) -> None:
    """Raises EOFError where something stands behind the last record, which ends at `offset`: one without its end."""
    while stream.read(_BLOCK):
        pass
    if left := stream.tell() - offset:
        raise EOFError(f"its last {left:,} bytes are no whole record")


def _require_whole(record: Any) -> None:
    """Raises EOFError for a record of which less is there than it says, which the library passes over."""
    while record.raw_stream.read():
        pass
    if getattr(record.raw_stream, "limit", 1) > 0:  # without a limit where its own header lacks its length
        raise EOFError("its last record is cut short")


def _status(record: Any) -> str | None:
    """None for an answer that is none of HTTP."""
    return record.http_headers and record.http_headers.get_statuscode()


def _header(record: Any, name: str) -> str | None:
    """Of the answer; of the record where it holds none."""
    headers = record.http_headers or record.rec_headers
    value: str | None = headers.get_header(name)
    return value


def _kind(record: Any) -> str:
    return (_header(record, "Content-Type") or "").partition(";")[0].strip().lower()


def _label(record: Any) -> str | None:
    _, mark, label = (_header(record, "Content-Type") or "").lower().partition("charset=")
    return label.partition(";")[0].strip(" \"'") if mark else None
