"""Word's DOCX, read as the HTML page that mammoth makes of its styles: headings, lists, tables, notes."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from dataclasses import replace
from html import unescape
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import ParseError, fromstring
from zipfile import BadZipFile, ZipFile

from nextvec.corpus.markup.html import prose_of
from nextvec.corpus.markup.html_tree import read_tree
from nextvec.corpus.markup.word_names import text_of
from nextvec.corpus.markup.word_xml import HEADING, rewritten
from nextvec.corpus.prose import Prose, visible
from nextvec.errors import DataError, MissingDependencyError

_STYLES = "\n".join(
    (
        *("p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => h2:fresh"),
        *("p[style-name='caption'] => figcaption:fresh", "p[style-name='Caption'] => figcaption:fresh"),
        *(f"p.{HEADING}{level} => h{level}:fresh" for level in range(1, 7)),
        *(f"p[style-name^='{name} '] => nav > p:fresh" for name in ("toc", "TOC", "index")),
    )
)
_TAG = re.compile(r"<[^<>]*>")
_NOTE = re.compile(r"<li (?=id=\"(?:foot|end)note-)")
_HEAD_OR_FOOT = re.compile(r"word/(?:header|footer)\d*\.xml")
_DAMAGED = (BadZipFile, KeyError, ParseError, ValueError, AttributeError, OSError, RecursionError, zlib.error)


def require_mammoth() -> Any:
    """Raises MissingDependencyError."""
    try:
        import mammoth
    except ImportError:
        raise MissingDependencyError.for_extra("mammoth", "documents") from None
    return mammoth


def read_word(content: bytes) -> Prose:
    """The prose of a DOCX; its title is its first heading of level 1, or paragraph in the style of titles.

    Running heads and feet, notes, hidden text, tables of data and lists of items are left out.
    Raises DataError for a damaged file.
    """
    mammoth = require_mammoth()
    no_image = mammoth.images.img_element(lambda image: {"src": ""})
    try:
        heads = _heads(content)
        content, unread = rewritten(content)
        made = mammoth.convert_to_html(BytesIO(content), style_map=_STYLES, convert_image=no_image)
    except _DAMAGED as error:
        raise DataError(f"it is no whole DOCX: {error}") from None
    page = _NOTE.sub('<li class="footnote" ', made.value)
    tree = read_tree(page)
    title = next((item.text for item in tree.passages if item.place.level == "h1"), "")
    prose = prose_of(tree, title, unescape(_TAG.sub(" ", page)))
    left_out = Counter(prose.left_out) + Counter({"running head": heads}) + unread
    return replace(prose, left_out=left_out)


def _heads(content: bytes) -> int:
    """Characters of running heads and feet, each once."""
    with ZipFile(BytesIO(content)) as archive:
        parts = [fromstring(archive.read(name)) for name in archive.namelist() if _HEAD_OR_FOOT.fullmatch(name)]
    return sum(visible(text_of(part)) for part in parts)
