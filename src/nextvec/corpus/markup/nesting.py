"""Templates, links and tables of wikitext, which nest: one scan with a stack."""

from __future__ import annotations

import re

from nextvec.corpus.markup.arguments import HOLE
from nextvec.corpus.markup.ledger import Ledger
from nextvec.corpus.markup.templates import BREAK, render_template
from nextvec.corpus.markup.wiki import Wiki

_TOKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}(?!\})")
_OPENERS = {"{{": "}}", "[[": "]]", "{|": "|}"}
_LANGUAGE_LINK = re.compile(r"\s*(?!(?:mw|voy|wmf|doi|rfc):)(?:[a-z]{2,3}(?:-[a-z-]+)?|simple)\s*:[^|]*", re.IGNORECASE)
_PRONUNCIATION_LINK = re.compile(r"\s*(?:help|wikipedia|wp)\s*:[^|]*(?:\bIPA\b|pronunciation)", re.IGNORECASE)
_REST_OF_LINE = re.compile(r"[ \t]*(?:<[^<>\n]*>|'{2,}|\[\[)*[^\n]?")
_DIGIT = re.compile(r"\d")


class Resolver:
    """Replaces the markup of one text by its words. What is opened and never closed is a hole.

    A frame is an opener, the pieces read since, and where it began; `left_out` are the passages without words (start,
    passage, reason), none within another.
    """

    def __init__(self, text: str, wiki: Wiki) -> None:
        self._text = text
        self._wiki = wiki
        self._frames: list[tuple[str, list[str], int]] = [("", [], 0)]
        self._left_out: list[tuple[int, str, str]] = []

    def resolve(self, ledger: Ledger) -> str:
        text, position = self._text, 0
        for match in _TOKEN.finditer(text):
            token, start = match[0], match.start()
            if token in ("{|", "|}") and not _starts_line(text, start):
                continue
            self._frames[-1][1].append(text[position:start])
            position = match.end()
            if token in _OPENERS:
                self._frames.append((token, [], start))
            else:
                self._close(token, position)
        self._frames[-1][1].append(text[position:])
        while len(self._frames) > 1:
            self._abandon()
        for _, passage, reason in self._left_out:
            ledger.leave(passage, reason)
        return "".join(self._frames[0][1])

    def _close(self, token: str, end: int) -> None:
        """End the innermost frame that `token` closes, and those inside it that nothing closed; a stray one is a
        hole."""
        frames = self._frames
        depth = next((d for d in range(len(frames) - 1, 0, -1) if _OPENERS[frames[d][0]] == token), 0)
        if depth == 0:
            frames[-1][1].append(HOLE)
            return
        while len(frames) - 1 > depth:
            self._abandon()
        opener, parts, start = frames.pop()
        frames[-1][1].append(self._words(opener, "".join(parts), start, end))

    def _words(self, opener: str, content: str, start: int, end: int) -> str:
        words, reason = self._render(opener, content)
        if reason:
            self._leave(start, self._text[start:end], reason)
        if words == HOLE and _at_line_start(self._frames[-1][1]) and self._is_banner(content, end):
            return ""
        return words

    def _leave(self, start: int, passage: str, reason: str) -> None:
        """Note a passage as left out, and forget those within it."""
        while self._left_out and self._left_out[-1][0] >= start:
            self._left_out.pop()
        self._left_out.append((start, passage, reason))

    def _abandon(self) -> None:
        """Give up on the innermost frame: its first line is lost, the rest was ordinary text after all."""
        _, parts, start = self._frames.pop()
        first, newline, rest = "".join(parts).partition("\n")
        self._left_out.append((start, first, "markup never closed"))
        self._frames[-1][1].append(f"{HOLE}{newline}{rest}")

    def _render(self, opener: str, content: str) -> tuple[str, str]:
        """Words, and why there are none."""
        if opener == "{{":
            words = render_template(content, self._wiki.templates)
            return words, "" if words.strip(HOLE) else "template"
        return self._render_link(content) if opener == "[[" else (BREAK, "table")

    def _render_link(self, content: str) -> tuple[str, str]:
        target, pipe, text = content.partition("|")
        if vanishing := self._wiki.vanishing_link.match(target):
            return "", "caption or file link" if vanishing["file"] else "category"
        if not pipe and _LANGUAGE_LINK.fullmatch(target):
            return "", "link to another language"
        if _PRONUNCIATION_LINK.match(target):
            return "", "pronunciation"
        return text.rpartition("|")[2] if text.strip() else target.lstrip(":"), ""

    def _is_banner(self, content: str, end: int) -> bool:
        """Whether an unknown template at the start of a line is a banner or a box, no part of the sentence there.

        It is one when nothing follows on the line, or what follows begins anew: not in lower case, not with a comma.
        On one line with numbers in it, it may well be a number of the sentence.
        """
        following = _REST_OF_LINE.match(self._text, end)
        first = following[0][-1:] if following else ""
        if not first.strip():
            return True
        many_lines = "\n" in content
        begins_anew = first.isupper() or first in "[{'\"<*#:;|=„“«" or (many_lines and first.isalpha())
        return (begins_anew and (many_lines or not _DIGIT.search(content))) or (many_lines and not first.islower())


def _starts_line(text: str, position: int) -> bool:
    return not text[text.rfind("\n", 0, position) + 1 : position].strip(" \t:*#")


def _at_line_start(parts: list[str]) -> bool:
    """Whether nothing but space precedes on the line."""
    for part in reversed(parts):
        before = part.rstrip(" \t")
        if before:
            return before.endswith("\n")
    return True
