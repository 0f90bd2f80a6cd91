"""What is on a web page and is not its text: by element, by role, and by the names that pages give their parts.

`certain` parts are left out wherever they are. `doubtful` ones may turn out to hold the text itself (a `nav` that was
never closed, a class named after what stands beside it), so they are left out only if prose remains without them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Attributes = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a part may be left out. `weak`: only if it is made of links, because such a name can be a subject as well.
    `subject`: unless it reads as a text, because such a name can be what a text is about. `named`: unless it holds the
    text of the page, because a part may be named after what stands in it or beside it, as `content-sidebar-wrap` is."""

    reason: str
    weak: bool = False
    subject: bool = False
    named: bool = False


_CERTAIN_TAGS = {
    **dict.fromkeys(("script", "style"), "script"),
    "title": "title",
    **dict.fromkeys(("template", "noscript", "noframes", "noembed", "datalist"), "hidden"),
    **dict.fromkeys(("button", "select", "textarea", "legend", "label", "output", "option", "optgroup"), "form"),
    **dict.fromkeys(("svg", "canvas", "audio", "video", "object", "iframe", "map", "picture"), "picture"),
    "figcaption": "caption",
    **dict.fromkeys(("rt", "rp", "rtc"), "ruby"),
    "address": "address",
    **dict.fromkeys(("del", "s", "strike"), "struck out"),
    **dict.fromkeys(("annotation", "annotation-xml"), "formula"),
}
_DOUBTFUL_TAGS = {"nav": "navigation", "aside": "aside", "footer": "footer", "dialog": "notice", "search": "form"}
_ROLES = {
    **dict.fromkeys(("navigation", "menu", "menubar", "toolbar", "tablist", "directory"), "navigation"),
    "banner": "page header",
    "contentinfo": "footer",
    "complementary": "aside",
    "search": "form",
    **dict.fromkeys(("dialog", "alertdialog", "alert", "status"), "notice"),
    **dict.fromkeys(("doc-endnotes", "doc-footnote", "doc-bibliography"), "footnote"),
    "doc-toc": "navigation",
}
_NAMES = {
    **dict.fromkeys(
        ("nav", "navbar", "navigation", "menubar", "breadcrumb", "breadcrumbs", "pagination"), "navigation"
    ),
    **dict.fromkeys(("pager", "toc", "navbox", "catlinks", "noprint", "hatnote", "skip"), "navigation"),
    "sidebar": "aside",
    **dict.fromkeys(("footer", "copyright", "printfooter"), "footer"),
    **dict.fromkeys(("cookie", "cookies", "consent", "gdpr"), "notice"),
    **dict.fromkeys(("ad", "ads", "advert", "advertisement", "sponsored", "sponsor"), "advertisement"),
    **dict.fromkeys(("newsletter", "subscribe", "signup"), "advertisement"),
    **dict.fromkeys(("comments", "commentlist", "disqus"), "comments"),
    **dict.fromkeys(
        ("references", "reflist", "footnote", "footnotes", "endnotes", "sidenote", "marginnote"), "footnote"
    ),
    **dict.fromkeys(("byline", "dateline", "timestamp", "postmeta", "metadata"), "byline"),
    **dict.fromkeys(("thumbcaption", "caption"), "caption"),
    "infobox": "table",
}
_WEAK_NAMES = {
    **dict.fromkeys(("menu", "links", "tags", "header", "topbar", "masthead"), "navigation"),
    **dict.fromkeys(("share", "sharing", "social", "related", "recommended", "more", "popular", "promo"), "navigation"),
    **dict.fromkeys(("widget", "relatedposts", "sharedaddy", "teaser", "teasers", "trending"), "navigation"),
    "meta": "byline",
}
_SUBJECTS = frozenset(("cookie", "cookies", "consent", "gdpr", "navigation", "skip"))
_SUBJECTS_OF_COMPOUNDS = frozenset(("caption", "dateline", "copyright", "metadata", "timestamp"))
"""Only where a word stands beside it that is none of layout: `caption-history`, not `photo-caption`."""
_OF_LAYOUT = frozenset(
    (
        *("text", "image", "img", "photo", "picture", "wp", "figure", "fig", "media", "gallery", "slide", "slider"),
        *("video", "audio", "box", "wrap", "wrapper", "container", "inner", "outer", "content", "block", "credit"),
        *("title", "overlay", "thumb", "thumbnail", "carousel", "article", "post", "entry", "story", "body", "hero"),
        *("lead", "featured", "main", "top", "bottom", "left", "right", "center", "small", "large", "full", "item"),
        *("area", "table", "map", "row", "col", "column", "is", "js", "element"),
        *("site", "page", "footer", "header", "notice", "info", "bar", "line", "list", "section", "date", "author"),
        *("form", "thread", "view", "user", "widgets", "legal", "global", "primary", "secondary"),
    )
)
_TEXTS_BESIDE = frozenset(
    ("comments", "commentlist", "disqus", "footer", "printfooter", "footnote", "footnotes", "endnotes", "reflist")
)
"""They may hold more than the text itself, so that only a word beside them says that a name is another's:
`comments-open`, not `comments-area`."""
_STAND_BESIDE = {"has", "no", "with", "without"}
"""A name that begins so says what the part stands beside, not what it is."""
_CERTAIN_NAMES = {
    **dict.fromkeys(("admonition-title", "topic-title"), "heading"),
    **dict.fromkeys(("pagenum", "pageno", "page-number", "pagebreak", "doc-pagebreak"), "page number"),
    **dict.fromkeys(("noteref", "footnote-ref", "footnote-reference", "fnanchor", "doc-noteref"), "note mark"),
}
_NOTES_IN_LINES = {
    **dict.fromkeys(("sidenote", "side-note", "marginnote", "margin-note", "footnote"), "footnote"),
    **dict.fromkeys(("footnote-text", "footnote-content", "ltx_note_outer"), "footnote"),
    **dict.fromkeys(("tooltiptext", "tooltip-text", "tooltip__text", "tooltip-content", "tooltip__content"), "hidden"),
}
"""As Tufte's style sheets, LaTeXML and w3schools name them."""
_UNSEEN_NAMES = {"sr-only", "visually-hidden", "visuallyhidden", "screen-reader-text", "screen-reader-only"}
_UNSEEN_NAMES |= {"mw-editsection", "mw-jump-link", "editsection", "headerlink", "footnote-backref", "katex-html"}
_UNSEEN_NAMES |= {"ttc"}
"""The last is what Doxygen shows over a name in code."""
_UNSEEN_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_VERSE = frozenset(("poem", "poetry", "stanza", "verse", "line-block", "linegroup"))
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def certain(tag: str, attributes: Attributes) -> str | None:
    """Why an element is left out for certain, if it is."""
    if reason := _CERTAIN_TAGS.get(tag):
        return reason
    names = [name for key in ("class", "epub:type", "role") for name in (attributes.get(key) or "").split()]
    if reason := next((_CERTAIN_NAMES[name] for name in names if name in _CERTAIN_NAMES), None):
        return reason
    return "hidden" if _UNSEEN_NAMES.intersection(names) else None


