"""Pages of the Python manual, as Sphinx writes them for `help()`, to plain prose.

What is left out: headings, code, grammar productions, signatures, tables, footnotes, and whatever else is not made of
sentences. What is kept is joined to one line a paragraph.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from nextvec.corpus.headings import Title, compose
from nextvec.corpus.prose import Prose, lost, visible

MIN_WORDS = 4
MIN_PLAIN_SHARE = 0.6
_UNDERLINES = '*=-~"+`'
"""By level: those that Sphinx draws."""
_UNDERLINE = re.compile(r"([*=\-~^\"'#+])\1{2,}")
_FOOTNOTES = re.compile(r"^-\[ Footnotes \]-$", re.MULTILINE)
_BLOCK = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
_BULLET = re.compile(r"^\s*(?:[*•-]|\d{1,2}\.|\(?[a-z\d]\))\s+", re.MULTILINE)
_NOT_PROSE = (
    ("grammar", re.compile(r"::=")),
    ("code", re.compile(r">>>|^\s*\.\. ", re.MULTILINE)),
    ("table", re.compile(r"^\s*(?:\+[-=]|\||=== )|\S {3,}\S", re.MULTILINE)),
)
"""Why a block is none, and what in it says so."""
_SENTENCE_END = re.compile(r"[.:!?][\"\u201d\u2019)]*$")
_PLAIN_WORD = re.compile(r"[\"\u201c(*]*[A-Za-z][a-z]*(?:[\u2019'-][A-Za-z]+)*[*]*[\"\u201d)]*[.,;:!?]*[\")]*")
_FOOTNOTE_MARK = re.compile(r"\s*\[\d+\]")
_ROLE = re.compile(r":(?:\w+:)?\w+:`~?([^`<]+?)(?:\s*<[^`>]*>)?`")
_LITERAL = re.compile(r"``([^`]+)``")
_EMPHASIS = re.compile(r"(?<![\w\"*])(\*{1,2})(?=[A-Za-z_])([^*\"]{1,80}?)\1(?=s\b|(?![\w\"*]))")
_HYPHENATED = re.compile(r"(?<=[a-z]-)\n\s*(?=[a-z])")
_SINCE = re.compile(r"(?:New|Added|Changed|Deprecated) in version [\d.]+\.")
_SPACE = re.compile(r"\s+")


def read_manual_page(page: str) -> Prose:
    """Title: the first heading, "" when there is none."""
    body = _FOOTNOTES.split(page)[0]
    blocks = _BLOCK.findall(body)
    title = blocks[0].split("\n")[0] if blocks and _is_heading(blocks[0]) else ""
    left_out = Counter({"footnotes": lost(page, body)})
    text, headings = compose(piece for block in blocks for piece in _pieces(block, left_out))
    return Prose(title=_plain(title), text=text, left_out=+left_out, headings=headings)


def _is_heading(block: str) -> bool:
    lines = block.split("\n")
    return len(lines) >= 2 and bool(_UNDERLINE.fullmatch(lines[1].strip()))


def _pieces(block: str, left_out: Counter[str]) -> Iterator[str | Title]:
    """Its heading and its prose; what is no prose is counted in `left_out`, under the reason."""
    if _is_heading(block):
        heading, underline, *rest = block.split("\n")
        left_out["heading"] += visible(heading)
        left_out["markup"] += visible(underline)
        yield Title(_plain(heading), level=_level(underline))
        block = "\n".join(rest)
    for reason, mark in _NOT_PROSE:
        if mark.search(block):
            left_out[reason] += visible(block)
            return
    pieces = _BULLET.split(block)
    left_out["markup"] += visible(block) - sum(map(visible, pieces))
    for piece in pieces:
        text = _plain(piece)
        if reason := _why_no_prose(text):
            left_out[reason] += visible(piece)
        else:
            left_out["markup"] += lost(piece, text)
            yield text


def _level(underline: str) -> int:
    """Signs that Sphinx does not draw are below those that it does."""
    place = _UNDERLINES.find(underline.strip()[0])
    return 1 + (place if place >= 0 else len(_UNDERLINES))


def _plain(text: str) -> str:
    text = _HYPHENATED.sub("", text)
    text = _SPACE.sub(" ", text).strip()
    text = _LITERAL.sub(r'"\1"', _ROLE.sub(r'"\1"', text))
    return _EMPHASIS.sub(r"\2", _FOOTNOTE_MARK.sub("", text))


def _why_no_prose(text: str) -> str:
    """ "" for prose."""
    words = text.split()
    if _SINCE.fullmatch(text):
        return "note on versions"
    if len(words) < MIN_WORDS or not _SENTENCE_END.search(text):
        return "not a sentence"
    plain = sum(_PLAIN_WORD.fullmatch(word) is not None for word in words)
    return "" if plain >= MIN_PLAIN_SHARE * len(words) else "code"
