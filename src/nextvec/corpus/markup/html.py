"""HTML pages to plain prose, with the standard library's parser.

Headings, tables, navigation, code and figures are left out; list items are kept when they are sentences.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from nextvec.corpus.prose import collapse, is_sentence

_LEFT_OUT = frozenset(
    (
        *("script", "style", "head", "title", "nav", "aside", "footer", "header", "table", "figure", "pre", "select"),
        *("button", "svg", "math", "noscript", "template", "iframe", "object", "audio", "video", "canvas", "textarea"),
        *("h1", "h2", "h3", "h4", "h5", "h6"),
    )
)
_INLINE = frozenset(
    (
        *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i"),
        *("img", "ins", "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike"),
        *("strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
    )
)
_LISTS = frozenset(("ul", "ol", "dl"))
_NOTE_MARK = re.compile(r"\[\s*(?:\d{1,3}|[a-z]|citation needed|edit)\s*\]")
_DECLARED_ENCODING = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)


def read_html(page: str) -> tuple[str, str]:
    """Title (of the first heading of level 1, else of the page; "" when there is none) and prose."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    title = collapse("".join(reader.heading)) or collapse("".join(reader.title))
    return title, "\n\n".join(reader.prose())


def declared_encoding(content: bytes) -> str | None:
    """The encoding that a page's `meta` element names, if any."""
    match = _DECLARED_ENCODING.search(content[:2048])
    return match[1].decode("ascii", "replace") if match else None


class _Reader(HTMLParser):
    """Collects paragraphs, each with whether it is in a list; `ignored` are the open elements that are left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.heading: list[str] = []
        self.ignored: list[str] = []
        self.lists = 0
        self.paragraphs: list[tuple[bool, list[str]]] = [(False, [])]

    def prose(self) -> list[str]:
        texts = ((in_list, collapse(_NOTE_MARK.sub("", "".join(parts)))) for in_list, parts in self.paragraphs)
        return [text for in_list, text in texts if text and (not in_list or is_sentence(text))]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _LEFT_OUT:
            self.ignored.append(tag)
        self.lists += tag in _LISTS
        self._separate(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.ignored:
            while self.ignored.pop() != tag:
                pass
        self.lists = max(0, self.lists - (tag in _LISTS))
        self._separate(tag)

    def handle_data(self, data: str) -> None:
        if not self.ignored:
            self.paragraphs[-1][1].append(data)
        elif self.ignored[-1] == "title":
            self.title.append(data)
        elif self.ignored[-1] == "h1":
            self.heading.append(data)

    def _separate(self, tag: str) -> None:
        if tag == "br":
            self.paragraphs[-1][1].append(" ")
        elif tag not in _INLINE:
            self.paragraphs.append((self.lists > 0, []))
