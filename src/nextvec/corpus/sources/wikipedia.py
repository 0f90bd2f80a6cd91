"""Wikipedia: the articles of a MediaWiki XML dump, plain or packed, read as a stream.

Memory is bounded by the largest page, of which the newest revision counts. Redirects, disambiguations, lists and pages
outside the article namespace are `Unusable` of kind "skipped", so that they are counted. What a wiki calls all these is
taken from the dump and from `markup.wiki`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError, iterparse

from nextvec.config import Config
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.markup.wiki import ENGLISH, Wiki, wiki_of
from nextvec.corpus.markup.wikitext import body_sections, strip_wikitext
from nextvec.corpus.markup.xml_tree import tag_of
from nextvec.corpus.prose import count_words, visible
from nextvec.corpus.sources import missing_path, register_source
from nextvec.corpus.sources.packing import DAMAGED, Unpacked

LIST_RATIO = 3
"""A page with so many times more words in list items than in prose is a list."""
LIST_RATIO_BY_TITLE = 0.5
"""The same for a page whose title may be that of a list, or that of a film."""

_ARTICLES = "0"
_WIKITEXT = "wikitext"
_UNKNOWN = "unknown"
_REDIRECT = re.compile(r"\s*#\s*([^\s\[\]#*:]+(?: [^\s\[\]#*:]+)?)\s*:?\s*\[\[")
_TEMPLATE_NAME = re.compile(r"\{\{\s*([^{}|\n]+?)\s*[|}\n]")
_BRACKET = re.compile("[(\uff08]([^()\uff08\uff09]*)[)\uff09]$")
_DISAMBIGUATION_SWITCH = "__DISAMBIG__"
_LIST_LINE = re.compile(r"^(?:[*#].*|\|[^=\n]*$)", re.MULTILINE)
_XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_DATABASE = re.compile(r"([a-z_]+?)(?:wiki|wiktionary|wikinews|wikisource|wikivoyage|wikibooks|wikiversity|wikiquote)")
_WIKIMEDIA = re.compile(
    r"(?:https?:)?//(?:[\w-]+\.)*(?:wikipedia|wiktionary|wikinews|wikisource|wikivoyage|wikibooks|wikiversity|wikiquote"
    r"|wikidata|wikimedia|mediawiki)\.org/"
)
_LANGUAGES = {"simple": "en", "be-x-old": "be", "nb": "no", "zh-min-nan": "nan"}
"""Languages by the names of wikis that are no code of one."""
_GENERATOR = re.compile(r"MediaWiki (\d+)\.(\d+)")
_FIRST_RELEASE_UNDER_4 = (1, 41)


_NAMES = (
    *("Talk", "User", "User talk", "Wikipedia", "Wikipedia talk", "File", "File talk", "MediaWiki", "MediaWiki talk"),
    *("Template", "Template talk", "Help", "Help talk", "Category", "Category talk"),
)
_NAMESPACES = {str(key): name for key, name in enumerate(_NAMES, start=1)} | {"100": "Portal", "828": "Module"}
"""By key, where a dump names none: the English names, which every wiki understands."""


class WikipediaOptions(Config):
    """None so far."""


@dataclass(frozen=True, slots=True)
class Site:
    """What a dump says of the wiki that it comes from. `base` is what stands before a title in the address of a page;
    `namespaces` are names by key ("6" for files)."""

    name: str = "wiki"
    base: str = ""
    licence: str = _UNKNOWN
    namespaces: Mapping[str, str] = field(default_factory=lambda: _NAMESPACES)
    wiki: Wiki = ENGLISH


Missing = Literal["", "deleted", "not in the dump"]


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of a page. `missing` says why it has no text, though it had one."""

    timestamp: str = ""
    model: str = _WIKITEXT
    text: str = ""
    missing: Missing = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a dump, of any kind. `id` is the wiki's name and the page's number; `text` is wikitext ("" where
    it is `missing`), or something else according to its `model`."""

    id: str
    title: str
    namespace: str
    redirects: bool
    text: str
    site: Site
    model: str = _WIKITEXT
    missing: Missing = ""


@register_source(
    "wikipedia",
    suffixes=(".xml", ".xml.bz2", ".xml.gz"),
    sniff=lambda head: head.startswith(b"<mediawiki"),
    form="PATH or wikipedia:PATH",
    leaves="heading (kept as context), back matter, template, table, list, caption or file link, reference, category, "
    "short paragraph, sentence with a hole, markup; whole pages: redirects, disambiguations, lists, what is no article",
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
        except (ParseError, *DAMAGED) as error:
            reason = f"cannot be read on after {pages} pages"
            yield Unusable(id=f"{self._name}:{pages + 1}", reason=reason, detail=str(error), kind="failed")


def read_pages(path: Path) -> Iterator[Page]:
    """Every page of a dump, in order. Raises ParseError where it is damaged or no dump of pages, and one of `DAMAGED`
    where it cannot be unpacked. What stands behind what is packed is passed over."""
    with Unpacked(path) as file:
        try:
            yield from _read(file)
        except ParseError as error:
            raise file.problem or error from None
        if file.problem:
            raise file.problem


def _read(file: Unpacked) -> Iterator[Page]:
    events = iterparse(file, events=("start", "end"))
    _, root = next(events)
    if tag_of(root) != "mediawiki":
        raise ParseError(
            f"its root is <{tag_of(root)}>, expected the <mediawiki> of a MediaWiki export, or that of a document in "
            "JATS, TEI, DocBook or FictionBook"
        )
    language = root.get(_XML_LANGUAGE, "")
    site = Site(wiki=wiki_of(language or "en"))
    page, newest, found = root, Revision(), False
    for event, element in events:
        tag = tag_of(element)
        if event == "start" and tag == "page":
            page, newest = element, Revision()
        elif event == "end" and tag == "revision":
            newest = _newer(newest, _revision(element))
            page.remove(element)
        elif event == "end" and tag == "siteinfo":
            site = _site(element, language)
        elif event == "end" and tag == "page":
            yield _page(element, newest, site)
            found = True
            root.clear()
    if not found:
        raise ParseError("it has no <page>, expected a dump of pages, as pages-articles or pages-meta-history")


def _fields(element: Element) -> dict[str, Element]:
    return {tag_of(child): child for child in element}


def _text(fields: Mapping[str, Element], name: str) -> str:
    return (fields[name].text or "").strip() if name in fields else ""


def _revision(element: Element) -> Revision:
    fields = _fields(element)
    text = fields.get("text")
    return Revision(
        timestamp=_text(fields, "timestamp"),
        model=_text(fields, "model") or _WIKITEXT,
        text="" if text is None else text.text or "",
        missing=_missing(text),
    )


def _missing(text: Element | None) -> Missing:
    """Dumps called "stub" give the size of a text and leave it out."""
    if text is None or text.text:
        return ""
    if "deleted" in text.attrib:
        return "deleted"
    return "not in the dump" if text.get("bytes", "0").strip("0") else ""


def _newer(one: Revision, later: Revision) -> Revision:
    """By time stamp (ISO 8601, which sorts as text); the one that comes later in the dump where that does not tell."""
    return one if later.timestamp and later.timestamp < one.timestamp else later


def _page(element: Element, revision: Revision, site: Site) -> Page:
    fields = _fields(element)
    title, text = _text(fields, "title"), revision.text
    return Page(
        id=f"{site.name}/{_text(fields, 'id')}",
        title=title,
        namespace=_text(fields, "ns") or _namespace_of(title, site),
        redirects="redirect" in fields or _is_redirect(text, site.wiki),
        text=text,
        site=site,
        model=revision.model,
        missing=revision.missing,
    )


def _namespace_of(title: str, site: Site) -> str:
    """For dumps from before 2011, whose pages have no `<ns>`: the key of the namespace that the title begins with."""
    prefix, colon, _ = title.partition(":")
    return next((key for key, name in site.namespaces.items() if colon and name == prefix), _ARTICLES)


def _is_redirect(text: str, wiki: Wiki) -> bool:
    """Also where the word is not known: then the link, templates and categories are all that the page has."""
    match = _REDIRECT.match(text)
    if match is None:
        return False
    known = wiki.redirect.fullmatch(match[1].replace("_", " "))
    _, _, rest = text[match.end() :].partition("]]")
    return bool(known) or all(line.startswith(("{{", "[[")) for line in map(str.strip, rest.splitlines()) if line)


def _site(siteinfo: Element, language: str) -> Site:
    fields = _fields(siteinfo)
    name, base = _text(fields, "dbname"), _text(fields, "base")
    namespaces = {child.get("key", ""): (child.text or "").strip() for child in fields.get("namespaces", ())}
    return Site(
        name=name or "wiki",
        base=_before_title(base),
        licence=_licence(name, base, _text(fields, "generator")),
        namespaces=namespaces or _NAMESPACES,
        wiki=wiki_of(_language_of(name, language), namespaces),
    )


def _before_title(base: str) -> str:
    """What the address of the main page begins with: up to `title=`, else up to its last slash."""
    before, mark, _ = base.partition("title=") if "title=" in base else base.rpartition("/")
    return before + mark


def _language_of(database: str, declared: str) -> str:
    """The language that the name of the wiki's data base begins with, else the one that the dump declares."""
    match = _DATABASE.fullmatch(database)
    code = (match[1].replace("_", "-") if match else declared).lower()
    return _LANGUAGES.get(code, code) or "en"


