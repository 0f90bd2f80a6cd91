"""reStructuredText in a plain text file, as Sphinx's `_sources/*.rst.txt`: what is written, without its directives,
targets and roles. Headings are told by their rules, as in any plain text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from textwrap import dedent

from nextvec.corpus.markup.gathered import Signs, read_said
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.prose import Prose, visible

FEWEST_MARKS = 2
"""Directives, targets, roles, literals and the like in a text that is taken for reStructuredText."""
DEEPEST = 20
"""Directives within one another that are read."""
_MARK = re.compile(
    r"^[ ]*\.\. (?:[a-z][\w:.+-]*::(?=\s)|_[^:\n]+:(?=\s)|\[[^\]\n]+\] |\|[^|\n]+\| )|:[a-z][\w:+-]{0,40}:`[^`\n]+`"
    r"|``[^`\n]+``|`[^`<]+<[^`>]+>`__?(?!\w)|\S::[ \t]*\n[ \t]*\n[ \t]+\S",
    re.MULTILINE,
)
_SIGNS = Signs("::", "`", ".. ")
"""Without any of which a text has none of them."""
_BLOCK = re.compile(
    r"^(?P<in>[ \t]*)\.\.(?:[ ]+(?P<first>[^\n]*))?(?:\n|\Z)"
    r"(?P<body>(?:[ \t]*\n|(?P=in)[ \t]+[^\n]*(?:\n|\Z))*)",
    re.MULTILINE,
)
_DIRECTIVE = re.compile(r"(?:\|[^|\n]+\|\s+)?(?P<name>[a-z][\w:.+-]*)::(?:[ ]+(?P<said>.*))?\Z")
_HOLD_TEXT = """
    note warning tip important seealso hint caution danger attention error epigraph pull-quote highlights compound
    container only versionadded versionchanged deprecated versionremoved
