"""Files that are no text whatever they are called, by how they begin: any encoding of one byte would read them."""

from __future__ import annotations

from nextvec.errors import DataError

_BEGIN = {
    b"%PDF-": "a PDF: read it as pdf:{name}",
    b"PAR1": "a Parquet file: read it as parquet:{name}",
    b"{\\rtf": "RTF: save it as DOCX or as plain text",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "a document of Office before 2007: save it as DOCX or as plain text",
    b"\x28\xb5\x2f\xfd": "packed with Zstandard: unpack it first",
    b"7z\xbc\xaf\x27\x1c": "packed with 7z: unpack it first",
    b"Rar!\x1a\x07": "packed with RAR: unpack it first",
    b"\x89PNG\r\n": "a picture (PNG): recognise its text first (OCR)",
    b"\xff\xd8\xff": "a picture (JPEG): recognise its text first (OCR)",
    b"GIF87a": "a picture (GIF): recognise its text first (OCR)",
    b"GIF89a": "a picture (GIF): recognise its text first (OCR)",
    b"SQLite format 3\0": "a data base (SQLite): write its texts as JSON lines",
    b"\x7fELF": "a program",
}
_ARCHIVE = b"PK\x03\x04"
_IN_ARCHIVES = {
    b"application/epub+zip": "an EPUB: read it as epub:{name}",
    b"word/document.xml": "a DOCX: read it as docx:{name}",
    b"application/vnd.oasis.opendocument.text": "an OpenDocument text: read it as odt:{name}",
}
_OTHER_ARCHIVE = "packed with zip: unpack it first"


def refuse_binary(content: bytes, name: str) -> None:
    """Raises DataError that says what to do for a file, unpacked, that is no text. `name`: of the file, for advice."""
    if told := _told(content):
        raise DataError(f"it is no text but {told.format(name=name)}")


def _told(content: bytes) -> str | None:
    if content.startswith(_ARCHIVE):
        return next((told for sign, told in _IN_ARCHIVES.items() if sign in content), _OTHER_ARCHIVE)
    return next((told for begin, told in _BEGIN.items() if content.startswith(begin)), None)
