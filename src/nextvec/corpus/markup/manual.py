"""Pages of the Python manual, as Sphinx writes them for `help()`, to plain prose.

What is left out: headings, code, grammar productions, signatures, tables, footnotes, and whatever else is not made of
sentences. What is kept is joined to one line a paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MIN_WORDS = 4
MIN_PLAIN_SHARE = 0.6
_UNDERLINE = re.compile(r"([*=\-~^\"'#+])\1{2,}")
_FOOTNOTES = re.compile(r"^-\[ Footnotes \]-$", re.MULTILINE)
_BLOCK = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
_BULLET = re.compile(r"^\s*(?:[*•-]|\d{1,2}\.|\(?[a-z\d]\))\s+", re.MULTILINE)
_NOT_PROSE = re.compile(r"::=|>>>|^\s*(?:\+[-=]|\||\.\. |=== )|\S {3,}\S", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.:!?][\"\u201d\u2019)]*$")
_PLAIN_WORD = re.compile(r"[\"\u201c(*]*[A-Za-z][a-z]*(?:[\u2019'-][A-Za-z]+)*[*]*[\"\u201d)]*[.,;:!?]*[\")]*")
_FOOTNOTE_MARK = re.compile(r"\s*\[\d+\]")
_ROLE = re.compile(r":(?:\w+:)?\w+:`~?([^`<]+?)(?:\s*<[^`>]*>)?`")
_LITERAL = re.compile(r"``([^`]+)``")
_EMPHASIS = re.compile(r"(?<![\w\"*])(\*{1,2})(?=[A-Za-z_])([^*\"]{1,80}?)\1(?=s\b|(?![\w\"*]))")
_HYPHENATED = re.compile(r"(?<=[a-z]-)\n\s*(?=[a-z])")
_SINCE = re.compile(r"(?:New|Added|Changed|Deprecated) in version [\d.]+\.")
_SPACE = re.compile(r"\s+")


def read_manual_page(page: str) -> tuple[str, str]:
    """Title (the first heading, "" when there is none) and prose of a page."""
    body = _FOOTNOTES.split(page)[0]
    blocks = _BLOCK.findall(body)
    title = blocks[0].split("\n")[0] if blocks and _is_heading(blocks[0]) else ""
    paragraphs = (paragraph for block in blocks for paragraph in _paragraphs(block))
    return _plain(title), "\n\n".join(paragraphs)


def _is_heading(block: str) -> bool:
    lines = block.split("\n")
    return len(lines) >= 2 and bool(_UNDERLINE.fullmatch(lines[1].strip()))


def _paragraphs(block: str) -> Iterator[str]:
    if _is_heading(block):
        block = "\n".join(block.split("\n")[2:])
    if _NOT_PROSE.search(block):
        return
    for piece in _BULLET.split(block):
        text = _plain(piece)
        if _is_prose(text):
            yield text


def _plain(text: str) -> str:
    text = _HYPHENATED.sub("", text)
    text = _SPACE.sub(" ", text).strip()
    text = _LITERAL.sub(r'"\1"', _ROLE.sub(r'"\1"', text))
    return _EMPHASIS.sub(r"\2", _FOOTNOTE_MARK.sub("", text))


def _is_prose(text: str) -> bool:
    words = text.split()
    if len(words) < MIN_WORDS or not _SENTENCE_END.search(text) or _SINCE.fullmatch(text):
        return False
    plain = sum(_PLAIN_WORD.fullmatch(word) is not None for word in words)
    return plain >= MIN_PLAIN_SHARE * len(words)
