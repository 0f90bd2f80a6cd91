"""Org mode's text, in a file of its own or in a plain text: what is written in it, without code, tables, drawers and
what tells of tasks. Its syntax: orgmode.org/worg/org-syntax.html."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from nextvec.corpus.markup.gathered import Paragraphs, Signs, has_marks, read_lines
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.markup.shield import Shield
from nextvec.corpus.prose import Prose, collapse

FEWEST_MARKS = 2
"""Of a text that is taken for Org although its name does not say so."""
_MARK = re.compile(
    r"^[ \t]*(?:#\+[A-Za-z_]+:[ \t]|#\+begin_\w+\b|:PROPERTIES:[ \t]*$|(?:SCHEDULED|DEADLINE|CLOSED):[ ][<\[])"
    r"|^\*+ (?:TODO|DONE)\b|\[\[[^\[\]\n]+\]\[[^\[\]\n]+\]\]|\[fn:\w*[:\]]",
    re.MULTILINE | re.IGNORECASE,
)
_SIGNS = Signs("#+", ":PROPERTIES:", "* TODO", "* DONE", "][", "[fn:")
_HEADING = re.compile(
    r"(\*+)[ \t]+(?:(?:TODO|DONE|NEXT|WAITING|CANCELLED|COMMENT)\b[ \t]*)?(?:\[#\w\][ \t]*)?"
    r"(.*?)(?:[ \t]+:[\w@#%:]+:)?"
)
_TITLE = re.compile(r"#\+title:[ \t]*(.*)", re.IGNORECASE)
_KEYWORD = re.compile(r"#\+\w+(?:\[[^\]]*\])?:.*", re.DOTALL)
_BLOCK = re.compile(r"#\+begin_(\w+)\b.*", re.IGNORECASE)
_TEXT_BLOCKS = ("quote", "verse", "center", "abstract", "note", "tip", "warning", "important", "proof", "theorem")
_REASONS = {"comment": "comment", "export": "directive"}
"""Of other blocks; of all that are not named here it is code."""
_DRAWER = re.compile(r":[\w-]+:")
_LEFT_OUT = (
    ("comment", re.compile(r"#(?: .*)?")),
    ("code", re.compile(r":(?: .*)?")),
    ("table", re.compile(r"\|.*|\+[-+=]+\+")),
    ("directive", re.compile(r"(?:SCHEDULED|DEADLINE|CLOSED|CLOCK):.*|#\+(?:begin|end)_?\w*.*", re.IGNORECASE)),
    ("markup", re.compile(r"-{5,}")),
)
_NOTE = re.compile(r"\[fn:[\w-]+\] ?.*")
_ITEM = re.compile(r"(?:[-+]|(?<=[ \t])\*|\d{1,3}[.)])[ \t]+(?:\[[ X-]\][ \t]+)?(?:(\S.*?)[ \t]::(?:[ \t]+|$))?")
_NOTE_IN_LINE = re.compile(r" ?\[fn:[\w-]*(?::[^\[\]]*)?\]")
_LINK = re.compile(r"\[\[([^\[\]\n]+)\](?:\[([^\[\]]+)\])?\]")
_PICTURE = re.compile(r".*\.(?:png|jpe?g|gif|svg|webp|pdf)", re.IGNORECASE)
_BEFORE, _AFTER = r"(?<![^\s({'\"\[-])", r"(?![^\s.,;:!?'\")}\]-])"
_CODE = re.compile(rf"{_BEFORE}([=~])(?=\S)([^=~]+)(?<=\S)\1{_AFTER}")
_STRUCK = re.compile(rf"{_BEFORE}\+(?=[^\s+])([^+\n]+)(?<=\S)\+{_AFTER}")
_INLINE = (
    (re.compile(r"\{\{\{[^{}]*\}\}\}|[<\[]\d{4}-\d\d-\d\d[^<>\[\]\n]*[>\]]|\\\\$|<<[^<>\n]+>>", re.MULTILINE), ""),
    *(
        (re.compile(rf"{_BEFORE}[{sign}](?=[^\s{sign}])([^{sign}]+)(?<=\S)[{sign}]{_AFTER}"), r"\1")
        for sign in ("*", "/", "_")
    ),
    (re.compile(r"(?<=\w)[_^]\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\[()]"), ""),
)  # fmt: skip
_IN_CODE = Shield("*/_=~+\\")


def read_org(text: str, read: Callable[[str], Prose] = read_plain, *, certain: bool = False) -> Prose:
    """What `read` makes of a plain text; of one in Org, of what is written in it. `certain`: it is."""
    if not certain and not _is_org(text):
        return read(text)
    return read_lines(text, _Document(), read)


def _is_org(text: str) -> bool:
    return _SIGNS.any_in(text) and has_marks(text, _MARK, FEWEST_MARKS)


class _Document:
    """What is written line by line: each line goes to the first of several rules that knows what it is."""

    def __init__(self) -> None:
        self._said = Paragraphs(self._words)
        self._title = ""
        self._closer = self._reason = ""  # of a block or drawer that is left out, and why

    def read(self, lines: Sequence[str]) -> tuple[str, str, Counter[str]]:
        """Its paragraphs, its title, and what is left out."""
        for line in lines:
            self._take(line)
        return self._said.text(), self._title, self._said.left_out

    def _take(self, line: str) -> None:
        text = line.strip()
        if self._closer:
            self._skip(text)
        elif not text:
            self._said.end()
            self._reason = ""
        elif not any(rule(line, text) for rule in (self._headed, self._framed, self._left_out, self._listed)):
            self._said.add(text)

    def _skip(self, text: str) -> None:
        self._said.leave_out(self._reason, text)
        if text.lower() == self._closer:
            self._closer = self._reason = ""

    def _headed(self, line: str, text: str) -> bool:
        if heading := _HEADING.fullmatch(line.rstrip()):
            self._reason = ""
            self._said.title(heading[2], len(heading[1]))
        elif title := _TITLE.fullmatch(text):
            self._title = collapse(f"{self._title} {self._words(title[1])}")
        return bool(heading or title)

    def _framed(self, line: str, text: str) -> bool:
        """Blocks, drawers and keywords."""
        block = _BLOCK.fullmatch(text)
        if block and block[1].lower() in _TEXT_BLOCKS:
            self._said.end()
        elif block:
            self._leave_out_to(f"#+end_{block[1].lower()}", _REASONS.get(block[1].lower(), "code"), text)
        elif _DRAWER.fullmatch(text):
            self._leave_out_to(":end:", "directive", text)
        elif _KEYWORD.fullmatch(text):
            self._said.leave_out("caption" if text[2:9].lower() == "caption" else "directive", text)
        return bool(block or _DRAWER.fullmatch(text) or _KEYWORD.fullmatch(text))

    def _leave_out_to(self, closer: str, reason: str, text: str) -> None:
        self._said.end()
        self._said.leave_out(reason, text)
        self._closer, self._reason = closer, reason

    def _left_out(self, line: str, text: str) -> bool:
        if _NOTE.fullmatch(line.rstrip()):
            self._said.end()
            self._reason = "footnote"
        reason = self._reason or next((reason for reason, form in _LEFT_OUT if form.fullmatch(text)), "")
        if reason:
            self._said.leave_out(reason, text)
        return bool(reason)

    def _listed(self, line: str, text: str) -> bool:
        item = _ITEM.match(line, len(line) - len(line.lstrip()))
        if item is None:
            return False
        self._said.end()
        self._said.leave_out("list", item[1] or "")
        self._said.add(line[item.end() :])
        return True

    def _words(self, text: str) -> str:
        text = _LINK.sub(self._linked, self._without(_NOTE_IN_LINE, "footnote", text))
        text = self._without(_STRUCK, "struck out", _CODE.sub(lambda match: _IN_CODE.hide(match[2]), text))
        for pattern, instead in _INLINE:
            text = pattern.sub(instead, text)
        return _IN_CODE.show(text)

    def _without(self, pattern: re.Pattern[str], reason: str, text: str) -> str:
        def drop(match: re.Match[str]) -> str:
            self._said.leave_out(reason, match[0])
            return ""

        return pattern.sub(drop, text)

    def _linked(self, match: re.Match[str]) -> str:
        if match[2] is None and _PICTURE.fullmatch(match[1]):
            self._said.leave_out("caption", match[0])
            return ""
        return _IN_CODE.hide(match[2] or match[1])
