"""What the elements of XML documents are, in words of HTML, or why they are no text: articles of journals in JATS,
editions in TEI, manuals in DocBook, books in FictionBook 2, texts in OpenDocument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FRONT = "front matter"
LINE, SPACE, VERSE = "line", "space", 'p class="stanza"'
"""A verse, what stands for a space, and some verses together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Of one kind of document, by the names of its elements. An element without a word is what it holds.

    html: the element of HTML that one is; sections: those whose titles are headings, one within another a level down;
    titles: of sections, captions elsewhere; left_out: by reason; only: of these elements, all that is text.
    title: the ways to the document's title, from any element on; notes: the values of `ref-type` and `type` of links
    that are marks of notes.
    """

    html: Mapping[str, str]
    sections: frozenset[str]
    titles: frozenset[str]
    left_out: Mapping[str, str]
    only: Mapping[str, frozenset[str]]
    title: tuple[tuple[str, ...], ...]
    notes: frozenset[str] = frozenset()


def _listed(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _by_name(names: Mapping[str, str]) -> dict[str, str]:
    """The word of each of the names that are listed behind it."""
    return {name: word for word, listed in names.items() for name in listed.split()}


JATS = Words(
    html=_by_name(
        {
            "p": "p speech attrib",
            "blockquote": "disp-quote",
            VERSE: "verse-group",
            LINE: "verse-line",
            "ul": "list",
            "li": "list-item",
            "dl": "def-list",
            "dt": "term",
            "dd": "def",
            "pre": "preformat code",
            "table": "table",
            "sup": "sup",
            "sub": "sub",
            "br": "break",
        }
    ),
    sections=_listed("article sec abstract app ack boxed-text bio notes sub-article response back book-part"),
    titles=_listed("title"),
    left_out=_by_name(
        {
            "caption": "fig fig-group graphic inline-graphic media caption supplementary-material alt-text",
            "table": "table-wrap table-wrap-group",
            "footnote": "fn fn-group",
            "reference": "ref-list ref",
            "formula": "disp-formula disp-formula-group tex-math",
            "heading": "label",
            "list": "glossary",
            FRONT: "object-id sec-meta front-stub related-article",
        }
    ),
    only={"front": _listed("article-meta"), "article-meta": _listed("abstract")},
    title=(("title-group", "article-title"), ("book-title-group", "book-title")),
    notes=_listed("bibr fn table-fn author-notes"),
)
TEI = Words(
    html=_by_name(
        {
            "p": "p ab opener closer trailer byline dateline salute signed argument stage",
            "blockquote": "epigraph",
            VERSE: "lg",
            LINE: "l",
            SPACE: "lb",
            "ul": "list",
            "li": "item",
            "pre": "eg",
            "code": "code",
            "table": "table",
            "tr": "row",
            "td": "cell",
            "q": "q said quote",
        }
    ),
    sections=_listed("text body front back div div0 div1 div2 div3 div4 div5 div6 div7 group"),
    titles=_listed("head"),
    left_out=_by_name(
        {
            "footnote": "note noteGrp",
            "running head": "fw",
            "caption": "figure figDesc",
            "reference": "listBibl biblStruct biblFull",
            "struck out": "del sic abbr surplus",
            "beside the text": "titlePage",
            "navigation": "index divGen",
            "hidden": "gap",
        }
    ),
    only={**dict.fromkeys(("TEI", "TEI.2"), _listed("text TEI")), "teiCorpus": _listed("TEI TEI.2")},
    title=(("titleStmt", "title"),),
    notes=_listed("noteAnchor note"),
)
DOCBOOK = Words(
    html=_by_name(
        {
            "p": "para simpara attribution",
            "blockquote": "blockquote",
            VERSE: "literallayout",
            "pre": "programlisting screen synopsis cmdsynopsis funcsynopsis classsynopsis",
            "code": "literal filename command function option varname classname code constant parameter",
            "ul": "itemizedlist orderedlist procedure substeps calloutlist simplelist",
            "li": "listitem step callout member",
            "dl": "variablelist segmentedlist",
            "dt": "term",
            "table": "table informaltable",
            "thead": "thead",
            "tr": "row",
            "td": "entry",
            "q": "quote",
            "sup": "superscript",
            "sub": "subscript",
        }
    ),
    sections=_listed(
        "set book part chapter article section sect1 sect2 sect3 sect4 sect5 simplesect preface appendix colophon "
        "reference refentry refsect1 refsect2 refsect3 refsection partintro dedication topic formalpara"
    ),
    titles=_listed("title subtitle bridgehead"),
    left_out=_by_name(
        {
            FRONT: "bookinfo articleinfo chapterinfo sectioninfo prefaceinfo appendixinfo setinfo info refmeta "
            "refnamediv refsynopsisdiv titleabbrev date copyright",
            "footnote": "footnote",
            "caption": "figure mediaobject inlinemediaobject screenshot caption textobject",
            "formula": "equation informalequation",
            "navigation": "indexterm index toc lot",
            "reference": "bibliography bibliolist biblioentry bibliomixed",
            "comment": "remark comment",
            "list": "glossary",
        }
    ),
    only={},
    title=(("title",),),
)
FICTIONBOOK = Words(
    html=_by_name(
        {
            "p": "p text-author",
            "blockquote": "cite epigraph",
            VERSE: "stanza",
            LINE: "v",
            "code": "code",
            "table": "table",
            "tr": "tr",
            "td": "td",
            "th": "th",
            "sup": "sup",
            "sub": "sub",
        }
    ),
    sections=_listed("body section poem"),
    titles=_listed("title subtitle"),
    left_out=_by_name(
        {"embedded file": "binary", "caption": "image", "struck out": "strikethrough", FRONT: "annotation"}
    ),
    only={"FictionBook": _listed("body")},
    title=(("title-info", "book-title"),),
    notes=_listed("note"),
)
OPENDOCUMENT = Words(
    html=_by_name(
        {
            **{f"h{level}": f"styled-h{level}" for level in range(2, 7)},
            "h1": "styled-h1 styled-title",
            "h2": "styled-h2 styled-subtitle",
            "p": "p",
            "pre": "styled-code",
            "figcaption": "styled-caption",
            "ul": "list",
            "li": "list-item list-header",
            "table": "table",
            "thead": "table-header-rows",
            "tr": "table-row",
            "td": "table-cell",
            "sup": "sup",
            "sub": "sub",
            "br": "line-break",
            SPACE: "tab s",
        }
    ),
    sections=frozenset(),
    titles=frozenset(),
    left_out=_by_name(
        {
            "footnote": "note",
            "comment": "annotation",
            "struck out": "tracked-changes styled-struck",
            "navigation": "table-of-content alphabetical-index illustration-index table-index user-index object-index "
            "bibliography styled-navigation",
            "ruby": "ruby-text",
            "hidden": "hidden-text hidden-paragraph",
            "caption": "title desc",
        }
    ),
    only={"body": _listed("text")},
    title=(("styled-title",),),
)
"""Headings, paragraphs and spans are named for their levels and styles before."""
