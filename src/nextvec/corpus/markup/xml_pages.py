"""XML documents, read as the page of HTML that their elements are in other words (`xml_words`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from xml.etree.ElementTree import Element, ParseError

from nextvec.corpus.markup.html import prose_of
from nextvec.corpus.markup.html_tree import read_tree
from nextvec.corpus.markup.xml_tree import parse_decoded, tag_of, text_of
from nextvec.corpus.markup.xml_words import DOCBOOK, FICTIONBOOK, FRONT, JATS, LINE, SPACE, TEI, Words
from nextvec.corpus.prose import Prose, collapse, visible
from nextvec.errors import DataError

_ROOTS = {
    **dict.fromkeys(("TEI", "TEI.2", "teiCorpus"), TEI),
    **dict.fromkeys(("pmc-articleset", "book-part-wrapper"), JATS),
    "FictionBook": FICTIONBOOK,
    **dict.fromkeys(("article", "book", "chapter", "section", "set", "part", "preface", "appendix"), DOCBOOK),
    **dict.fromkeys(("reference", "refentry", "sect1", "topic"), DOCBOOK),
}
_OF_JATS = frozenset(("front", "book-meta", "book-body"))
"""An article or book that holds them is one of JATS."""
_ROOT = re.compile(
    r"\s*(?:(?:<\?(?:(?!\?>).)*\?>|<!--(?:(?!-->).)*-->|<!DOCTYPE[^<>\[]*(?:\[[^\]]*\]\s*)?>)\s*)*"
    r"<(?:[\w.-]+:)?(?P<name>[\w.-]+)[\s/>]",
    re.DOTALL,
)
"""Each part ends where it first may: tried otherwise, many of them take for ever."""
_IN_LINES = frozenset(("sup", "sub", "q", "code", "br"))
_BELOW_TITLES = frozenset(("subtitle", "bridgehead"))
LOWEST = 6
_MARK = "\ufdd1"
"""Stands for the mark of a note until its brackets are known; no character at all in any text."""
_SEVERAL = rf"[\s,;\u2013-]*{_MARK}(?:[\s,;\u2013-]|{_MARK})*"
_MARKS = re.compile(rf"\s?[\[(]{_SEVERAL}[\])]|\s?<sup>{_SEVERAL}</sup>|\s?{_MARK}(?:[,\u2013-](?={_MARK}))?")
_NUMBER = re.compile(r"[\[(]?\s*(?:\d{1,4}|[a-z*\u2020\u2021])\s*[\])]?")


def is_xml_document(head: bytes) -> bool:
    """Whether a file that begins so is of a kind that is read here."""
    begins = _ROOT.match(head.replace(b"\0", b"").decode("utf-8", "ignore").lstrip("\ufeff\ufffe"))
    return begins is not None and begins["name"] in _ROOTS


def read_xml(text: str) -> Prose:
    """The prose of an XML document, titled as it says of itself. Raises DataError for one that is damaged or of
    another kind."""
    try:
        root = parse_decoded(text)
        words = _words_of(root)
        return prose_of_xml(root, words, text)
    except ParseError as error:
        raise DataError(f"it is no whole XML: {error}") from None
    except RecursionError:
        raise DataError("its elements are nested too deep to be read") from None


def _words_of(root: Element) -> Words:
    words = _ROOTS.get(tag_of(root))
    if words is None:
        raise DataError(f"its root is <{tag_of(root)}>, expected one of {', '.join(sorted(_ROOTS))}")
    return JATS if words is DOCBOOK and any(tag_of(part) in _OF_JATS for part in root) else words


def prose_of_xml(root: Element, words: Words, text: str, title: str = "") -> Prose:
    """The prose of a document whose elements have these `words`; `text`: by what is in it is counted what is left
    out. `title`: where the document says none of itself."""
    writer = _Writer(words)
    writer.element(root, root, level=0, is_open=False)
    tree = read_tree(_MARKS.sub("", writer.page()))
    tree.left_out += writer.left_out
    first = next((item.text for item in tree.passages if item.place.level), "")
    prose = prose_of(tree, _title(root, words) or title or first, text)
    return replace(prose, left_out=+Counter(prose.left_out))


def _title(root: Element, words: Words) -> str:
    for way in words.title:
        for holder in (one for one in root.iter() if tag_of(one) == way[0]):
            found = next((one for one in holder.iter() if tag_of(one) == way[-1]), None)
            if found is not None:
                return collapse(text_of(found))
    return ""


class _Writer:
    """`left_out`: characters by reason."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._parts: list[str] = []
        self._speaker = ""
        self.left_out: Counter[str] = Counter()

    def page(self) -> str:
        return "".join(self._parts)

    def element(self, node: Element, parent: Element, *, level: int, is_open: bool) -> None:
        """level: of the section that it is in; is_open: whether a paragraph is, which a block closes."""
        name = tag_of(node)
        if reason := self._reason(node, name, parent):
            self.left_out[reason] += visible(text_of(node))
        elif name in self._words.titles:
            self._title(node, name, parent, level)
        elif name in self._words.sections:
            titled = any(tag_of(part) in self._words.titles for part in node)
            self._block("section", node, level=level + titled, is_open=is_open)
        elif name == "speaker":
            self._speaker = f"{collapse(text_of(node)).rstrip('.:')}. "
        elif name == "math":
            self._parts += _raw(node)
        else:
            self._worded(node, _styled(node) or self._words.html.get(name, ""), level=level, is_open=is_open)

    def _reason(self, node: Element, name: str, parent: Element) -> str:
        """Why it is no text, "" where it is."""
        kept = self._words.only.get(tag_of(parent))
        if kept is not None and name not in kept and node is not parent:
            return self._words.left_out.get(name, FRONT)
        is_notes = name == "body" and node.get("name") in ("notes", "comments", "footnotes")
        return "footnote" if is_notes else self._words.left_out.get(name, "")

    def _worded(self, node: Element, word: str, *, level: int, is_open: bool) -> None:
        if self._is_note_mark(node):
            self.left_out["note mark"] += visible(text_of(node))
            self._parts.append(_MARK)
        elif word == LINE:
            self._inside(node, level=level, is_open=is_open)
            self._parts.append(" ")
        elif word == SPACE:
            self._parts.append(" " if node.get("break") != "no" else "")
        elif not word or word in _IN_LINES:
            self._parts.append(f"<{word}>" if word else "")
            self._inside(node, level=level, is_open=is_open)
            self._parts.append(f"</{word}>" if word and word != "br" else "")
        else:
            self._block(word, node, level=level, is_open=is_open)

    def _block(self, word: str, node: Element, *, level: int, is_open: bool) -> None:
        tag = word.partition(" ")[0]
        self._parts.append(f"</p><{word}>" if is_open else f"<{word}>")
        self._inside(node, level=level, is_open=tag == "p")
        self._parts.append(f"</{tag}><p>" if is_open else f"</{tag}>")

    def _inside(self, node: Element, *, level: int, is_open: bool) -> None:
        self._text(node.text)
        for part in node:
            self.element(part, node, level=level, is_open=is_open)
            self._text(part.tail)

    def _text(self, text: str | None) -> None:
        if text and self._speaker and text.strip():
            text, self._speaker = f"{self._speaker}{text.lstrip()}", ""
        self._parts.append(escape(text or "", quote=False))

    def _title(self, node: Element, name: str, parent: Element, level: int) -> None:
        """A heading, or the title of what is no section, which is a caption."""
        lower = min(level + (name in _BELOW_TITLES), LOWEST)
        tag = f"h{lower}" if tag_of(parent) in self._words.sections else "figcaption"
        if said := collapse(" ".join(self._said(node))):
            self._parts.append(f"<{tag}>{escape(said, quote=False)}</{tag}>")

    def _said(self, node: Element) -> Iterator[str]:
        """The text of a title without notes."""
        yield node.text or ""
        for part in node:
            if reason := self._reason(part, tag_of(part), node):
                self.left_out[reason] += visible(text_of(part))
            else:
                yield from self._said(part)
            yield part.tail or ""

    def _is_note_mark(self, node: Element) -> bool:
        kind = node.get("ref-type") or node.get("type")
        return kind in self._words.notes and _NUMBER.fullmatch(text_of(node).strip()) is not None


def _styled(node: Element) -> str:
    """What an element says of the way it is shown, where that says what it is."""
    if node.get("class") == "monospaced":
        return "pre"
    shown = node.get("rend") or node.get("rendition") or ""
    return next((tag for tag in ("sup", "sub") if tag in shown), "")


def _raw(node: Element) -> Iterator[str]:
    """A formula, which HTML has in the same words."""
    tag = tag_of(node)
    yield f"<{tag}>{escape(node.text or '', quote=False)}"
    for part in node:
        yield from _raw(part)
        yield escape(part.tail or "", quote=False)
    yield f"</{tag}>"
