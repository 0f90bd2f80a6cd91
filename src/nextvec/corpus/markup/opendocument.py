"""OpenDocument texts (ODF 1.3, part 3), as LibreOffice writes them: packed (.odt, .ott) or in one file (.fodt)."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from posixpath import join, normpath
from xml.etree.ElementTree import Element, ParseError
from zipfile import BadZipFile, ZipFile

from nextvec.corpus.markup.xml_pages import LOWEST, prose_of_xml
from nextvec.corpus.markup.xml_tree import parse_xml, tag_of, text_of
from nextvec.corpus.markup.xml_words import OPENDOCUMENT
from nextvec.corpus.prose import Prose, collapse, visible
from nextvec.errors import DataError

_DAMAGED = (BadZipFile, ParseError, LookupError, ValueError, NotImplementedError, EOFError, zlib.error, RuntimeError)
_PARTS = ("content.xml", "styles.xml", "meta.xml")
_MANIFEST = "META-INF/manifest.xml"
_PARAGRAPHS = {
    "Title": "styled-title",
    "Subtitle": "styled-subtitle",
    "Preformatted_20_Text": "styled-code",
    **dict.fromkeys(
        ("Caption", "Illustration", "Figure", "Table", "Drawing", "FigureCaption", "TableCaption"), "styled-caption"
    ),
}
"""What a paragraph in a style of that name is."""
_CONTENTS = ("Contents_20_", "Index_20_")
_MOST_STYLES = 50
"""That stand one on another; in a circle they would never end."""

_Styles = Mapping[str, Element]


def read_opendocument(content: bytes) -> Prose:
    """The prose of a text; its title is its first paragraph in the style of titles, or what its properties say.

    Running heads and feet, notes, comments, deleted and hidden text, tables of data, contents and captions are left
    out. Raises DataError for a damaged or encrypted file, and for sheets and slides.
    """
    try:
        parts = _parts(content)
    except _DAMAGED as error:
        raise DataError(f"it is no whole OpenDocument text: {error}") from None
    body = next((one for part in parts for one in _all(part, "body")), None)
    if body is None or next(_all(body, "text"), None) is None:
        raise DataError("it is no text but another kind of OpenDocument, a sheet or slides")
    _name_by_styles(body, {_of(one, "name"): one for part in parts for one in _all(part, "style")})
    title = next((collapse(text_of(one)) for part in parts[::-1] for one in _all(part, "title")), "")
    prose = prose_of_xml(body, OPENDOCUMENT, text_of(body), title)
    return replace(prose, left_out=+(Counter(prose.left_out) + Counter({"running head": _running(parts)})))


def _parts(content: bytes) -> list[Element]:
    """The roots of its files, or that of the one file that it is."""
    if not content.startswith(b"PK"):
        return [parse_xml(content)]
    with ZipFile(BytesIO(content)) as archive:
        if _MANIFEST in archive.namelist() and b"encryption-data" in archive.read(_MANIFEST):
            raise DataError("it is encrypted: save it without a password")
        there = [name for name in _PARTS if name in archive.namelist() or name == _PARTS[0]]
        parts = [parse_xml(archive.read(name)) for name in there]
        for holder in _all(parts[0], "object"):
            holder.extend(_formula(archive, _of(holder, "href")))
        return parts


def _formula(archive: ZipFile, address: str) -> Iterator[Element]:
    """What stands in a file of its own, if it is a formula."""
    path = normpath(join(address, "content.xml"))
    if path in archive.namelist() and tag_of(root := parse_xml(archive.read(path))) == "math":
        yield root


def _running(parts: list[Element]) -> int:
    """Characters of what stands at the head and foot of every page."""
    kinds = ("header", "footer", "header-left", "footer-left", "header-first", "footer-first")
    masters = (one for part in parts for one in _all(part, "master-page"))
    return sum(visible(text_of(one)) for master in masters for one in master if tag_of(one) in kinds)


def _all(root: Element, name: str) -> Iterator[Element]:
    return (one for one in root.iter() if tag_of(one) == name)


def _of(element: Element, name: str) -> str:
    """An attribute, whatever its namespace."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _name_by_styles(body: Element, styles: _Styles) -> None:
    """Give headings, paragraphs and spans names that say what they are by their levels and styles."""
    for element in body.iter():
        kind, chain = tag_of(element), list(_chain(_of(element, "style-name"), styles))
        if kind == "h":
            element.tag = f"styled-h{_level(_of(element, 'outline-level'))}"
        elif kind == "p":
            element.tag = _paragraph(chain)
        elif kind == "span":
            element.tag = _span([styles[name] for name in chain if name in styles])


def _level(said: str) -> int:
    return min(int(said), LOWEST) if said.isdecimal() and int(said) else 1


def _chain(name: str, styles: _Styles) -> Iterator[str]:
    """A style and those that it stands on."""
    for _ in range(_MOST_STYLES):
        if not name:
            return
        yield name
        name = _of(styles[name], "parent-style-name") if name in styles else ""


def _paragraph(chain: list[str]) -> str:
    if any(name.startswith(_CONTENTS) for name in chain):
        return "styled-navigation"
    return next((_PARAGRAPHS[name] for name in chain if name in _PARAGRAPHS), "p")


def _span(chain: list[Element]) -> str:
    """Raised, lowered, struck out or hidden, as the nearest style says that says anything of it."""
    said = {key: _said(chain, key) for key in ("text-position", "text-line-through-style", "display")}
    if said["display"] == "none":
        return "hidden-text"
    if said["text-line-through-style"] not in ("", "none"):
        return "styled-struck"
    return next((tag for tag in ("sup", "sub") if said["text-position"].startswith(tag)), "span")


def _said(chain: list[Element], key: str) -> str:
    return next((value for style in chain for part in style if (value := _of(part, key))), "")
