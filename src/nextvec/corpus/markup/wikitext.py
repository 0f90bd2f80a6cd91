# ruff: noqa: RUF001 (typographic signs are part of the text that is matched)
"""Wikitext to plain prose, fast: regular expressions for what cannot nest, one scan with a stack for what can.

The result is what a reader takes in when reading the running text aloud: headings, lists, tables, captions, references,
formulas and back matter are left out, and counted. Where something inside a sentence cannot be turned into words, the
sentence is left out too (see `arguments.HOLE`), so that no chunk has a gap in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import sentencex

from nextvec.corpus.markup.arguments import HOLE
from nextvec.corpus.markup.inline import strip_inline
from nextvec.corpus.markup.ledger import Ledger
from nextvec.corpus.markup.nesting import Resolver
from nextvec.corpus.markup.wiki import ENGLISH, Wiki
from nextvec.corpus.prose import Prose, collapse, count_words, is_sentence

MIN_PARAGRAPH_WORDS = 6
_INVISIBLE = re.compile(
    r"<!--.*?(?:-->|\Z)|<ref\b[^<>]*/>|<ref\b[^<>]*>.*?</ref\s*>|<references\b[^<>]*/>"
    r"|<(gallery|timeline|imagemap|references|section|templatestyles|includeonly|mapframe|maplink|graph|chart|inputbox"
    r"|categorytree|indicator|templatedata|phonos|dynamicpagelist)\b[^<>]*(?<!/)>.*?</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)
_INVISIBLE_REASONS = {
    **{"<!-": "comment", "<re": "reference", "<ga": "caption or file link", "<im": "caption or file link"},
    **{"<in": "template", "<te": "template", "<se": "template", "<ph": "pronunciation"},
}
_HTML_TABLE = re.compile(r"<table\b[^<>]*>(?:(?!<table\b).)*?</table\s*>", re.DOTALL | re.IGNORECASE)
_HIDDEN = re.compile(
    r"<(span|div|small|sup)\b[^<>]*display\s*:\s*none[^<>]*>(?:(?!<\1\b).)*?</\1\s*>", re.DOTALL | re.IGNORECASE
)
_UNSPEAKABLE = re.compile(
    r"<(math|chem|ce|syntaxhighlight|source|pre|score|hiero)\b[^<>]*(?<!/)>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE
)
_CODE = ("syntaxhighlight", "source", "pre")
_UNCLOSED_REFERENCE = re.compile(r"<ref\b[^<>]*>[^\n]*", re.IGNORECASE)
_SIMPLE_FORMULA = re.compile(r"[\w\s.,+\-]{1,12}")
_NOWIKI = re.compile(r"<nowiki>(.*?)</nowiki>|<nowiki\s*/>", re.DOTALL | re.IGNORECASE)
_WIKI_CHARACTERS = re.compile(r"[\[\]{}|'=*#:;!]")
_HEADING = re.compile(r"\n(={1,6})[^\S\n]*([^\n]*?)[^\S\n]*\1[^\S\n]*(?=\n|\Z)")
_SIMPLE_LINK = re.compile(r"\[\[(?:[^\[\]{}|\n:]*\|)?([^\[\]{}|\n:]+)\]\]")
_NOT_TEXT_LINE = re.compile(r"[*#;:|!]|-{4,}|\+[-=]|\W*$")
_LINE_REASONS = {"*": "list", "#": "list", ";": "list", ":": "list", "|": "table", "!": "table"}
_BRACKET_DEBRIS = re.compile(r"[\s,;:、，；][)\]）]|[(\[（][\s,;:)\]、，；）]|\((?:or|and|pronounced|listen|from|also)\b")
_EMPTY_BRACKETS = re.compile(
    r"\(\s*[^\w()]*(?:or|and|pronounced|listen|from|also|born|in|help|info)?[^\w()]*\)|\[\s*\]|（[^\w（）]*）"
)
_AFTER_OPENING = re.compile(r"([(\[（])[\s,;:、，；]+")
_BEFORE_CLOSING = re.compile(r"[\s,;:、，；]+([)\]）])")
_SPACE_BEFORE = re.compile(r" (?=[,.;:!?](?:\s|$))")
_SPACE_BEFORE_COMMA = re.compile(r" (?=[,.](?:\s|$))")
_DOUBLED = re.compile(r"([,;、，])(?: ?[,;、，])+")
_HOLE_IN_BRACKETS = re.compile(
    rf"(?:\s|(?<=[\u3040-\u9fff\uac00-\ud7af]))\([^(){HOLE}]*{HOLE}[^()]*\)|\s?（[^（）{HOLE}]*{HOLE}[^（）]*）"
)
_LEAK = re.compile(r"\[\[|\]\]|\{\{|\}\}|\{\||\|\}|\||<\w+[^<>]*>|</\w+>|__[A-Z]{3,}__")
_CONTROL = re.compile(r"[\x80-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


def strip_wikitext(text: str, wiki: Wiki = ENGLISH) -> Prose:
    """Paragraphs of plain prose, one line each, with one blank line between them; "" when there is none.

    The counts of what is left out, and of the prose, add up to all characters of `text`. "markup" is the rest that no
    other reason explains: marks, tags, addresses of links, names of templates and what they do not show. It may be
    below zero only where templates say more than they are written with.
    """
    ledger = Ledger()
    paragraphs = (_mend(block, wiki.language, ledger) for block in running_text(text, wiki, ledger))
    prose = "\n\n".join(paragraph for paragraph in paragraphs if _long_enough(paragraph, ledger))
    return Prose(title="", text=prose, left_out=ledger.settle(text, prose))


def _long_enough(paragraph: str, ledger: Ledger) -> bool:
    long_enough = count_words(paragraph) >= MIN_PARAGRAPH_WORDS or is_sentence(paragraph)
    if not long_enough:
        ledger.leave(paragraph, "short paragraph")
    return long_enough


def running_text(text: str, wiki: Wiki, ledger: Ledger) -> Iterator[str]:
    """Paragraphs before they are mended: `HOLE` stands for what cannot be said in words."""
    for section in body_sections(text, wiki, ledger):
        resolved = Resolver(_SIMPLE_LINK.sub(r"\1", section), wiki).resolve(ledger)
        yield from _blocks(strip_inline(resolved, ledger), ledger)


def whole_sentences(paragraph: str, language: str, ledger: Ledger) -> list[str]:
    """The sentences of a paragraph of `running_text`, without those that have unexplained markup or a hole.

    Where the hole is in a parenthesis, that alone goes: the sentence stands without it.
    """
    without = _HOLE_IN_BRACKETS.sub(lambda match: ledger.leave(match[0], "parenthesis with a hole"), paragraph)
    kept = []
    for sentence in sentencex.segment(language, without):
        if HOLE in sentence or _LEAK.search(sentence):
            ledger.leave(sentence, "sentence with a hole")
        else:
            kept.append(sentence)
    return kept


def body_sections(text: str, wiki: Wiki, ledger: Ledger) -> Iterator[str]:
    """The body of every section, without those of back matter and their subsections."""
    pieces = _HEADING.split("\n" + _without_invisible(text, ledger))
    yield pieces[0]
    skipped_level = 7
    for marks, title, body in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        ledger.leave(title, "heading")
        if len(marks) <= skipped_level:
            skipped_level = len(marks) if wiki.is_back_matter(len(marks), title) else 7
        if skipped_level == 7:
            yield body
        else:
            ledger.leave(body, "back matter")


def _without_invisible(text: str, ledger: Ledger) -> str:
    """`text` without what is not shown, or not as running text; formulas as words or holes."""

    def unspeakable(match: re.Match[str]) -> str:
        formula = match[2].strip()
        if _SIMPLE_FORMULA.fullmatch(formula):
            return formula
        return ledger.leave(match[0], "code" if match[1].lower() in _CODE else "formula") or HOLE

    text = _NOWIKI.sub(_defuse, text)
    text = _INVISIBLE.sub(lambda match: ledger.leave(match[0], _invisible_reason(match[0])), text)
    text = _innermost_first(_HTML_TABLE, "<table", text, "table", ledger)
    text = _innermost_first(_HIDDEN, "none", text, "hidden", ledger)
    text = _UNCLOSED_REFERENCE.sub(lambda match: ledger.leave(match[0], "reference") or HOLE, text)
    return _UNSPEAKABLE.sub(unspeakable, text)


def _invisible_reason(passage: str) -> str:
    return _INVISIBLE_REASONS.get(passage[:3].lower(), "figure")


def _innermost_first(pattern: re.Pattern[str], sign: str, text: str, reason: str, ledger: Ledger) -> str:
    """`text` without what matches, again and again while there is something: the pattern finds the innermost ones."""
    found = 1 if sign in text.lower() else 0
    while found:
        text, found = pattern.subn(lambda match: ledger.leave(match[0], reason), text)
    return text


def _defuse(match: re.Match[str]) -> str:
    return _WIKI_CHARACTERS.sub("", match[1] or "")


def _blocks(text: str, ledger: Ledger) -> Iterator[str]:
    """Runs of lines of running text, joined."""
    lines: list[str] = []
    for line in map(str.strip, text.split("\n")):
        if line and not _NOT_TEXT_LINE.match(line) and line.strip(HOLE):
            lines.append(line)
            continue
        if line:
            ledger.leave(line, _LINE_REASONS.get(line[0], "signs without words"))
        if lines:
            yield " ".join(lines)
            lines = []
    if lines:
        yield " ".join(lines)


def _mend(block: str, language: str, ledger: Ledger) -> str:
    """Sentences without a hole, with the traces of what was removed (empty brackets, space before commas) put right."""
    if HOLE in block or _LEAK.search(block):
        block = "".join(whole_sentences(block, language, ledger))
    if not block.isascii():
        block = _CONTROL.sub(lambda match: ledger.leave(match[0], "control characters"), block)
    if _BRACKET_DEBRIS.search(block):
        block = _BEFORE_CLOSING.sub(r"\1", _AFTER_OPENING.sub(r"\1", block))
        block = _EMPTY_BRACKETS.sub("", block)
    space_before = _SPACE_BEFORE_COMMA if language == "fr" else _SPACE_BEFORE
    return _DOUBLED.sub(r"\1", space_before.sub("", collapse(block)))