def _licence(database: str, base: str, generator: str) -> str:
    """Of Wikimedia's projects: CC BY-SA 4.0 since June 2023 (MediaWiki 1.41), 3.0 before; Wikinews and Wikidata have
    their own. Of other wikis it is not known."""
    if not (_WIKIMEDIA.match(base) if base else _DATABASE.fullmatch(database)):
        return _UNKNOWN
    if database.endswith("wikinews"):
        return "CC-BY-2.5"
    if database == "wikidatawiki":
        return "CC0-1.0"
    release = _GENERATOR.match(generator)
    before_4 = release is not None and (int(release[1]), int(release[2])) < _FIRST_RELEASE_UNDER_4
    return "CC-BY-SA-3.0" if before_4 else "CC-BY-SA-4.0"


def read_page(page: Page) -> Document | Unusable:
    """The article of a page, or why it has none."""
    if reason := _no_article(page):
        return _skipped(page, reason)
    if page.missing == "not in the dump":
        return Unusable(id=page.id, reason="text not in the dump", detail="take one that is no stub", kind="failed")
    prose = strip_wikitext(page.text, page.site.wiki)
    if _is_list(page, count_words(prose.text)):
        return _skipped(page, "list")
    return Document(
        id=page.id,
        title=page.title,
        text=prose.text,
        source=f"{page.site.base}{quote(page.title.replace(' ', '_'))}",
        licence=page.site.licence,
        left_out=prose.left_out,
        headings=prose.headings,
    )


