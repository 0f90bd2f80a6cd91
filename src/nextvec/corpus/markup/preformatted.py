"""Preformatted text of a page: prose in mail, in manuals, in RFCs and in old books, code elsewhere, or both by turns.

What lies between blank lines is judged by itself. Where most of the text is sentences, what is none is kept as well, as
greetings and names are, unless it has the signs of programs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from nextvec.corpus.headings import Title
from nextvec.corpus.markup.carried import MARK, carried, carry
from nextvec.corpus.markup.plain import paragraphs, read_plain
from nextvec.corpus.markup.sheets import join_pages
from nextvec.corpus.prose import MIN_WORDS, collapse, count_words, is_sentence, lost, visible, without_controls

MOST_CODE_WORDS = 0.15
HIGHLIGHTED = 0.3
"""Spans of a class, a line, from which they tell the words of a program; fewer adorn a text."""
_LISTINGS = frozenset(
    ("programlisting", "screen", "synopsis", "prettyprint", "sourceCode", "example", "smallexample", "lisp", "verbatim")
)
"""What DocBook, Texinfo, Pandoc and others call code and what a program says."""
_CODE_SIGN = re.compile(r"[{}=<>;_#\\$|/]|\(\(|\)\)|\(\)|^\.\.\.")
_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_COMMENT = re.compile(r"[^\w\s]{1,3}\s")
"""What begins so: no word."""
_ADDRESS = re.compile(r"<?(?:(?:https?|ftp)://|www\.|mailto:)[^\s<>]+>?|<?[\w.+-]+@[\w-]+(?:\.[\w-]+)+>?")
_LEVELS = {f"h{level}": level for level in range(1, 7)}
_HEADINGS = ", ".join((*_LEVELS, *(f"span.{tag}" for tag in _LEVELS)))
"""The latter are those of RFCs."""


@dataclass(frozen=True, slots=True)
class Preformatted:
    """Paragraphs and headings in reading order, and by reason the characters that were left out."""

    pieces: Sequence[str | Title]
    left_out: Counter[str]


def join_pages_of(root: LexborNode) -> None:
    """Puts the pages of an RFC, an element each, into the first one, parted as pages of plain text are."""
    for page in root.css("pre.newpage"):
        first = page.parent.css_first("pre") if page.parent else None
        if first is not None and first.mem_id != page.mem_id:
            first.insert_child("\f")
            first.insert_child(page)
            page.decompose()


def read_preformatted(node: LexborNode) -> Preformatted:
    """What an element says whose lines are to be kept as they are. Its tree is changed."""
    if _is_listing(node):
        return Preformatted((), Counter(code=visible(node.text())))
    text = _with_headings(node)
    unpaged = join_pages(text).replace(MARK, f"\n\n{MARK}")
    clean, controls = without_controls(unpaged)
    blocks = _BLANK_LINES.split(clean)
    kept = _prose(blocks)
    prose = read_plain("\n\n".join(kept))
    left_out = Counter({"running head": lost(text, unpaged), "control characters": controls})
    left_out["code"] = sum(map(visible, blocks)) - sum(map(visible, kept))
    left_out["table"] = prose.left_out.get("table", 0)
    return Preformatted([carried(one) or one for one in prose.text.split("\n\n") if one], +left_out)


def _is_listing(node: LexborNode) -> bool:
    """Whether it or most of what it holds is called code, or its words are marked as those of programs are."""
    text = node.text()
    called = sum(visible(one.text()) for one in node.css("code"))
    lines = sum(map(bool, map(str.strip, text.split("\n"))))
    is_called = 2 * called > visible(text) or not _LISTINGS.isdisjoint((node.attributes.get("class") or "").split())
    return is_called or len(node.css("span[class]")) > HIGHLIGHTED * lines


def _with_headings(node: LexborNode) -> str:
    """Its text, in which headings are paragraphs that are marked as such."""
    for mark in node.css("br"):
        mark.replace_with("\n")
    for heading in node.css(_HEADINGS):
        names = (heading.tag, *(heading.attributes.get("class") or "").split())
        level = next(level for name, level in _LEVELS.items() if name in names)
        heading.replace_with(f"\n\n{carry(collapse(heading.text()), level)}\n\n")
    return node.text()


def _prose(blocks: Sequence[str]) -> list[str]:
    """Those of the blocks that are no code."""
    said = [" ".join(paragraphs(block)) for block in blocks]
    sentences = sum(visible(text) for text in said if _is_sentence(text))
    is_prose = _may_be_prose if 2 * sentences >= sum(map(visible, said)) else _is_sentence
    return [block for block, text in zip(blocks, said, strict=True) if text.startswith(MARK) or is_prose(text)]


def _is_sentence(text: str) -> bool:
    """Whether a block ends as sentences do, or leads on to what follows, and has no more signs of code than they."""
    leads_on = text.endswith(":") and text[0].isupper() and count_words(text) >= MIN_WORDS
    return (leads_on or is_sentence(_ADDRESS.sub(".", text))) and _may_be_prose(text)


def _may_be_prose(text: str) -> bool:
    """Whether it begins with a word, and few of its words have signs that programs need, addresses aside."""
    words = _ADDRESS.sub("", text).split()
    return not _COMMENT.match(text) and sum(map(_has_sign, words)) <= MOST_CODE_WORDS * len(words)


def _has_sign(word: str) -> bool:
    return _CODE_SIGN.search(word) is not None
