"""EPUB (https://www.w3.org/TR/epub-33): a zip of HTML pages, and a package that says in which order they are read."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from posixpath import dirname, join, normpath
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError, fromstring
from zipfile import BadZipFile, ZipFile

from nextvec.corpus.encodings import decode
from nextvec.corpus.headings import PARAGRAPHS_APART
from nextvec.corpus.markup.html import declared_encoding, read_html
from nextvec.corpus.prose import Prose, collapse, visible
from nextvec.errors import DataError

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbncx+xml")
_NCX = _PAGES[-1]
NAVIGATION, BESIDE, IMPRINT = "navigation", "beside the text", "imprint"
_TYPES = {
    **dict.fromkeys(("toc", "landmarks", "page-list", "loi", "lot", "index"), NAVIGATION),
    **dict.fromkeys(("copyright-page", "colophon", "imprint", "other-credits"), IMPRINT),
    **dict.fromkeys(("cover", "titlepage", "title-page", "halftitlepage", "halftitle", "bibliography"), BESIDE),
    **dict.fromkeys(("endnotes", "footnotes", "rearnotes", "notes"), "footnote"),
}
"""What a guide or a page says that a page is, by why it is no text then."""
_OF_THE_BODY = {
    "bodymatter",
    "volume",
    "part",
    "chapter",
    "prologue",
    "epilogue",
    "introduction",
    "preface",
    "foreword",
}
_OF_THE_BODY |= {"afterword", "appendix", "conclusion", "z3998:fiction", "z3998:non-fiction"}
_TYPED = re.compile(r"<(?:body|section|div)\b[^>]*\bepub:type\s*=\s*[\"']([^\"']*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_IMPRINT = re.compile(
    r"all rights reserved|no part of this|\bISBN\b|(?:\bcopyright\s*)?(?:©|\(c\))\s*\d{4}", re.IGNORECASE
)
_LONGEST_APART = 4000
"""Characters of a page that is left out for what the guide says, or for what its text says."""
_DAMAGED = (BadZipFile, KeyError, ParseError, NotImplementedError, EOFError, zlib.error, RuntimeError)


@dataclass(frozen=True, slots=True)
class _Page:
    """`reason`: why it is not part of the text, "" where it is; `hint`: why it is none if it is short."""

    path: str
    reason: str
    hint: str = ""


def read_epub(content: bytes) -> Prose:
    """The pages of a book one behind the other, each as an HTML page is read; its title is the package's.

    Left out whole are tables of contents, and what the package sets beside the text. Raises DataError for a file that
    is damaged, encrypted, or no EPUB.
    """
    try:
        with ZipFile(BytesIO(content)) as archive:
            package = _package(archive)
            _refuse_encrypted(archive, package)
            title = next((collapse(_text(one)) for one in package.root.iter() if _tag(one) == "title"), "")
            return _joined(title, [_read(archive, page) for page in package.pages()])
    except _DAMAGED as error:
        raise DataError(f"it is no whole EPUB: {error}") from None


@dataclass(frozen=True, slots=True)
class _Package:
    """The root of the package file, in the folder that the addresses in it begin at."""

    root: Element
    folder: str

    def pages(self) -> Iterator[_Page]:
        """In reading order, then those that are in none."""
        items = {one.get("id", ""): one for one in self.root.iter() if _tag(one) == "item"}
        spine = [one for one in self.root.iter() if _tag(one) == "itemref"]
        order = [one.get("idref", "") for one in spine]
        beside = {one.get("idref") for one in spine if one.get("linear") == "no"}
        guide = self._guide()
        for identity in dict.fromkeys([*order, *items]):
            item = items.get(identity)
            if item is not None and item.get("media-type") in _PAGES:
                is_nav = "nav" in item.get("properties", "").split() or item.get("media-type") == _NCX
                path = self.path_of(item.get("href", ""))
                out = BESIDE if identity in beside or identity not in order else ""
                yield _Page(path, NAVIGATION if is_nav else out, guide.get(path, ""))

    def _guide(self) -> dict[str, str]:
        """By path, why a page is no text, where the package says what the whole of it is."""
        marks = [one for one in self.root.iter() if _tag(one) == "reference" and "#" not in one.get("href", "")]
        reasons = {self.path_of(one.get("href", "")): _TYPES.get(one.get("type", "").lower(), "") for one in marks}
        return {path: reason for path, reason in reasons.items() if reason}

    def path_of(self, address: str) -> str:
        return normpath(join(self.folder, unquote(address.partition("#")[0])))


def _package(archive: ZipFile) -> _Package:
    container = fromstring(archive.read(_CONTAINER))
    path = next(one.get("full-path", "") for one in container.iter() if _tag(one) == "rootfile")
    return _Package(fromstring(archive.read(path)), dirname(path))


def _refuse_encrypted(archive: ZipFile, package: _Package) -> None:
    """Fonts may be; pages that are cannot be read."""
    if _ENCRYPTION not in archive.namelist():
        return
    marks = (one for one in fromstring(archive.read(_ENCRYPTION)).iter() if _tag(one) == "CipherReference")
    locked = {normpath(unquote(one.get("URI", ""))) for one in marks}
    if any(page.path in locked for page in package.pages()):
        raise DataError("its pages are encrypted (DRM), which cannot be read")


def _read(archive: ZipFile, page: _Page) -> Prose:
    content = archive.read(page.path)
    text = decode(content, page.path, declared=declared_encoding(content))
    reason = page.reason or _reason_of_types(text)
    prose = Prose(title="", text="") if reason else read_html(text)
    if len(prose.text) <= _LONGEST_APART:
        reason = reason or page.hint or (IMPRINT if _is_imprint(_TAG.sub(" ", text)) else "")
    if reason:
        return Prose(title="", text="", left_out={reason: visible(text)} if visible(text) else {})
    return prose


def _reason_of_types(page: str) -> str:
    """Why a page is no text, as the elements that say what they are say; "" where one of them is text."""
    types = [name for found in _TYPED.findall(page) for name in found.split()]
    return "" if _OF_THE_BODY.intersection(types) else next((_TYPES[name] for name in types if name in _TYPES), "")


def _is_imprint(text: str) -> bool:
    """Whether at least two different things are said that imprints say, and not much else."""
    return len(collapse(text)) <= _LONGEST_APART and len({found.lower()[:4] for found in _IMPRINT.findall(text)}) > 1


def _joined(title: str, parts: Sequence[Prose]) -> Prose:
    """Headings that end a page stand above the next one, as nothing comes between."""
    text, headings = "", []
    left_out: Counter[str] = Counter()
    for part in parts:
        left_out.update(part.left_out)
        if part.text:
            text += PARAGRAPHS_APART if text else ""
            headings += [replace(one, start=one.start + len(text)) for one in part.headings]
            text += part.text
    first = next((part.title for part in parts if part.title), "")
    return Prose(title=title or first, text=text, left_out=left_out, headings=tuple(headings))


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: Element) -> str:
    return "".join(element.itertext())
