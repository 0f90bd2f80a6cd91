# ruff: noqa: RUF001 (typographic signs are part of the text that is matched)
"""Wikitext to plain prose, fast: regular expressions for what cannot nest, one scan with a stack for what can.

The result is what a reader takes in when reading the running text aloud: headings, lists, tables, captions, references,
formulas and back matter are left out. Where something inside a sentence cannot be turned into words, the sentence is
left out too (see `templates.HOLE`), so that no chunk has a gap in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import sentencex

from nextvec.corpus.markup.templates import BREAK, HOLE, render_template, superscript
from nextvec.corpus.prose import collapse

MIN_PARAGRAPH_WORDS = 6
BACK_MATTER = re.compile(
    r"""(?:(?:general|cited|explanatory|external)\ )?
        (?:references?|notes?|footnotes?|endnotes|citations?|sources?|links?)
        (?:\ and\ (?:references|notes|footnotes|citations|sources|further\ reading))?
      | bibliography | see\ also | further\ reading | literature | works\ cited | (?:list\ of\ )?works | publications
      | selected\ (?:works|bibliography|publications) | (?:image\ )?gallery | filmography | discography | cast
      | track\ listing | personnel | awards\ and\ nominations""",
    re.IGNORECASE | re.VERBOSE,
)
_INVISIBLE = re.compile(
    r"<!--.*?(?:-->|\Z)|<ref\b[^<>]*/>|<ref\b[^<>]*>.*?</ref\s*>|<references\b[^<>]*/>"
    r"|<(gallery|timeline|imagemap|references|table|section|templatestyles|includeonly|mapframe|graph|inputbox)\b[^<>]*>"
    r".*?</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)
_UNSPEAKABLE = re.compile(
    r"<(math|chem|ce|syntaxhighlight|source|pre|score|hiero)\b[^<>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE
)
_UNCLOSED_REFERENCE = re.compile(r"<ref\b[^<>]*>[^\n]*", re.IGNORECASE)
_SIMPLE_FORMULA = re.compile(r"[\w\s.,+\-]{1,12}")
_NOWIKI = re.compile(r"<nowiki>(.*?)</nowiki>|<nowiki\s*/>", re.DOTALL | re.IGNORECASE)
_WIKI_CHARACTERS = re.compile(r"[\[\]{}|'=*#:;!]")
_HEADING = re.compile(r"\n(={1,6})[^\S\n]*([^\n]*?)[^\S\n]*\1[^\S\n]*(?=\n|\Z)")
_SIMPLE_LINK = re.compile(r"\[\[(?:[^\[\]{}|\n:]*\|)?([^\[\]{}|\n:]+)\]\]")
_TOKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}(?!\})")
_OPENERS = {"{{": "}}", "[[": "]]", "{|": "|}"}
_EXTERNAL_LINK = re.compile(r"\[(?:https?:|ftp:|mailto:)?//[^\s\[\]]+([^\[\]]*)\]")
_BARE_URL = re.compile(r"(?:https?|ftp)://\S+")
_BLOCK_TAG = re.compile(
    r"</?(?:blockquote|p|div|center|poem|ul|ol|li|dl|dd|dt|tr|td|th|h[1-6]|hr)\b[^<>]*>", re.IGNORECASE
)
_BREAK_TAG = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
_OTHER_TAG = re.compile(
    r"</?(?:ref|references|su[bp]|small|big|i|b|u|s|em|strong|span|font|code|tt|var|kbd|samp|cite|abbr|dfn|del|ins|strike|q"
    r"|ruby|r[bpt]|bdi|bdo|mark|time|noinclude|onlyinclude|includeonly|nowiki|gallery|table|math|wbr|section|caption"
    r"|templatestyles|tbody|thead|col|colgroup|big|source|pre|syntaxhighlight)\b[^<>]*>",
    re.IGNORECASE,
)
_SUPERSCRIPT = re.compile(r"<sup>\s*([-−–]?\d+)\s*</sup>", re.IGNORECASE)
_IS_POSSESSIVE = re.compile(r"s\b")
_QUOTE_RUN = re.compile(r"'{2,}")
_SWITCH = re.compile(r"__[A-Z]+__")
_NOT_TEXT_LINE = re.compile(r"[*#;:|!]|-{4,}|\+[-=]|\W*$")
_BRACKET_DEBRIS = re.compile(r"[\s,;:][)\]]|[(\[][\s,;:)\]]|\((?:or|and|pronounced|listen|from|also)\b")
_EMPTY_BRACKETS = re.compile(
    r"\(\s*[^\w()]*(?:or|and|pronounced|listen|from|also|born|in|help|info)?[^\w()]*\)|\[\s*\]"
)
_AFTER_OPENING = re.compile(r"([(\[])[\s,;:]+")
_BEFORE_CLOSING = re.compile(r"[\s,;:]+([)\]])")
_SPACE_BEFORE = re.compile(r" (?=[,.;:!?](?:\s|$))")
_DOUBLED = re.compile(r"([,;])(?: ?[,;])+")
_HOLE_IN_BRACKETS = re.compile(rf"\s\([^(){HOLE}]*{HOLE}[^()]*\)")
_LEAK = re.compile(r"\[\[|\]\]|\{\{|\}\}|\{\||\|\}|\||<\w+[^<>]*>|</\w+>|__[A-Z]{3,}__")

_NAMESPACE = re.compile(
    r"\s*(?:file|image|category|media|template|wikipedia|portal|help|user|special)\s*:", re.IGNORECASE
)
_LANGUAGE_LINK = re.compile(r"\s*[a-z]{2,3}(?:-[a-z-]+)?\s*:[^|]*")


def strip_wikitext(text: str) -> str:
    """Paragraphs of plain prose, one line each, with one blank line between them; "" when there is none."""
    paragraphs = map(_mend, running_text(text))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph.count(" ") >= MIN_PARAGRAPH_WORDS - 1)


def running_text(text: str) -> Iterator[str]:
    """Paragraphs before they are mended: `HOLE` stands for what cannot be said in words."""
    for section in body_sections(text):
        yield from _blocks(_strip_inline(_resolve_nesting(_SIMPLE_LINK.sub(r"\1", section))))


def whole_sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph of `running_text`, without those that have unexplained markup or a hole.

    Where the hole is in a parenthesis, that alone goes: the sentence stands without it.
    """
    sentences = sentencex.segment("en", _HOLE_IN_BRACKETS.sub("", paragraph))
    return [sentence for sentence in sentences if HOLE not in sentence and not _LEAK.search(sentence)]


