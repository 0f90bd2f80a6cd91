# ruff: noqa: RUF001 (typographic quotation marks are among what is read)
"""AsciiDoc, in a file of its own or in a plain text: what is written in it, without listings, tables, comments and
macros. Its syntax: docs.asciidoctor.org/asciidoc/latest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from html import unescape

from nextvec.corpus.markup.gathered import Paragraphs, Signs, has_marks, read_lines
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.markup.shield import Shield
from nextvec.corpus.prose import Prose

FEWEST_MARKS = 3
"""Of a text that is taken for AsciiDoc although its name does not say so."""
_MARK = re.compile(
    r"^\[(?:source|listing|verse|quote|cols|options|horizontal|discrete|NOTE|TIP|WARNING|IMPORTANT|CAUTION)\b[^\]\n]*\]$"
    r"|^\S[^\n]*[^\s:]::\n[ \t]+\S|^\[\[[\w-]+\]\]$|^\|===$|^={2,5}[ ][^=\n]*[^=\s]$"
    r"|^(?:include|image)::\S+\[[^\n]*\]$|^ifn?def::"
    r"|(?<!\w)(?:link|xref|footnote|kbd|btn|linkgit|image):[^\s\[\]:]*\[|<<[\w-]+(?:,[^<>\n]+)?>>",
    re.MULTILINE,
)
_SIGNS = Signs(
    "\n[", "|===", "\n==", "::\n", "::[", "link:", "linkgit:", "xref:", "footnote:[", "kbd:[", "image:", "<<"
)
"""Without any of which a text has hardly one of them."""
_DELIMITER = re.compile(r"([-.+/=*_])\1{3,}|--|[|,:!]===|```\w*")
_REASONS = {"-": "code", ".": "code", "+": "markup", "/": "comment", "`": "code", "|": "table", ",": "table"}
_REASONS |= {":": "table", "!": "table"}
"""By the first sign of a delimiter; between others is text."""
_TITLE = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_UNDERLINES = "=-~^+"
"""By level, of titles on two lines."""
_ATTRIBUTE = re.compile(r":!?([\w-]+)!?:(?:[ \t]+(.*))?")
_BLOCK_STYLE = re.compile(r"\[[^\]]*\]\]?")
_NO_TEXT_STYLE = re.compile(r"\[(source|listing|literal|stem|latexmath|asciimath)\b")
_BLOCK_MACRO = re.compile(r"(image|video|audio|include|toc|ifdef|ifndef|ifeval|endif)::.*")
_BLOCK_TITLE = re.compile(r"\.[^\s.].*")
_ITEM = re.compile(r"[ \t]*(?:\*{1,5}|-|\.{1,5}|<\d{1,2}>|\d{1,3}\.)[ \t]+(?:\[[ x*]\][ \t]+)?(?=\S)")
_TERM = re.compile(r"[ \t]*(\S.*?)(?::{2,4}|;;)(?:[ \t]+(.*))?")
_ADMONITION = re.compile(r"(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION):[ \t]+")
_PICTURES = ("image", "video", "audio")
_MACROS_LEFT_OUT = {"footnote": "footnote", "image": "caption", "icon": "caption"} | dict.fromkeys(
    ("indexterm", "anchor", "bibanchor"), "markup"
)
_BREAKS = ("+", "'''", "<<<", "---", "***")
_MACRO = re.compile(
    r"(?<![\w\\])(link|xref|mailto|kbd|btn|menu|indexterm2|pass|[a-z]+git|footnote|stem|image|icon"
    r"|indexterm|anchor|bibanchor):([^\s\[\]]*)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]"
)
_ADDRESS = re.compile(r"((?:https?|ftp|irc)://[^\s\[\]<>]+)\[([^\[\]]*)\]")
_CODE = re.compile(r"(?<![\w\\`])`(?=[^\s`])\+?([^`]+?)\+?(?<=\S)`(?![\w`])")
_IN_CODE = Shield("*_`#+{<[(~^'\\")
_INLINE = (
    (re.compile(r"\(\(\([^()]*\)\)\)|\[\[[\w:.-]+(?:,[^\[\]\n]*)?\]\]|(?<!<)<\d{1,2}>(?!>)|[ ]\+$", re.MULTILINE), ""),
    (re.compile(r"\(\(([^()]+)\)\)"), r"\1"),
    (re.compile(r"<<[^<>,\n]+,[ ]?([^<>]+)>>"), r"\1"),
    (re.compile(r"<<([^<>\n]+)>>"), r"\1"),
    (re.compile(r"\[[.#%][\w.#%-]+\](?=[#*_`])"), ""),
    (re.compile(r"(``|\*\*|__|##)(?=\S)([^*_`#]+)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w\\*])\*(?=[^\s*])([^*]+)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w\\_])_(?=[^\s_])([^_]+)(?<=\S)_(?![\w_])"), r"\1"),
    (re.compile(r"(?<![\w\\+])\+(?=[^\s+])([^+]+)(?<=\S)\+(?![\w+])"), r"\1"),
    (re.compile(r"(?<![\w\\#&])#(?=[^\s#])([^#]+)(?<=\S)#(?![\w#])"), r"\1"),
    (re.compile(r"(?<=\w)([~^])([\w+-]{1,12})\1"), r"\2"),
    (re.compile(r"\\(?=[*_`#+{<\[(~^'])"), ""),
)  # fmt: skip
_QUOTED = (
    (re.compile(r"\"`([^`]+)`\""), "“\\1”"),
    (re.compile(r"(?<!\w)'`([^`]+)`'(?!\w)"), "‘\\1’"),
    (re.compile(r"(?<![\w`])`(?=[^\s`])([^`']+)(?<=\S)'(?![\w'])"), "‘\\1’"),
    (re.compile(r"``(?=\S)([^`]+?)(?<=\S)''"), "“\\1”"),
)
_OLD_EMPHASIS = re.compile(r"(?<![\w'])'(?=[^\s'])([^']+)(?<=\S)'(?!')(?=\W|s\b|\Z)")
"""Where titles have rules below them, as before 2013."""
_REFERENCE = re.compile(r"\{([\w-]+)\}")
_BUILT_IN = {"nbsp": " ", "sp": " ", "empty": "", "plus": "+", "asterisk": "*", "backtick": "`", "tilde": "~"}
_BUILT_IN |= {"apos": "'", "quot": '"', "lsquo": "‘", "rsquo": "’", "ldquo": "“", "rdquo": "”", "deg": "°", "amp": "&"}
_BUILT_IN |= {"startsb": "[", "endsb": "]", "vbar": "|", "caret": "^", "zwsp": "", "wj": "", "cpp": "C++", "lt": "<"}
_BUILT_IN |= {"gt": ">", "litdd": "--", "two-colons": "::", "two-semicolons": ";;", "brvbar": "¦", "blank": ""}


def read_asciidoc(text: str, read: Callable[[str], Prose] = read_plain, *, certain: bool = False) -> Prose:
    """What `read` makes of a plain text; of one in AsciiDoc, of what is written in it. `certain`: it is."""
    if not certain and not _is_asciidoc(text):
        return read(text)
    return read_lines(text, _Document(), read)


def _is_asciidoc(text: str) -> bool:
    return _SIGNS.any_in(text) and has_marks(text, _MARK, FEWEST_MARKS)


class _Document:
    """What is written line by line: each line goes to the first of several rules that knows what it is."""

    def __init__(self) -> None:
        self._said = Paragraphs(self._words)
        self._attributes = dict(_BUILT_IN)
        self._title = ""
        self._closer = ""  # of a block that is left out
        self._reason = ""  # why what is open is left out
        self._style = ""  # why the next paragraph will be, if it has no delimiters
        self._in_header = self._in_list = self._after_term = self._is_old = False

    def read(self, lines: Sequence[str]) -> tuple[str, str, Counter[str]]:
        """Its paragraphs, its title, and what is left out."""
        places = iter(zip(lines, [*lines[1:], ""], strict=True))
        for line, below in places:
            if self._is_underlined(line.rstrip(), below.rstrip()):
                self._is_old = True
                self._head(line.strip(), 1 + _UNDERLINES.index(below[0]))
                next(places)
            else:
                self._take(line.rstrip())
        return self._said.text(), self._title, self._said.left_out

    def _is_underlined(self, line: str, below: str) -> bool:
        if self._closer or self._reason or self._said.is_begun or not line[:1].strip() or below[:1] not in _UNDERLINES:
            return False
        is_rule = len(below) > 1 and below == below[0] * len(below) and abs(len(line) - len(below)) <= 3
        return is_rule and any(map(str.isalnum, line)) and not line.startswith((".", "["))

    def _head(self, text: str, level: int) -> None:
        self._in_header = level == 1 and not self._title
        self._title = self._title or self._words(text)
        self._in_list = self._after_term = False
        self._said.title(text, level)

    def _take(self, line: str) -> None:
        if self._closer:
            self._skip(line)
        elif not line.strip():
            self._said.end()
            self._in_header, self._reason = False, ""
        elif self._reason:
            self._said.leave_out(self._reason, line)
        elif not any(rule(line) for rule in (self._delimiter, self._beside, self._above, self._listed)):
            self._prose(line)

    def _skip(self, line: str) -> None:
        self._said.leave_out(self._reason, line)
        if line == self._closer:
            self._closer = self._reason = ""

    def _delimiter(self, line: str) -> bool:
        """The first line of a block, or of one that holds text the last as well."""
        if not _DELIMITER.fullmatch(line) or (line == "--" and self._said.is_begun):
            return False
        self._said.end()
        self._style = ""
        if reason := _REASONS.get(line[0]) if line != "--" else "":
            self._closer, self._reason = ("```" if line[0] == "`" else line), reason
        return True

    def _beside(self, line: str) -> bool:
        """Comments, macros and what belongs to the head of a document."""
        if macro := _BLOCK_MACRO.fullmatch(line):
            self._said.end()
            self._said.leave_out("caption" if macro[1] in _PICTURES else "directive", line)
        elif line.startswith("//"):
            self._said.leave_out("comment", line)
        elif not self._said.is_begun and (attribute := _ATTRIBUTE.fullmatch(line)):
            self._attributes[attribute[1].lower()] = attribute[2] or ""
        elif line in _BREAKS:
            self._said.end()
        else:
            return self._in_header
        return True

    def _above(self, line: str) -> bool:
        """What stands above a block: titles, its style, its caption."""
        if self._said.is_begun:
            return False
        if title := _TITLE.fullmatch(line):
            self._head(title[2], len(title[1]))
        elif _BLOCK_TITLE.fullmatch(line):
            self._said.leave_out("caption", line)
        elif _BLOCK_STYLE.fullmatch(line):
            style = _NO_TEXT_STYLE.match(line)
            self._style = ("formula" if style[1].endswith(("stem", "math")) else "code") if style else ""
            return True
        else:
            return False
        return True

    def _listed(self, line: str) -> bool:
        """An item of a list, or a term with what is said of it."""
        if self._said.is_begun and not self._in_list:
            return False
        if term := _TERM.fullmatch(line):
            self._said.end()
            self._said.leave_out("list", term[1])
            self._said.add(term[2] or "")
            self._after_term = not term[2]
        elif item := _ITEM.match(line):
            self._said.begin(line[item.end() :])
        else:
            return False
        self._in_list = True
        return True

    def _prose(self, line: str) -> None:
        """A line of a paragraph; one that begins with an indented line, or below such a style, is no text."""
        is_literal = line[0] in " \t" and not self._after_term
        if not self._said.is_begun and (self._style or is_literal):
            self._reason, self._style = self._style or "code", ""
            self._said.leave_out(self._reason, line)
            return
        self._in_list = self._in_list and (self._said.is_begun or self._after_term)
        self._after_term = False
        self._said.add(_ADMONITION.sub("", line, count=1) if not self._said.is_begun else line)

    def _words(self, text: str) -> str:
        text = _REFERENCE.sub(lambda match: self._attributes.get(match[1].lower(), match[0]), text)
        text = _ADDRESS.sub(lambda match: _shown(match[2]) or match[1], _MACRO.sub(self._macro, text))
        for pattern, instead in _QUOTED:
            text = pattern.sub(instead, text)
        text = _CODE.sub(lambda match: _IN_CODE.hide(match[1]), text)
        text = _OLD_EMPHASIS.sub(r"\1", text) if self._is_old else text
        for pattern, instead in _INLINE:
            text = pattern.sub(instead, text)
        return _IN_CODE.show(unescape(text))

    def _macro(self, match: re.Match[str]) -> str:
        name, target, said = match.groups()
        if reason := _MACROS_LEFT_OUT.get(name):
            self._said.leave_out(reason, match[0])
            return ""
        if name.endswith("git"):
            return f"{target}({said})"
        return f"{target} > {said}" if name == "menu" else _shown(said) or (target if name == "link" else "")


def _shown(said: str) -> str:
    """The words of a link, without what tells how it opens: `the page^`, `the page,role=x`, `"a, b",window=_blank`."""
    quoted = re.match(r"\"([^\"]*)\"", said)
    return quoted[1] if quoted else re.sub(r",\s*[\w-]+=.*|\^$", "", said)
