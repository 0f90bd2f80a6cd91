"""What the elements of an EPUB's page, and its guide, say that they are (https://www.w3.org/TR/epub-ssv-11): text, or
something beside it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from nextvec.corpus.prose import visible

NAVIGATION, BESIDE, IMPRINT = "navigation", "beside the text", "imprint"
TYPES = {
    **dict.fromkeys(("toc", "landmarks", "page-list", "loi", "lot", "index"), NAVIGATION),
    **dict.fromkeys(("copyright-page", "colophon", "imprint", "other-credits"), IMPRINT),
    **dict.fromkeys(("cover", "titlepage", "title-page", "halftitlepage", "halftitle", "bibliography"), BESIDE),
    **dict.fromkeys(("endnotes", "footnotes", "rearnotes", "notes"), "footnote"),
}
"""By what a thing says that it is, why it is no text then."""
_OF_THE_BODY = frozenset(
    (
        *("bodymatter", "volume", "part", "chapter", "prologue", "epilogue", "introduction", "preface", "foreword"),
        *("afterword", "appendix", "conclusion", "z3998:fiction", "z3998:non-fiction"),
    )
)
_MARK = re.compile(
    r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)"
    r"|<(?P<end>/)?(?P<tag>body|section|div)\b(?P<rest>[^<>]*?)(?P<empty>/)?>",
    re.DOTALL | re.IGNORECASE,
)
_TYPE = re.compile(r"\bepub:type\s*=\s*[\"']([^\"']*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Element:
    """Where it begins and ends in a page, and the types that it gives itself."""

    start: int
    end: int
    types: tuple[str, ...]

    @property
    def is_text(self) -> bool:
        return not _OF_THE_BODY.isdisjoint(self.types)

    @property
    def reason(self) -> str:
        """Why it is no text, "" where it does not say so."""
        return next((TYPES[name] for name in self.types if name in TYPES), "")

    def holds(self, other: _Element) -> bool:
        return self.start <= other.start and other.end <= self.end


def set_apart(page: str) -> tuple[str, Counter[str]]:
    """A page without its elements that say that they are no text, and hold none; by reason the characters of these."""
    elements = sorted(_elements(page), key=lambda one: one.start)
    texts = [one for one in elements if one.is_text]
    kept, place, apart = "", 0, Counter[str]()
    for one in elements:
        if one.start >= place and one.reason and not any(map(one.holds, texts)):
            apart[one.reason] += visible(page[one.start : one.end])
            kept, place = kept + page[place : one.start], one.end
    return kept + page[place:], apart


def holds_text(page: str) -> bool:
    """Whether one of its elements says that it is text."""
    return any(one.is_text for one in _elements(page))


def _elements(page: str) -> Iterator[_Element]:
    """Those that are closed; a body ends with the page at the latest."""
    begun: dict[str, list[re.Match[str]]] = defaultdict(list)
    for mark in _MARK.finditer(f"{page}</body>"):
        tag = (mark["tag"] or "").lower()
        if tag and not mark["end"] and not mark["empty"]:
            begun[tag].append(mark)
        elif mark["end"] and begun[tag]:
            first = begun[tag].pop()
            types = _TYPE.findall(first["rest"])
            yield _Element(first.start(), min(mark.end(), len(page)), tuple(" ".join(types).split()))