"""
_TEXT = frozenset(_HOLD_TEXT.split())
"""Directives that hold text, which may begin on their own line."""
_TITLED = re.compile(
    r"admonition|topic|sidebar|tab-item|card|dropdown|(?:\w+:)?(?:function|method|class|classmethod|staticmethod|data"
    r"|attribute|property|exception|decorator|module|option|envvar|confval|describe|object|member|macro|type|var|program)"
)
"""Directives that hold text under a title or a signature."""
_NO_TEXT = {
    "code": "code code-block sourcecode highlight literalinclude parsed-literal prompt doctest testcode testoutput",
    "caption": "image figure",
    "table": "table list-table csv-table",
    "navigation": "toctree contents index",
    "formula": "math",
}
_REASONS = {name: reason for reason, names in _NO_TEXT.items() for name in names.split()}
_NOTE = re.compile(r"\[[^\]\n]+\](?:\s|\Z)")
_OPTIONS = re.compile(r"\A(?:[ \t]*:[\w-]+:[^\n]*\n)+")
_VERSION = re.compile(r"\A[\d.]+(?:\s+|\Z)")
_LITERAL = re.compile(
    r"^(?P<in>[ \t]*)(?P<lead>\S[^\n]*)?(?<=:):[ \t]*\n"
    r"(?P<code>(?:[ \t]*\n)+(?:(?P=in)[ \t]+\S[^\n]*(?:\n|\Z)|[ \t]*\n)+)",
    re.MULTILINE,
)
_FIELDS = re.compile(r"^[ \t]*:[A-Za-z][\w -]*:(?:[ \t][^\n]*)?(?:\n|\Z)(?:[ \t]+[^\s:][^\n]*(?:\n|\Z))*", re.MULTILINE)
_SIMPLE_TABLE = re.compile(r"^[ \t]*=+(?:[ ]+=+)+[ \t]*\n(?:[^\n]*\S[^\n]*\n)*[ \t]*=+(?:[ ]+=+)+[ \t]*$", re.MULTILINE)
_INDENTED_TITLE = re.compile(
    r"^(?P<rule>([=\-~^\"*#+])\2{2,})[ \t]*\n[ ]+(?P<title>\S[^\n]*)\n(?P=rule)[ \t]*$", re.MULTILINE
)
_LONG_RULE = re.compile(
    r"(?:(?<=\n\n)|\A)(?P<title>\S[^\n]{0,98})\n(?P<rule>([=\-~^\"*#+])\3{2,})[ \t]*$", re.MULTILINE
)
"""Below a title, as long as it or longer."""
_INLINE = (
    (re.compile(r"[ ]?\[(?:\d+|#[\w-]*|\*|[A-Z]\w+)\]_(?!\w)"), ""),
    (re.compile(r"(:[a-z][\w:+-]{0,40}:`)~(?:[\w.]*\.)?"), r"\1"),
    (re.compile(r":[a-z][\w:+-]{0,40}:`!?([^`<]+?)(?:\s*<[^`>]*>)?`"), r"\1"),
    (re.compile(r"``([^`\n]+(?:\n[^`\n]+)?)``"), r"\1"),
    (re.compile(r"`([^`<]+?)\s*(?:<[^`>]*>)?`(?:__?(?!\w))?"), r"\1"),
    (re.compile(r"(?<![\w*\\])\*\*(?=[^\s*])((?:[^*\n]|\n(?!\s*\n))+)(?<=[^\s*])\*\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w*\\])\*(?=[^\s*])((?:[^*\n]|\n(?!\s*\n))+)(?<=[^\s*])\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w|])\|(?=\w)([^|\n]+)(?<=\w)\|_{0,2}(?![\w|])"), r"\1"),
    (re.compile(r"(?<=[A-Za-z\d])__?(?=[\s.,;:!?)]|\Z)"), ""),
    (re.compile(r"\\(?=[*`|_\\ ])[ ]?"), ""),
)


def read_rest(text: str, read: Callable[[str], Prose] = read_plain, *, certain: bool = False) -> Prose:
    """What `read` makes of a plain text; of one in reStructuredText, of what is written in it. `certain`: it is."""
    lines = text.replace("\r\n", "\n") if certain or _SIGNS.any_in(text) else ""
    if not certain and sum(1 for _ in _MARK.finditer(lines)) < FEWEST_MARKS:
        return read(text)
    left_out: Counter[str] = Counter()
    lines = _INDENTED_TITLE.sub(r"\g<rule>\n\g<title>\n\g<rule>", lines)
    said = _without_blocks(_LONG_RULE.sub(_ruled, lines), left_out)
    for pattern, words in _INLINE:
        said = pattern.sub(words, said)
    return read_said(text, said.lstrip("\n"), left_out, read)


def _ruled(match: re.Match[str]) -> str:
    """A title above a rule that is no longer than it, as plain text has them."""
    title, rule = match["title"], match["rule"]
    return f"{title}\n{rule[: len(title)]}" if len(rule) >= len(title) >= 3 else match[0]


def _without_blocks(text: str, left_out: Counter[str], depth: int = 0) -> str:
    """`text` with the bodies of blocks that hold text in their place, down to the `DEEPEST`."""
    if depth == DEEPEST:
        return text
    text = _SIMPLE_TABLE.sub(_dropping("table", left_out), text)
    text = _BLOCK.sub(lambda match: _block(match, left_out, depth + 1), text)
    text = _LITERAL.sub(lambda match: _before_code(match, left_out), text)
    return _FIELDS.sub(_dropping("parameters", left_out), text)


def _dropping(reason: str, left_out: Counter[str]) -> Callable[[re.Match[str]], str]:
    def drop(match: re.Match[str]) -> str:
        left_out[reason] += visible(match[0])
        return "\n"

    return drop


def _before_code(match: re.Match[str], left_out: Counter[str]) -> str:
    """`Here it is::` says that what stands below it is code."""
    left_out["code"] += visible(match["code"])
    lead = match["lead"] or ""
    return "\n" if lead == ":" else f"{match['in']}{lead}\n\n"


def _block(match: re.Match[str], left_out: Counter[str], depth: int) -> str:
    """What a directive says, not indented any more."""
    first = (match["first"] or "").strip()
    if not first and not match["body"].split("\n", 1)[0].strip():  # an empty comment ends what stands before it
        return f"\n{_without_blocks(dedent(match['body']), left_out, depth)}\n"
    directive = _DIRECTIVE.match(first)
    name = directive["name"] if directive else ""
    if directive and (name in _TEXT or _TITLED.fullmatch(name)):
        said = _VERSION.sub("", directive["said"] or "") if name in _TEXT else ""
        body = dedent(_OPTIONS.sub("", match["body"]))
        return f"\n{said}\n{_without_blocks(body, left_out, depth)}\n"
    return _dropping(_reason(first, name), left_out)(match)


def _reason(first: str, name: str) -> str:
    if first.startswith(("_", "|")):
        return "markup"
    if _NOTE.match(first):
        return "footnote"
    return _REASONS.get(name, "directive") if name else "comment"
