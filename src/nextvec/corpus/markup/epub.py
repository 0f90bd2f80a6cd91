"""EPUB (https://www.w3.org/TR/epub-33): a zip of HTML pages, and a package that says in which order they are read."""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from posixpath import dirname, join, normpath
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError
from zipfile import BadZipFile, ZipFile

from nextvec.corpus.encodings import decode
from nextvec.corpus.headings import PARAGRAPHS_APART
from nextvec.corpus.markup.epub_titles import titles_of, with_headings
from nextvec.corpus.markup.epub_types import BESIDE, IMPRINT, NAVIGATION, TYPES, holds_text, set_apart
from nextvec.corpus.markup.html import declared_encoding, read_html
from nextvec.corpus.markup.xml_tree import parse_xml, tag_of, text_of
from nextvec.corpus.prose import Prose, collapse, visible
from nextvec.errors import DataError

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_PACKAGE, _NCX = "application/oebps-package+xml", "application/x-dtbncx+xml"
_PAGES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document", _NCX)
_HOLDS_TEXT = re.compile(r"text/.*|.*\bxml|", re.IGNORECASE)
"""Kinds of files in which a page or other text may be; "" where nothing says the kind."""
_IS_PAGE = re.compile(r"\s*(?:<[?!][^>]*>\s*)*<html\b", re.IGNORECASE)
_OTHER = "page of another kind"
_TAG = re.compile(r"<[^<>]*>")
_IMPRINT = re.compile(
    r"all rights reserved|no part of this|\bISBN\b|(?:\bcopyright\s*)?(?:©|\(c\))\s*\d{4}", re.IGNORECASE
)
_LONGEST_APART = 4000
"""Characters of a page that is left out for what the guide says, or for what its text says."""
_HARDLY_ANY = 0.05
"""Of what the elements of a page hold that are no text: the text beside them, so that the whole page is none."""
_DAMAGED = (BadZipFile, LookupError, ParseError, ValueError, NotImplementedError, EOFError, zlib.error, RuntimeError)


@dataclass(frozen=True, slots=True)
class _Page:
    """`path`: its name in the archive, or how it is named where it is not there; `kind`: its media type; `reason`: why
    it is not part of the text, "" where it is; `hint`: why it is none if it is short."""

    path: str
    kind: str
    is_there: bool
    reason: str
    hint: str


def read_epub(content: bytes) -> Prose:
    """The pages of a book one behind the other, each as an HTML page is read; its title is the package's.

    Left out whole are tables of contents, and what the package sets beside the text. Pages that are not there are
    `missing`. Raises DataError for a file that is damaged, encrypted, or no EPUB.
    """
    try:
        with ZipFile(BytesIO(content)) as archive:
            package = _package(archive)
            pages = list(package.pages())
            _refuse_encrypted(archive, package, pages)
            title = next((collapse(text_of(one)) for one in package.root.iter() if tag_of(one) == "title"), "")
            titles = _titles(archive, package, pages)
            return _joined(title, [_read(archive, page, titles.get(page.path, {})) for page in pages])
    except _DAMAGED as error:
        raise DataError(f"it is no whole EPUB: {error}") from None


class _Names:
    """Of the files in an archive, found in whatever case they are asked for, and with slashes of either kind."""

    def __init__(self, archive: ZipFile) -> None:
        self._names = frozenset(archive.namelist())
        self._by_small = {name.replace("\\", "/").casefold(): name for name in self._names}

    def __contains__(self, path: str) -> bool:
        return path in self._names

    def of(self, path: str) -> str:
        """`path` itself where it is there, or where nothing else is."""
        return path if path in self._names else self._by_small.get(path.replace("\\", "/").casefold(), path)


