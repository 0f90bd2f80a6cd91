"""Wikipedia: the articles of a MediaWiki XML dump, plain, bz2 or gz, read as a stream.

Memory is bounded by the largest page. Redirects, disambiguations, lists and pages outside the article namespace are
`Unusable` of kind "skipped", so that they are counted.
"""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError, iterparse

from nextvec.config import Config
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.markup.templates import MONTHS
from nextvec.corpus.markup.wikitext import body_sections, strip_wikitext
from nextvec.corpus.sources import missing_path, register_source

LIST_RATIO = 3
"""A page with so many times more words in list items than in prose is a list."""

_DISAMBIGUATION = re.compile(
    r"\{\{\s*(?:[^{}|]*\b(?:disambig\w*|dab)|hndis|geodis|surname|given name|set index[^{}|]*|sia|[a-z]+ index)\s*[|}]",
    re.IGNORECASE,
)
_LIST_TITLE = re.compile(
    rf"(?:lists? of|index of|outline of|glossary of|timeline of) .*|(?:{'|'.join(MONTHS)}) \d{{1,2}}"
    r"|\d{1,4}s?(?: BC| AD)?|AD \d+|\d{3,4}s? in .*",
    re.IGNORECASE,
)
_REDIRECT = re.compile(r"\s*#redirect\b", re.IGNORECASE)
_LIST_LINE = re.compile(r"^(?:[*#].*|\|[^=\n]*$)", re.MULTILINE)
_GENERATOR = re.compile(r"MediaWiki (\d+)\.(\d+)")
_FIRST_RELEASE_UNDER_4 = (1, 41)


class WikipediaOptions(Config):
    """None so far."""


@dataclass(frozen=True, slots=True)
class Site:
    """What a dump says of the wiki that it comes from."""

    name: str = "wiki"
    base: str = ""
    licence: str = "CC-BY-SA-4.0"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a dump, of any kind. `id` is the wiki's name and the page's number; `text` is wikitext."""

    id: str
    title: str
    namespace: str
    redirects: bool
    text: str
    site: Site


@register_source(
    "wikipedia",
    suffixes=(".xml", ".xml.bz2", ".xml.gz"),
    sniff=lambda head: head.startswith((b"<mediawiki", b"BZh")),
)
class WikipediaSource:
    """Documents have the id `enwiki/12` (wiki and page number: stable when a page is renamed), the address of the
    article as their source, and the licence of Wikipedia's text at the time of the dump. Raises NotFoundError."""

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        WikipediaOptions.parse(options, owner=f"dump {name}")
        self._path = Path(argument)
        self._name = name
        if not self._path.is_file():
            raise missing_path(self._path)

    def documents(self) -> Iterator[Document | Unusable]:
        pages = 0
        try:
            for page in read_pages(self._path):
                pages += 1
                yield read_page(page)
        except (ParseError, EOFError, OSError, zlib.error) as error:
            reason = f"{self._name}: cannot be read on after {pages} pages: {error}"
            yield Unusable(id=f"{self._name}:{pages + 1}", reason=reason, kind="failed")


def read_pages(path: Path) -> Iterator[Page]:
    """Every page of a dump, in order. Raises ParseError, EOFError, OSError or zlib.error where it is damaged."""
    with _open(path) as file:
        yield from _read(file)


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        magic = file.read(3)
    if magic == b"BZh":
        return cast(BinaryIO, bz2.open(path, "rb"))
    return cast(BinaryIO, gzip.open(path, "rb")) if magic.startswith(b"\x1f\x8b") else path.open("rb")


def _read(file: BinaryIO) -> Iterator[Page]:
    events = iterparse(file, events=("start", "end"))
    _, root = next(events)
    if _tag(root) != "mediawiki":
        raise ParseError(f"its root is <{_tag(root)}>, expected the <mediawiki> of a MediaWiki export")
    site = Site()
    for event, element in events:
        if event == "end" and _tag(element) == "siteinfo":
            site = _site(element)
        elif event == "end" and _tag(element) == "page":
            yield _page(element, site)
            root.clear()


def _tag(element: Element) -> str:
    """The name without the schema's address, which differs from version to version."""
    return element.tag.rpartition("}")[2]


def _page(element: Element, site: Site) -> Page:
    fields = {_tag(child): child.text or "" for child in element}
    revision: Iterable[Element] = next((child for child in element if _tag(child) == "revision"), ())
    text = next((child.text or "" for child in revision if _tag(child) == "text"), "")
    return Page(
        id=f"{site.name}/{fields.get('id', '')}",
        title=fields.get("title", ""),
        namespace=fields.get("ns", "0"),
        redirects="redirect" in fields or _REDIRECT.match(text) is not None,
        text=text,
        site=site,
    )


def _site(siteinfo: Element) -> Site:
    fields = {_tag(element): element.text or "" for element in siteinfo}
    release = _GENERATOR.match(fields.get("generator", ""))
    before_4 = release is not None and (int(release[1]), int(release[2])) < _FIRST_RELEASE_UNDER_4
    return Site(
        name=fields.get("dbname") or "wiki",
        base=fields.get("base", "").rpartition("/")[0],
        licence="CC-BY-SA-3.0" if before_4 else "CC-BY-SA-4.0",
    )


def read_page(page: Page) -> Document | Unusable:
    """The article of a page, or why it has none."""
    if reason := _no_article(page):
        return Unusable(id=page.id, reason=reason, kind="skipped")
    text = strip_wikitext(page.text).text
    if _is_list(page.text, len(text.split())):
        return Unusable(id=page.id, reason="list", kind="skipped")
    source = f"{page.site.base}/{quote(page.title.replace(' ', '_'))}"
    return Document(id=page.id, title=page.title, text=text, source=source, licence=page.site.licence)


def _no_article(page: Page) -> str | None:
    """Why the page is no article, as far as can be told before its prose is known."""
    if page.namespace != "0":
        return "not an article"
    if page.redirects:
        return "redirect"
    if page.title.endswith("(disambiguation)") or _DISAMBIGUATION.search(page.text):
        return "disambiguation"
    return "list" if _LIST_TITLE.fullmatch(page.title) else None


def _is_list(wikitext: str, prose_words: int) -> bool:
    """Whether list items and table cells outweigh prose; the lists of back matter do not count."""
    enough = LIST_RATIO * max(prose_words, 1)
    return _list_words(wikitext) >= enough and sum(map(_list_words, body_sections(wikitext))) >= enough


def _list_words(wikitext: str) -> int:
    return sum(len(line.split()) for line in _LIST_LINE.findall(wikitext))
