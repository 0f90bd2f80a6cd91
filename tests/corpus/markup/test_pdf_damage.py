from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest
from pypdf.generic import NameObject

from nextvec.corpus.markup import pdf_pieces
from nextvec.corpus.markup.pdf import read_pdf
from nextvec.errors import DataError

TEXT = "The bridge over the river was built in the year of the great flood."


@pytest.fixture
def content(tmp_path: Path, save_pdf: Callable[..., Path]) -> bytes:
    return save_pdf(tmp_path / "a.pdf", [[TEXT]]).read_bytes()


def test_another_way_of_encryption_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.pdf").write_bytes(content)
    writer = pypdf.PdfWriter(clone_from=tmp_path / "b.pdf")
    writer.encrypt("", "owner", algorithm="RC4-128")
    writer.write(tmp_path / "b.pdf")
    locked = (tmp_path / "b.pdf").read_bytes()
    assert b"/Filter /Standard" in locked
    with pytest.raises(DataError, match=r"\Ait is encrypted or packed in a way that cannot be read: [^\n]+\Z"):
        read_pdf(locked.replace(b"/Filter /Standard", b"/Filter /FileOpen"))


def test_an_unknown_way_of_packing_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.pdf").write_bytes(content)
    writer = pypdf.PdfWriter(clone_from=tmp_path / "b.pdf")
    for page in writer.pages:
        page.compress_content_streams()
    writer.write(tmp_path / "b.pdf")
    packed = (tmp_path / "b.pdf").read_bytes()
    assert b"/FlateDecode" in packed
    with pytest.raises(DataError, match=r"\Ait is encrypted or packed in a way that cannot be read: .*PlateDecode\Z"):
        read_pdf(packed.replace(b"/FlateDecode", b"/PlateDecode"))


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n \n"])
def test_a_file_that_lacks_the_mark_of_its_end_alone_is_read(content: bytes, end: bytes) -> None:
    assert read_pdf(content.rstrip().removesuffix(b"%%EOF").rstrip() + end).text == TEXT


@pytest.mark.parametrize("error", [IndexError("a\nb"), OverflowError("a b"), UnicodeError("a b"), OSError("a b")])
def test_what_the_reader_trips_over_is_damage(monkeypatch, content: bytes, error: Exception) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(pdf_pieces._Pen, "take", fail)
    with pytest.raises(DataError, match=r"\Ait is no whole PDF: a b\Z"):
        read_pdf(content)


def test_memory_that_is_full_is_no_damage(monkeypatch, content: bytes) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(pdf_pieces._Pen, "take", fail)
    with pytest.raises(MemoryError):
        read_pdf(content)


def test_a_page_that_cannot_be_read_is_named(tmp_path: Path, save_pdf: Callable[..., Path]) -> None:
    """And the others are read."""
    writer = pypdf.PdfWriter(clone_from=save_pdf(tmp_path / "a.pdf", [[TEXT], ["It fell."], ["It was built anew."]]))
    writer.pages[1]["/Contents"].get_object()[NameObject("/Filter")] = NameObject("/PlateDecode")
    writer.write(tmp_path / "b.pdf")
    prose = read_pdf((tmp_path / "b.pdf").read_bytes())
    assert (prose.text, prose.missing) == (f"{TEXT}\n\nIt was built anew.", ("page 2",))