def body_sections(text: str) -> Iterator[str]:
    """The body of every section, without those of back matter and their subsections."""
    text = _UNCLOSED_REFERENCE.sub(HOLE, _INVISIBLE.sub("", _NOWIKI.sub(_defuse, text)))
    pieces = _HEADING.split("\n" + _UNSPEAKABLE.sub(_spoken_formula, text))
    yield pieces[0]
    skipped_level = 7
    for marks, title, body in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        if len(marks) <= skipped_level:
            skipped_level = len(marks) if BACK_MATTER.fullmatch(title.strip("' ")) else 7
        if skipped_level == 7:
            yield body


def _defuse(match: re.Match[str]) -> str:
    return _WIKI_CHARACTERS.sub("", match[1] or "")


def _spoken_formula(match: re.Match[str]) -> str:
    formula = match[2].strip()
    return formula if _SIMPLE_FORMULA.fullmatch(formula) else HOLE


def _resolve_nesting(text: str) -> str:
    """`text` with templates, links and tables replaced by their words. What is opened and never closed is a hole."""
    frames: list[tuple[str, list[str]]] = [("", [])]
    position = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in ("{|", "|}") and not _starts_line(text, match.start()):
            continue
        frames[-1][1].append(text[position : match.start()])
        position = match.end()
        if token in _OPENERS:
            frames.append((token, []))
        else:
            _close(frames, token)
    frames[-1][1].append(text[position:])
    while len(frames) > 1:
        _abandon(frames)
    return "".join(frames[0][1])


