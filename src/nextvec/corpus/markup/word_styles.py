"""How text of Word looks, by itself, its styles and what they are based on; and the headings that only look like some.

Such is a short paragraph, no sentence and no item, that has a level in the outline, or is bold as a whole and larger
than most of the text. What has a style of headings is none of these: mammoth knows it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from xml.etree.ElementTree import Element

from nextvec.corpus.markup.html import HEADING_WORDS
from nextvec.corpus.markup.word_names import attribute, child, name_of, text_of
from nextvec.corpus.prose import count_words, ends_sentence

LARGER = 1.15
"""Times the size of most of the text, that a heading has at least."""
LOWEST = 6
_POINTS = 10.0
"""Of text of which nothing says how large it is."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(pt)?")
_KNOWN = re.compile(r"heading|title|subtitle|caption|toc|index|footnote|endnote|annotation|list", re.IGNORECASE)
_IS_HEADING = re.compile(r"heading \d|title|subtitle", re.IGNORECASE)
_LEVELS = tuple("012345678")
_FIXED_WIDTH = re.compile(r"courier|consolas|menlo|monaco|typewriter|lucida console|\bmono|\bcode\b", re.IGNORECASE)
_OFF = frozenset(("0", "false", "off", "none"))


class Styles:
    """Of a document; `root` is its part of styles."""

    def __init__(self, root: Element | None) -> None:
        found = [one for one in (root if root is not None else ()) if name_of(one) == "w:style"]
        self._by_id = {attribute(one, "styleId"): one for one in found}
        self._default = next((attribute(one, "styleId") for one in found if _is_default(one)), None)
        self._of_all = child(child(child(root, "w:docDefaults"), "w:rPrDefault"), "w:rPr")
        self._chain = cache(self._read_chain)

    def has(self, name: str, run: Element, paragraph: Element) -> bool:
        """Whether text is bold (w:b), hidden (w:vanish) ..."""
        found = self._found(name, run, paragraph)
        return found is not None and attribute(found, "val") not in _OFF

    def size(self, run: Element, paragraph: Element) -> float:
        """In points, of which a number without a unit counts halves."""
        given = _SIZE.fullmatch(attribute(self._found("w:sz", run, paragraph), "val") or "")
        return _POINTS if given is None else float(given[1]) / (1 if given[2] else 2)

    def is_code(self, run: Element, paragraph: Element) -> bool:
        """Whether its letters are all of one width, as those of code."""
        for fonts in self._all("w:rFonts", run, paragraph):
            if name := attribute(fonts, "ascii") or attribute(fonts, "hAnsi"):
                return _FIXED_WIDTH.search(name) is not None
        return False

    def name(self, paragraph: Element) -> str:
        """Of the paragraph's style; "" for the one that all have."""
        style = attribute(child(child(paragraph, "w:pPr"), "w:pStyle"), "val")
        return attribute(child(self._by_id.get(style), "w:name"), "val") or style or ""

    def outline(self, paragraph: Element) -> int:
        """The level that it has in the outline, from 1; 0 for none."""
        given = (child(one, "w:outlineLvl") for one in self._properties(paragraph, "w:pPr"))
        level = attribute(next((one for one in given if one is not None), None), "val")
        return int(level) + 1 if level in _LEVELS else 0

    def _found(self, name: str, run: Element, paragraph: Element) -> Element | None:
        return next(self._all(name, run, paragraph), None)

    def _all(self, name: str, run: Element, paragraph: Element) -> Iterator[Element]:
        """The nearest first."""
        own = child(run, "w:rPr")
        of_run = self._chain(attribute(child(own, "w:rStyle"), "val"))
        of_paragraph = self._chain(attribute(child(child(paragraph, "w:pPr"), "w:pStyle"), "val") or self._default)
        places = (own, *(child(one, "w:rPr") for one in (*of_run, *of_paragraph)), self._of_all)
        return (found for place in places if (found := child(place, name)) is not None)

    def _properties(self, paragraph: Element, name: str) -> Iterator[Element]:
        own = child(paragraph, name)
        for one in (own, *(child(style, name) for style in self._chain(attribute(child(own, "w:pStyle"), "val")))):
            if one is not None:
                yield one

    def _read_chain(self, style: str | None) -> tuple[Element, ...]:
        """A style and what it is based on, the nearest first."""
        found: dict[str | None, Element] = {}
        while style in self._by_id and style not in found:
            found[style] = self._by_id[style]
            style = attribute(child(found[style], "w:basedOn"), "val")
        return tuple(found.values())


