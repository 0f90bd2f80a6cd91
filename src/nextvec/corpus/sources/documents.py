"""Documents of offices, printers and e-readers, one document each: EPUB, ODT, Word's DOCX, PDF with a text layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nextvec.config import Config
from nextvec.corpus.markup.epub import read_epub
from nextvec.corpus.markup.opendocument import read_opendocument
from nextvec.corpus.markup.pdf import read_pdf, require_pypdf
from nextvec.corpus.markup.word import read_word, require_mammoth
from nextvec.corpus.sources import register_source
from nextvec.corpus.sources.files import OneDocument

_OPENDOCUMENT = b"application/vnd.oasis.opendocument.text"
CANNOT = "cannot be read"


class DocumentOptions(Config):
    """None so far."""


@register_source(
    "epub",
    suffixes=(".epub",),
    leaves="what a page of HTML leaves out; navigation (tables of contents), imprint, footnote (pages of notes), "
    "beside the text (covers, title pages, pages in no order), page of another kind (no HTML)",
)
def open_epub(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """A book, titled by its package; its pages are read as HTML, in their order."""
    DocumentOptions.parse(options, owner=f"EPUB {name}")
    return OneDocument(argument, name, read_epub, problem=CANNOT)


@register_source(
    "odt",
    suffixes=(".odt", ".ott", ".fodt"),
    sniff=lambda head: _OPENDOCUMENT in head,
    leaves="heading (kept as context), running head (and foot), list (items that are no sentences), table (of data), "
    "code (in the style of it), caption, navigation (tables of contents, indexes), footnote, comment, hidden, struck "
    "out (deleted text, too), ruby (readings), fragment",
)
def open_opendocument(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """A text of LibreOffice and OpenOffice, titled by its paragraph in the style of titles or by its properties."""
    DocumentOptions.parse(options, owner=f"ODT {name}")
    return OneDocument(argument, name, read_opendocument, problem=CANNOT)


@register_source(
    "docx",
    suffixes=(".docx",),
    extra="documents",
    leaves="heading (kept as context), running head (and foot), list (items that are no sentences), table (of data), "
    "code (in letters of one width), caption, navigation (tables of contents), footnote, comment, embedded file, "
    "hidden (text), struck out, formula (displayed), ruby (readings), fragment",
)
def open_docx(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """A text of Word, titled by its first heading of level 1 or its title. Raises MissingDependencyError."""
    DocumentOptions.parse(options, owner=f"DOCX {name}")
    require_mammoth()
    return OneDocument(argument, name, read_word, problem=CANNOT)


@register_source(
    "pdf",
    suffixes=(".pdf",),
    sniff=lambda head: head.startswith(b"%PDF-"),
    extra="documents",
    leaves="heading (kept as context), running head (heads, feet and page numbers at one place of many pages), "
    "footnote, note mark, table (rows of numbers), navigation (tables of contents, indexes), unknown character (in "
    "fonts that name none), "
    "markup (hyphens at line ends, bullets)",
)
def open_pdf(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """A PDF with a text layer, titled by its own title. Raises MissingDependencyError."""
    DocumentOptions.parse(options, owner=f"PDF {name}")
    require_pypdf()
    return OneDocument(argument, name, read_pdf, problem=CANNOT)
