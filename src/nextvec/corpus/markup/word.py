"""Word's DOCX, read as the HTML page that mammoth makes of its styles: headings, lists, tables, notes."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from html import unescape
from io import BytesIO
from posixpath import join
from typing import Any
from xml.etree.ElementTree import ParseError, fromstring
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

from nextvec.corpus.encodings import decode
from nextvec.corpus.markup.html import declared_encoding, prose_of, read_html
from nextvec.corpus.markup.html_tree import read_tree
from nextvec.corpus.markup.web_archive import page_of
from nextvec.corpus.markup.word_xml import CODE, HEADING, rewritten
from nextvec.corpus.prose import Prose, visible
from nextvec.errors import DataError, MissingDependencyError

_STYLES = "\n".join(
    (
        *("p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => h2:fresh"),
        *("p[style-name='caption'] => figcaption:fresh", "p[style-name='Caption'] => figcaption:fresh"),
        *(f"p.{HEADING}{level} => h{level}:fresh" for level in range(1, 7)),
        *(f"p.{CODE} => pre:separator('\\n')", f"r.{CODE} => code"),
        *(f"p[style-name^='{name} '] => nav > p:fresh" for name in ("toc", "TOC", "index")),
    )
)
_TAG = re.compile(r"<[^<>]*>")
_NOTE = re.compile(r"<li (?=id=\"(?:foot|end)note-)")
_GOES_ON = re.compile(r"<br />(?=(?:</?\w+>)* [(a-zß-öø-ÿа-яё])")
"""A break, as Calibre writes it behind words in the font of code, before a space and a small letter."""
_LINKS = "word/_rels/document.xml.rels"
_UNSEEN = ("markup", "script", "comment")
_DAMAGED = (
    *(BadZipFile, ParseError, ExpatError, OSError, zlib.error, EOFError, RuntimeError),
    *(LookupError, ValueError, TypeError, AttributeError),
)
"""The last are what mammoth raises where it does not find what it expects."""


def require_mammoth() -> Any:
    """Raises MissingDependencyError."""
    try:
        import mammoth
    except ImportError:
        raise MissingDependencyError.for_extra("mammoth", "documents") from None
    return mammoth


def read_word(content: bytes) -> Prose:
    """The prose of a DOCX; its title is its first heading of level 1, or paragraph in the style of titles.

    Running heads and feet, notes, comments, hidden text, tables of data, lists of items and files that were put in are
    left out.
    Raises DataError for a damaged file.
    """
    mammoth = require_mammoth()
    no_image = mammoth.images.img_element(lambda image: {"src": ""})
    try:
        embedded = _embedded(content)
        content, unread = rewritten(content)
        made = mammoth.convert_to_html(BytesIO(content), style_map=_STYLES, convert_image=no_image)
    except RecursionError:
        raise DataError("its elements are nested too deep to be read") from None
    except _DAMAGED as error:
        raise DataError(f"it is no whole DOCX: {error}") from None
    page = _NOTE.sub('<li class="footnote" ', _GOES_ON.sub("", made.value))
    tree = read_tree(page)
    title = next((item.text for item in tree.passages if item.place.level == "h1"), "")
    prose = prose_of(tree, title, unescape(_TAG.sub(" ", page)))
    return replace(prose, left_out=Counter(prose.left_out) + unread + Counter({"embedded file": embedded}))


def _embedded(content: bytes) -> int:
    """Characters of the files that the text has put in (w:altChunk), each once."""
    with ZipFile(BytesIO(content)) as archive:
        links = fromstring(archive.read(_LINKS)) if _LINKS in archive.namelist() else ()
        targets = {join("/word", one.get("Target", "")) for one in links if one.get("Type", "").endswith("/aFChunk")}
        return sum(_said(archive.read(name)) for name in archive.namelist() if f"/{name}" in targets)


def _said(file: bytes) -> int:
    """Characters of a page, a plain text, or another text of Word; none of what cannot be read."""
    with suppress(DataError):
        prose = read_word(file) if file.startswith(b"PK") else _page(file)
        return visible(prose.text) + sum(count for reason, count in prose.left_out.items() if reason not in _UNSEEN)
    return 0


def _page(file: bytes) -> Prose:
    page, label = page_of(file)
    return read_html(decode(page, "", declared=label or declared_encoding(page), advise=False))