def _skipped(page: Page, reason: str) -> Unusable:
    return Unusable(id=page.id, reason=reason, kind="skipped", characters=visible(page.text))


def _no_article(page: Page) -> str | None:
    """Why the page is no article, as far as can be told before its prose is known."""
    if page.namespace != _ARTICLES:
        return "not an article"
    if page.redirects:
        return "redirect"
    if page.missing == "deleted":
        return "deleted"
    if page.model != _WIKITEXT:
        return "not wikitext"
    if _is_disambiguation(page):
        return "disambiguation"
    return "list" if page.site.wiki.lists.fullmatch(page.title) else None


def _is_disambiguation(page: Page) -> bool:
    wiki = page.site.wiki
    bracket = _BRACKET.search(page.title)
    if bracket and wiki.several.fullmatch(bracket[1].strip()):
        return True
    names = (name.replace("_", " ") for name in _TEMPLATE_NAME.findall(page.text))
    return _DISAMBIGUATION_SWITCH in page.text or any(wiki.disambiguation.fullmatch(name) for name in names)


def _is_list(page: Page, prose_words: int) -> bool:
    """Whether list items and table cells outweigh prose; the lists of back matter do not count."""
    by_title = page.site.wiki.maybe_lists.fullmatch(page.title)
    enough = (LIST_RATIO_BY_TITLE if by_title else LIST_RATIO) * max(prose_words, 1)
    body = body_sections(page.text, page.site.wiki)
    return _list_words(page.text) >= enough and sum(map(_list_words, body)) >= enough


def _list_words(wikitext: str) -> int:
    return count_words("\n".join(_LIST_LINE.findall(wikitext)))