def is_verse(attributes: Attributes) -> bool:
    """Whether a part says that its lines are verses, which may be short and end as no sentence does."""
    return not _VERSE.isdisjoint(_classes(attributes))


def note_in_line(attributes: Attributes) -> str | None:
    """Why an element within a line is left out if it holds the words of a note, which stand elsewhere on the page."""
    return next((_NOTES_IN_LINES[name] for name in _classes(attributes) if name in _NOTES_IN_LINES), None)


def is_hidden(attributes: Attributes) -> bool:
    """Whether an element says that it is not to be seen, or not to be read."""
    if "hidden" in attributes and attributes["hidden"] != "until-found":
        return True
    return attributes.get("aria-hidden") == "true" or bool(_UNSEEN_STYLE.search(attributes.get("style") or ""))


def doubtful(tag: str, attributes: Attributes, *, in_article: bool) -> Doubt | None:
    """Why an element may be left out, if it may. `in_article`: its header belongs to the text, not to the page."""
    if is_hidden(attributes):
        return Doubt("hidden")
    if tag == "p" and "title" in _classes(attributes):  # of a figure, table or note, as DocBook's style sheets name it
        return Doubt("caption", subject=True)
    if tag == "header":
        return None if in_article else Doubt("page header")
    role = (attributes.get("role") or "").lower()
    if reason := _DOUBTFUL_TAGS.get(tag) or _ROLES.get(role):
        return Doubt(reason)
    return None if tag in ("html", "body", "main", "article") else _by_name(tag, attributes)


def _by_name(tag: str, attributes: Attributes) -> Doubt | None:
    """The identifiers of sections come from their headings and say nothing; the names of custom elements do."""
    names = [*_classes(attributes), *([tag] if "-" in tag else [])]
    if tag != "section" and "section" not in names:
        names = [*names, attributes.get("id") or ""]
    named = [words for name in names if (words := _words(name))]
    if doubt := next((_strong(word, words) for words in named for word in words if word in _NAMES), None):
        return doubt
    weak = (word for words in named for word in words if word in _WEAK_NAMES)
    return next((Doubt(_WEAK_NAMES[word], weak=True, named=True) for word in weak), None)


def _strong(word: str, words: Sequence[str]) -> Doubt:
    """The doubt that one of the words of a name raises."""
    alone = all(other == word or other in _OF_LAYOUT for other in words)
    about = word in _SUBJECTS or (word in _SUBJECTS_OF_COMPOUNDS and not alone)
    return Doubt(_NAMES[word], subject=about, named=not (alone and word in _TEXTS_BESIDE))


def _classes(attributes: Attributes) -> list[str]:
    return (attributes.get("class") or "").split()


def _words(name: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(name)]
    return [] if _STAND_BESIDE.intersection(words) else words
