"""The text of a web page without its markup, as Common Crawl's WET has it: a line is a block of the page, be it prose,
a heading, or an entry of a menu."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from nextvec.corpus.markup.boilerplate import boilerplate
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.prose import Prose, count_words, ends_sentence, holds_sentence, is_sentence, visible

MENU = 3
"""Fragments in a row that are a menu; fewer may be headings."""
FRAGMENT_WORDS = 12
_GOES_ON = (",", ";", ":", "\u2014", "-")


def read_web_text(text: str) -> Prose:
    """What is prose, and the headings above it, which nothing tells from it. All of it where none would remain."""
    plain = read_plain(text)
    paragraphs = plain.text.split("\n\n")
    reasons = _without_menus(paragraphs, [boilerplate(one) for one in paragraphs])
    kept = "\n\n".join(one for one, reason in zip(paragraphs, reasons, strict=True) if not reason)
    if not kept:
        return plain
    left_out = Counter(plain.left_out)
    for one, reason in zip(paragraphs, reasons, strict=True):
        left_out[reason] += visible(one)
    del left_out[""]
    return Prose(title="", text=kept, left_out=+left_out)


def _without_menus(paragraphs: Sequence[str], reasons: Sequence[str]) -> list[str]:
    """The reasons, with those of menus; what stands right above prose may be its heading."""
    numbered = enumerate(zip(paragraphs, reasons, strict=True))
    found = list(reasons)
    for is_fragment, run in groupby(numbered, key=lambda item: bool(item[1][1]) or _is_fragment(item[1][0])):
        places = [place for place, _ in run]
        if is_fragment and len(places) >= MENU:
            above = places[-1] + 1 < len(paragraphs) and not reasons[places[-1]]
            for place in places[:-1] if above else places:
                found[place] = found[place] or "navigation"
    return found


def _is_fragment(text: str) -> bool:
    ended = ends_sentence(text) or text.endswith(_GOES_ON) or is_sentence(text) or holds_sentence(text)
    return not ended and count_words(text) < FRAGMENT_WORDS