def _is_default(style: Element) -> bool:
    return attribute(style, "type") == "paragraph" and attribute(style, "default") in ("1", "true", "on")


def code(root: Element, styles: Styles) -> tuple[list[Element], list[Element]]:
    """The paragraphs that are code, and the runs that are within others; none where at least half of the text looks
    so, as what was written on a typewriter does."""
    found: list[tuple[Element, Element]] = []
    others: list[tuple[Element, Element]] = []
    for paragraph in _paragraphs(root):
        for run in _runs(paragraph):
            is_code = styles.is_code(run, paragraph) and not styles.has("w:vanish", run, paragraph)
            (found if is_code else others).append((run, paragraph))
    if _letters(found) >= _letters(others):
        return [], []
    mixed = {id(paragraph) for _, paragraph in others}
    whole = {id(one): one for _, one in found if id(one) not in mixed and not _is_item(one)}
    plain = [one for one in whole.values() if not _KNOWN.match(styles.name(one))]
    return plain, [run for run, one in found if id(one) in mixed]


def _letters(runs: Iterable[tuple[Element, Element]]) -> int:
    return sum(len(text_of(run)) for run, _ in runs)


def headings(root: Element, styles: Styles) -> list[tuple[Element, int]]:
    """Paragraphs that are headings without a style of headings, with their levels: those of the outline, else by size;
    below all others, where others have a style."""
    paragraphs = [one for one in _paragraphs(root) if text_of(one).strip()]
    sizes = {id(one): _sizes(one, styles) for one in paragraphs}
    body = max(sum(sizes.values(), Counter()).items(), key=lambda one: one[1], default=(0.0, 0))[0]
    plain = [one for one in paragraphs if not _KNOWN.match(styles.name(one)) and _may_be_heading(one)]
    outlined = [(one, min(level, LOWEST)) for one in plain if (level := styles.outline(one))]
    large = [one for one in plain if not styles.outline(one) and _stands_out(one, min(sizes[id(one)]), body, styles)]
    have_style = bool(outlined) or any(_IS_HEADING.match(styles.name(one)) for one in paragraphs)
    ranks = sorted({max(sizes[id(one)]) for one in large}, reverse=True)
    by_size = [LOWEST if have_style else min(ranks.index(max(sizes[id(one)])) + 1, LOWEST) for one in large]
    return [*outlined, *zip(large, by_size, strict=True)]


def _paragraphs(element: Element) -> Iterator[Element]:
    """Those of the text itself, not of tables or boxes."""
    for one in element:
        if name_of(one) == "w:p":
            yield one
        elif name_of(one) != "w:tbl":
            yield from _paragraphs(one)


def _runs(paragraph: Element) -> Iterator[Element]:
    return (one for one in paragraph.iter() if name_of(one) == "w:r" and text_of(one).strip())


def _sizes(paragraph: Element, styles: Styles) -> Counter[float]:
    """How many characters have which size."""
    counts: Counter[float] = Counter()
    for run in _runs(paragraph):
        counts[styles.size(run, paragraph)] += len(text_of(run))
    return counts


def _may_be_heading(paragraph: Element) -> bool:
    text = text_of(paragraph).strip()
    is_short = count_words(text) < HEADING_WORDS and (text.endswith("?") or not ends_sentence(text))
    return not _is_item(paragraph) and is_short and any(map(str.isalpha, text))


def _is_item(paragraph: Element) -> bool:
    return child(child(paragraph, "w:pPr"), "w:numPr") is not None


def _stands_out(paragraph: Element, size: float, body: float, styles: Styles) -> bool:
    return size >= LARGER * body and all(styles.has("w:b", run, paragraph) for run in _runs(paragraph))
