"""Files that are one document each: plain text, Markdown, notebooks, HTML, documents in XML."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from nextvec.config import Config
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.encodings import Encoding, Errors, decode
from nextvec.corpus.markup.html import declared_encoding, read_html
from nextvec.corpus.markup.mail import begins_as_mail, in_utf8
from nextvec.corpus.markup.markdown import read_markdown
from nextvec.corpus.markup.notebook import read_notebook
from nextvec.corpus.markup.plain import Lines
from nextvec.corpus.markup.plain_headings import read_text
from nextvec.corpus.markup.text_kinds import WRITTEN_ENDINGS, read_as_written
from nextvec.corpus.markup.web_archive import is_web_archive, page_of
from nextvec.corpus.markup.xml_pages import is_xml_document, read_xml
from nextvec.corpus.prose import Prose
from nextvec.corpus.sources import missing_path, register_source
from nextvec.corpus.sources.binary import refuse_binary
from nextvec.corpus.sources.packing import read_unpacked, without_packing
from nextvec.errors import DataError

_PAGE_LEAVES = (
    "heading (kept as context), title, navigation, page header, footer, aside, byline, advertisement, form, hidden, "
    "struck out, comment, code, caption, footnote, note mark, table (of data), list (items that are no sentences), "
    "fragment, running head (of RFCs), control characters, markup"
)


class PageOptions(Config):
    """`encoding`: a label of the web or of Python, for example windows-1252; None: as the file says, else UTF-8.
    `errors`: of bytes that are not in it, `strict` refuses the file, `replace` puts U+FFFD in their place."""

    encoding: Encoding | None = None
    errors: Errors = "strict"

    def text_of(self, content: bytes, name: str, declared: str | None = None) -> str:
        """See `decode`. Raises DataError also for what is no text in any encoding."""
        refuse_binary(content, name)
        return decode(content, name, given=self.encoding, declared=declared, errors=self.errors)


class TextOptions(PageOptions):
    """`lines`: what a line of the file is. `auto` finds out by their lengths and where sentences break off; `wrapped`
    lines make paragraphs up to a blank one; of `sentences`, each line is its own."""

    lines: Lines = "auto"


def _looks_like_html(head: bytes) -> bool:
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if is_web_archive(head):
        return True
    return start.startswith((b"<!doctype html", b"<html")) or (start.startswith(b"<?xml") and b"<html" in start)


class OneDocument:
    """A file as one document, whose id is `name`; `read` gives the prose of its content, or raises DataError, which is
    told as a `problem`. Parts of it that are missing are told as failures of their own.

    Raises NotFoundError when there is no such file.
    """

    def __init__(
        self, argument: str, name: str, read: Callable[[bytes], Prose], *, problem: str = "cannot be decoded"
    ) -> None:
        self._path = Path(argument)
        self._problem = problem
        self._name = name
        self._read = read
        if not self._path.is_file():
            raise missing_path(self._path)

    def documents(self) -> Iterator[Document | Unusable]:
        try:
            prose = self._read(read_unpacked(self._path))
        except OSError as error:
            yield Unusable(id=self._name, reason=f"cannot be read: {error.strerror}", kind="failed")
            return
        except DataError as error:
            yield Unusable(id=self._name, reason=self._problem, detail=str(error), kind="failed")
            return
        yield Document(
            id=self._name,
            title=prose.title or PurePosixPath(without_packing(self._name)).stem,
            text=prose.text,
            source=self._name,
            licence="unknown",
            left_out=prose.left_out,
            headings=prose.headings,
        )
        for part in prose.missing:
            yield Unusable(id=self._name, reason="a part is missing", detail=part, kind="failed")


@register_source(
    "text",
    suffixes=(".txt", ".text", ".srt", ".vtt", *WRITTEN_ENDINGS),
    sniff=begins_as_mail,
    options=TextOptions,
    leaves="control characters, subtitle marks, sound (told of in subtitles), time stamp and "
    "notice (of transcripts and chats), mail head, signature, attachment, quotation (of mail in the same file), line "
    "number, directive, parameters, comment, code, navigation, formula, figure, preamble, reference and list (terms; "
    "of reStructuredText, LaTeX, AsciiDoc and Org), running head, licence notice (of Project Gutenberg), caption, "
    "footnote and note (in a transcriber's brackets), table (with bars, of numbers, of cells far apart), markup "
    "(bullets, rules, marks of quotation and of emphasis), heading (kept as context)",
)
def open_text(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """Plain text, titled by the file's name without its ending."""
    chosen = TextOptions.parse(options, owner=f"text file {name}")
    ending = PurePosixPath(without_packing(argument.lower())).suffix

    def read(content: bytes) -> Prose:
        text = chosen.text_of(content if chosen.encoding else in_utf8(content), name)
        return read_as_written(text, partial(read_text, lines=chosen.lines), ending)

    return OneDocument(argument, name, read)


@register_source(
    "markdown",
    suffixes=(".md", ".markdown", ".mdown", ".mdx"),
    options=PageOptions,
    leaves="what the page of HTML leaves out that it makes; front matter",
)
def open_markdown(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """Markdown, titled by its front matter or its first heading."""
    chosen = PageOptions.parse(options, owner=f"Markdown file {name}")
    return OneDocument(argument, name, lambda content: read_markdown(chosen.text_of(content, name)))


@register_source(
    "notebook",
    suffixes=(".ipynb",),
    options=PageOptions,
    leaves="code, notebook (what cells printed, and what is around them), and of Markdown what its reader leaves out",
)
def open_notebook(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """A notebook of Jupyter: its cells of Markdown, titled by the first heading."""
    chosen = PageOptions.parse(options, owner=f"notebook {name}")
    return OneDocument(
        argument, name, lambda content: read_notebook(chosen.text_of(content, name)), problem="is no notebook"
    )


@register_source(
    "html",
    suffixes=(".html", ".htm", ".xhtml", ".xht", ".shtml", ".mhtml", ".mht"),
    sniff=_looks_like_html,
    options=PageOptions,
    leaves=_PAGE_LEAVES,
)
def open_html(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """HTML, also as the page of a web archive, titled by its first heading of level 1 or its title."""
    chosen = PageOptions.parse(options, owner=f"HTML file {name}")

    def read(content: bytes) -> Prose:
        page, charset = page_of(content)
        return read_html(chosen.text_of(page, name, charset or declared_encoding(page)))

    return OneDocument(argument, name, read)


@register_source(
    "xml",
    suffixes=(".xml", ".xml.bz2", ".xml.gz", ".nxml", ".tei", ".dbk", ".docbook", ".fb2"),
    sniff=is_xml_document,
    options=PageOptions,
    leaves="front matter, heading (kept as context), caption, table, footnote, note mark, reference, formula "
    "(displayed), code, comment, navigation (indexes), struck out, running head, embedded file, list, fragment, "
    "control characters, markup",
)
def open_xml(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """An article in JATS, an edition in TEI, a manual in DocBook or a book in FictionBook, titled as it says of
    itself."""
    chosen = PageOptions.parse(options, owner=f"XML file {name}")

    def read(content: bytes) -> Prose:
        return read_xml(chosen.text_of(content, name, declared_encoding(content)))

    return OneDocument(argument, name, read, problem="cannot be read")
