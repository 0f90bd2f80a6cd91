"""Templates, links and tables of wikitext, which nest: one scan with a stack puts their words in their place."""

from __future__ import annotations

import re

from nextvec.corpus.markup.arguments import BREAK, HOLE
from nextvec.corpus.markup.ledger import Ledger
from nextvec.corpus.markup.templates import render_template
from nextvec.corpus.markup.wiki import Wiki

_TOKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}(?!\})")
_OPENERS = {"{{": "}}", "[[": "]]", "{|": "|}"}
_REFERENCE = re.compile(r"\s*(?:cite|citation|ref|refn|efn|sfn|harv|#tag:ref|r\s*\|)", re.IGNORECASE)
_WHAT_FOLLOWS = re.compile(r"[ \t]*(?:<[^<>\n]*>|'{2,}|\[\[)*([^\n]?)")
_FRACTION = re.compile(r"\d+/\d+")
_DIGIT = re.compile(r"\d")
_OPENING = '"\u201c\u201e\u00ab\u00bf\u00a1'
_LANGUAGE_LINK = re.compile(r"\s*(?:[a-z]{2,3}|simple)(?:-[a-z-]+)?\s*:[^|]*")


class Nesting:
    """Resolves the sections of one page of `wiki`; what is left out goes to `ledger`."""

    def __init__(self, wiki: Wiki, ledger: Ledger) -> None:
        self._wiki = wiki
        self._ledger = ledger
        self._frames: list[tuple[str, list[str]]] = []
        self._text = ""

    def resolve(self, text: str) -> str:
        """`text` with templates, links and tables replaced by their words. What is opened and never closed is a
        hole."""
        self._frames, self._text = [("", [])], text
        position = 0
        for match in _TOKEN.finditer(text):
            token = match[0]
            if token in ("{|", "|}") and not _starts_line(text, match.start()):
                continue
            self._frames[-1][1].append(text[position : match.start()])
            position = match.end()
            if token in _OPENERS:
                self._frames.append((token, []))
            else:
                self._close(token, position)
        self._frames[-1][1].append(text[position:])
        while len(self._frames) > 1:
            self._abandon()
        return "".join(self._frames[0][1])

    def _close(self, token: str, end: int) -> None:
        """End the innermost frame that `token` closes, and those inside that nothing closed; a stray one is a hole."""
        frames = self._frames
        depth = next((d for d in range(len(frames) - 1, 0, -1) if _OPENERS[frames[d][0]] == token), 0)
        if depth == 0:
            frames[-1][1].append(HOLE)
            return
        while len(frames) - 1 > depth:
            self._abandon()
        opener, parts = frames.pop()
        content = "".join(parts)
        words = self._render(opener, content)
        banner = words == HOLE and _at_line_start(frames[-1][1]) and self._is_apart(content, end)
        if _FRACTION.fullmatch(words) and self._after_digit():
            words = f" {words}"
        frames[-1][1].append("" if banner else words)

    def _after_digit(self) -> bool:
        return "".join(self._frames[-1][1][-2:])[-1:].isdigit()

    def _is_apart(self, content: str, end: int) -> bool:
        """Whether an unknown template at the start of a line is a banner or a box, no part of a sentence.

        It is when nothing follows on its line, or what begins anew: in upper case after a template without figures,
        with any letter but one in lower case after one of several lines.
        """
        following = _WHAT_FOLLOWS.match(self._text, end)
        first = following[1] if following else ""
        if not first.strip() or first in "{<*#:;|=":
            return True
        box = "\n" in content
        begins_anew = first.isupper() or first in _OPENING
        return (box and first.isalpha() and not first.islower()) or (begins_anew and not _DIGIT.search(content))

    def _abandon(self) -> None:
        """Give up on the innermost frame: its first line is lost, the rest was ordinary text after all."""
        _, parts = self._frames.pop()
        line, newline, rest = "".join(parts).partition("\n")
        self._ledger.drop("markup never closed", line)
        self._frames[-1][1].append(f"{HOLE}{newline}{rest}")

    def _render(self, opener: str, content: str) -> str:
        if opener == "[[":
            return self._link(content)
        if opener == "{|":
            return self._ledger.drop("table", content, BREAK)
        reason = "reference" if _REFERENCE.match(content) else "template"
        return self._ledger.drop(reason, content, render_template(content, self._wiki.language))

    def _link(self, content: str) -> str:
        target, pipe, text = content.partition("|")
        if self._wiki.file.match(target):
            return self._ledger.drop("caption or file link", content)
        if self._wiki.category.match(target):
            return self._ledger.drop("category", content)
        if not pipe and _LANGUAGE_LINK.fullmatch(target):
            return self._ledger.drop("interlanguage link", content)
        if text.strip():
            return text.rpartition("|")[2]
        if self._wiki.other.match(target):
            return self._ledger.drop("link into another namespace", content, HOLE)
        return target.lstrip(":")


def _starts_line(text: str, position: int) -> bool:
    return not text[text.rfind("\n", 0, position) + 1 : position].strip(" \t:*#")


def _at_line_start(parts: list[str]) -> bool:
    """Whether nothing but space precedes on the line."""
    for part in reversed(parts):
        before = part.rstrip(" \t")
        if before:
            return before.endswith("\n")
    return True
