"""Markdown to plain prose.

Headings, tables, code and HTML are left out; list items are kept when they are sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nextvec.corpus.prose import collapse, is_sentence

_FRONT_MATTER = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)
_CODE_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n.*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_MATH_BLOCK = re.compile(r"\$\$.*?\$\$", re.DOTALL)
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*")
_UNDERLINE = re.compile(r"(?:=+|-+)\s*")
_ITEM = re.compile(r"(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_NOT_PROSE = re.compile(
    r"""\| | \[[^\]]+\]:\s | </?[a-zA-Z!] | (?:[-*_]\s*){3,}$ | ::: | \{[%{] | (?:im|ex)port\s
      | !\[[^\]]*\]\([^)]*\)$""",
    re.VERBOSE,
)
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])")
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])")
_FOOTNOTE = re.compile(r"\[\^[^\]]+\]:?")
_AUTOLINK = re.compile(r"<(?:https?|mailto):[^>]*>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_CODE = re.compile(r"(`+)(.+?)\1")
_EMPHASIS = re.compile(r"(?<!\w)(\*{1,3}|_{1,3}|~~)(?=\S)(.+?)(?<=\S)\1(?!\w)|(\*{1,3})(?=\S)(.+?)(?<=\S)\3")
_PRIVATE_USE = 0xE000
"""Escaped punctuation is sheltered among Unicode's private characters while marks are removed."""
_SHELTERED = re.compile("[\ue021-\ue07e]")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~$])")


def read_markdown(page: str) -> tuple[str, str]:
    """Title (the first heading, "" when there is none) and prose."""
    body = _FRONT_MATTER.sub("", page.replace("\r\n", "\n"))
    for pattern in (_CODE_FENCE, _COMMENT, _MATH_BLOCK):
        body = pattern.sub("\n", body)
    lines = body.split("\n")
    title = next((match[1] for line in lines if (match := _HEADING.fullmatch(line))), "")
    return _inline(title), "\n\n".join(_paragraphs(lines))


def _paragraphs(lines: list[str]) -> Iterator[str]:
    for is_item, block in _blocks(lines):
        text = collapse(_inline(" ".join(block)))
        if any(map(str.isalpha, text)) and (not is_item or is_sentence(text)):
            yield text


def _blocks(lines: list[str]) -> Iterator[tuple[bool, list[str]]]:
    """Runs of lines of prose, each with whether it is a list item."""
    block: list[str] = []
    is_item = False
    for line in [*lines, ""]:
        stripped = line.strip().lstrip(">").lstrip()
        item = _ITEM.match(stripped)
        if block and _UNDERLINE.fullmatch(stripped) and not is_item:
            block = []
        elif not block and _is_code(line, after_item=is_item):
            continue
        elif item or not stripped or _HEADING.fullmatch(stripped) or _NOT_PROSE.match(stripped):
            if block:
                yield is_item, block
            block = [stripped[item.end() :]] if item else []
            is_item = bool(item) or (is_item and line.startswith("  "))
        else:
            is_item = is_item and (bool(block) or line.startswith("  "))
            block.append(stripped)


def _is_code(line: str, *, after_item: bool) -> bool:
    """Lines indented by four are code, except below a list item, where they continue it."""
    return line.startswith(("    ", "\t")) and not after_item


def _inline(text: str) -> str:
    text = _ESCAPE.sub(lambda match: chr(_PRIVATE_USE + ord(match[1])), text)
    text = _FOOTNOTE.sub("", _LINK.sub(r"\1", _IMAGE.sub("", text)))
    text = _TAG.sub("", _AUTOLINK.sub("", text))
    text = _CODE.sub(r"\2", text)
    for _ in range(2):
        text = _EMPHASIS.sub(lambda match: match[2] or match[4], text)
    return _SHELTERED.sub(lambda match: chr(ord(match[0]) - _PRIVATE_USE), text)