def _starts_line(text: str, position: int) -> bool:
    return not text[text.rfind("\n", 0, position) + 1 : position].strip(" \t:*#")


def _close(frames: list[tuple[str, list[str]]], token: str) -> None:
    """End the innermost frame that `token` closes, and those inside it that nothing closed; a stray one is a hole."""
    depth = next((d for d in range(len(frames) - 1, 0, -1) if _OPENERS[frames[d][0]] == token), 0)
    if depth == 0:
        frames[-1][1].append(HOLE)
        return
    while len(frames) - 1 > depth:
        _abandon(frames)
    opener, parts = frames.pop()
    words = _render(opener, "".join(parts))
    frames[-1][1].append("" if words == HOLE and _at_line_start(frames[-1][1]) else words)


def _at_line_start(parts: list[str]) -> bool:
    """Whether nothing but space precedes on the line: an unknown template there is a banner or a box, no part of a
    sentence."""
    for part in reversed(parts):
        before = part.rstrip(" \t")
        if before:
            return before.endswith("\n")
    return True


def _abandon(frames: list[tuple[str, list[str]]]) -> None:
    """Give up on the innermost frame: its first line is lost, the rest was ordinary text after all."""
    _, parts = frames.pop()
    _, newline, rest = "".join(parts).partition("\n")
    frames[-1][1].append(f"{HOLE}{newline}{rest}")


def _render(opener: str, content: str) -> str:
    if opener == "{{":
        return render_template(content)
    return _render_link(content) if opener == "[[" else BREAK


def _render_link(content: str) -> str:
    target, pipe, text = content.partition("|")
    if _NAMESPACE.match(target) or (not pipe and _LANGUAGE_LINK.fullmatch(target)):
        return ""
    return text.rpartition("|")[2] if text.strip() else target.lstrip(":")


def _strip_inline(text: str) -> str:
    text = _BARE_URL.sub("", _EXTERNAL_LINK.sub(r"\1", text))
    text = _SUPERSCRIPT.sub(lambda match: superscript(match[1]), text)
    text = _OTHER_TAG.sub("", _BREAK_TAG.sub(" ", _BLOCK_TAG.sub(BREAK, text)))
    text = _QUOTE_RUN.sub(_unquote, text)
    return unescape(_SWITCH.sub("", text)).replace("\xa0", " ")


def _unquote(match: re.Match[str]) -> str:
    """Bold and italic marks are 2, 3 or 5 apostrophes; what is over is meant, and so is the last of `''Title'''s`."""
    count = len(match[0])
    if count == 4 or (count == 3 and _IS_POSSESSIVE.match(match.string, match.end())):
        return "'"
    return "'" * max(0, count - 5)


def _blocks(text: str) -> Iterator[str]:
    """Runs of lines of running text, joined."""
    lines: list[str] = []
    for line in text.split("\n"):
        if line.replace(HOLE, "").strip() and not _NOT_TEXT_LINE.match(line.strip()):
            lines.append(line.strip())
        elif lines:
            yield " ".join(lines)
            lines = []
    if lines:
        yield " ".join(lines)


def _mend(block: str) -> str:
    """Sentences without a hole, with the traces of what was removed (empty brackets, space before commas) put right."""
    if HOLE in block or _LEAK.search(block):
        block = "".join(whole_sentences(block))
    if _BRACKET_DEBRIS.search(block):
        block = _BEFORE_CLOSING.sub(r"\1", _AFTER_OPENING.sub(r"\1", block))
        block = _EMPTY_BRACKETS.sub("", block)
    return _DOUBLED.sub(r"\1", _SPACE_BEFORE.sub("", collapse(block)))