@dataclass(frozen=True, slots=True)
class _Package:
    """The root of the package file, in the folder that the addresses in it begin at, among all files of the archive."""

    root: Element
    folder: str
    names: _Names

    def pages(self) -> Iterator[_Page]:
        """In reading order, also those that it names and nothing else does; then those that are there and in none.
        Raises DataError where none in that order is there."""
        items = {one.get("id", ""): one for one in self.root.iter() if tag_of(one) == "item"}
        spine = {one.get("idref", ""): one for one in self.root.iter() if tag_of(one) == "itemref"}
        guide = self._guide()
        ordered = [
            self._page(items[one], BESIDE if reference.get("linear") == "no" else "", guide)
            if one in items
            else _Page(f"'{one}' of the reading order", "", is_there=False, reason="", hint="")
            for one, reference in spine.items()
        ]
        others = (self._page(item, BESIDE, guide) for one, item in items.items() if one not in spine)
        if spine and not any(page.is_there for page in ordered):
            raise DataError("it is no whole EPUB: none of the pages in its reading order is there")
        yield from ordered
        yield from (page for page in others if page.is_there and page.kind in _PAGES)

    def _page(self, item: Element, reason: str, guide: Mapping[str, str]) -> _Page:
        path, kind = self.path_of(item.get("href", "")), item.get("media-type", "").partition(";")[0].strip().lower()
        is_nav = "nav" in item.get("properties", "").split() or kind == _NCX
        return _Page(path, kind, path in self.names, NAVIGATION if is_nav else reason, guide.get(path, ""))

    def _guide(self) -> dict[str, str]:
        """By path, why a page is no text, where the package says what the whole of it is."""
        marks = [one for one in self.root.iter() if tag_of(one) == "reference" and "#" not in one.get("href", "")]
        reasons = {self.path_of(one.get("href", "")): TYPES.get(one.get("type", "").lower(), "") for one in marks}
        return {path: reason for path, reason in reasons.items() if reason}

    def path_of(self, address: str, folder: str | None = None) -> str:
        """`folder`: that the address begins at, the package's own unless it is given. An address is a name with some
        signs written as %20 is; where no file is so called, it may be the name itself."""
        begin = self.folder if folder is None else folder
        bare = address.partition("#")[0]
        paths = [self.names.of(normpath(join(begin, name))) for name in (unquote(bare), bare)]
        return next((path for path in paths if path in self.names), paths[0])


def _package(archive: ZipFile) -> _Package:
    """The first that is there; one whose type says that it is one before others."""
    names = _Names(archive)
    files = [one for one in parse_xml(archive.read(names.of(_CONTAINER))).iter() if tag_of(one) == "rootfile"]
    files.sort(key=lambda one: one.get("media-type") != _PACKAGE)
    paths = (names.of(one.get("full-path", "")) for one in files)
    path = next((path for path in paths if path in names), None)
    if path is None:
        raise DataError(f"it is no whole EPUB: {_CONTAINER} names no package that is there")
    return _Package(parse_xml(archive.read(path)), dirname(path), names)


def _refuse_encrypted(archive: ZipFile, package: _Package, pages: Sequence[_Page]) -> None:
    """Fonts may be; pages that are cannot be read."""
    path = package.names.of(_ENCRYPTION)
    if path not in package.names:
        return
    marks = (one for one in parse_xml(archive.read(path)).iter() if tag_of(one) == "CipherReference")
    locked = {package.path_of(one.get("URI", ""), "") for one in marks}
    if any(page.path in locked for page in pages):
        raise DataError("its pages are encrypted (DRM), which cannot be read")


def _titles(archive: ZipFile, package: _Package, pages: Sequence[_Page]) -> dict[str, dict[str, int]]:
    """By path the titles, and their levels, that tables of contents give to what is on that page."""
    titles: dict[str, dict[str, int]] = defaultdict(dict)
    for contents in (page for page in pages if page.reason == NAVIGATION and page.is_there):
        try:
            entries = list(titles_of(parse_xml(archive.read(contents.path))))
        except ParseError:
            continue
        for address, title, level in entries:
            titles[package.path_of(address, dirname(contents.path))].setdefault(title, level)
    return titles


def _read(archive: ZipFile, page: _Page, titles: Mapping[str, int]) -> Prose:
    if not page.is_there:
        return Prose(title="", text="", missing=(page.path,))
    if not _HOLDS_TEXT.fullmatch(page.kind):
        return Prose(title="", text="")
    text = _decoded(archive, page)
    is_page = page.kind in _PAGES or _IS_PAGE.match(text)
    reason = page.reason or ("" if is_page else _OTHER)
    return _left_out(text, reason) if reason else _read_page(with_headings(text, titles), page.hint)


def _decoded(archive: ZipFile, page: _Page) -> str:
    content = archive.read(page.path)
    try:
        return decode(content, "", declared=declared_encoding(content), advise=False)
    except DataError as error:
        raise DataError(f"{page.path}: {error}") from None


def _read_page(page: str, hint: str) -> Prose:
    rest, apart = set_apart(page)
    prose = read_html(rest)
    reason = ""
    if visible(prose.text) <= _HARDLY_ANY * apart.total() and not holds_text(rest):
        reason = next(iter(apart), "")
    if len(prose.text) <= _LONGEST_APART:
        reason = reason or hint or (IMPRINT if _is_imprint(_TAG.sub(" ", rest)) else "")
    return _left_out(page, reason) if reason else replace(prose, left_out=Counter(prose.left_out) + apart)


def _left_out(page: str, reason: str) -> Prose:
    return Prose(title="", text="", left_out=+Counter({reason: visible(page)}))


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
    missing = tuple(path for part in parts for path in part.missing)
    return Prose(title=title or first, text=text, left_out=left_out, headings=tuple(headings), missing=missing)
