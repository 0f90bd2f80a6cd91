# ruff: noqa: RUF001 (typographic signs are part of the text that is matched)
"""Wikitext to plain prose, fast: regular expressions for what cannot nest, `nesting` for what can.

The result is what a reader takes in when reading the running text aloud: headings, lists, tables, captions, references,
formulas and back matter are left out. Where something inside a sentence cannot be turned into words, the sentence is
left out too (see `templates.HOLE`), so that no chunk has a gap in it. All that is left out is counted, with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from itertools import pairwise
from operator import itemgetter

from nextvec.corpus.chunkers.ends import sentence_ends
from nextvec.corpus.headings import Title, compose
from nextvec.corpus.markup.arguments import BREAK, HOLE
from nextvec.corpus.markup.ledger import Ledger
from nextvec.corpus.markup.nesting import Nesting
from nextvec.corpus.markup.raised import lowered, raised
from nextvec.corpus.markup.wiki import ENGLISH, Wiki
from nextvec.corpus.prose import Prose, collapse, count_words, is_unspaced

MIN_PARAGRAPH_WORDS = 6
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_INVISIBLE = re.compile(
    r"<ref\b[^<>]*/>|<ref\b[^<>]*>.*?</ref\s*>|<references\b[^<>]*/>"
    r"|<(gallery|timeline|imagemap|references|section|templatestyles|includeonly|mapframe|maplink|graph|chart|inputbox"
    r"|templatedata|categorytree|indicator)\b[^<>]*(?<!/)>.*?</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)
_INNERMOST = {
    "table": re.compile(r"<table\b[^<>]*>(?:(?!<table\b).)*?</table\s*>", re.DOTALL | re.IGNORECASE),
    "hidden": re.compile(
        r"<(span|div|small|sup|td)\b[^<>]*display\s*:\s*none[^<>]*>(?:(?!<\1\b).)*?</\1\s*>", re.DOTALL | re.IGNORECASE
    ),
    "struck out": re.compile(r"<(del|s|strike)\b[^<>]*(?<!/)>(?:(?!<\1\b).)*?</\1\s*>", re.DOTALL | re.IGNORECASE),
    "pronunciation": re.compile(r"<r[tp]\b[^<>]*>[^<]*(?:</r[tp]\s*>)?", re.IGNORECASE),
}
"""Elements that hold their like, or are seldom: looked for where there is a sign of them."""
_SIGN_OF_ELEMENTS = re.compile(r"<(?:(?:table|ruby|del|s|strike)\b|\w+\b[^<>]*display\s*:\s*none)", re.IGNORECASE)
_UNSPEAKABLE = re.compile(
    r"<(math|chem|ce|syntaxhighlight|source|pre|score|hiero)\b[^<>]*(?<!/)>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE
)
_KINDS = {
    **dict.fromkeys(("gallery", "imagemap"), "caption or file link"),
    **dict.fromkeys(("timeline", "mapframe", "maplink", "graph", "chart"), "figure"),
    "references": "reference",
}
"""Reasons by the tag whose content is left out."""
_UNSPOKEN = {
    **dict.fromkeys(("syntaxhighlight", "source", "pre"), "code"),
    **dict.fromkeys(("score", "hiero"), "figure"),
}
_UNCLOSED_REFERENCE = re.compile(r"<ref\b[^<>]*>[^\n]*", re.IGNORECASE)
_SIMPLE_FORMULA = re.compile(r"[\w\s.,+\-]{1,12}")
_NOWIKI = re.compile(r"<nowiki>(.*?)</nowiki>|<nowiki\s*/>", re.DOTALL | re.IGNORECASE)
_PAIRED = re.compile(r"[\[\]{}|]")
_MUTED = {ord(mark): chr(0xFDD0 + number) for number, mark in enumerate("'=*#:;!")}
_AUDIBLE = {ord(sign): chr(mark) for mark, sign in _MUTED.items()}
"""Unicode's noncharacters stand for marks that are meant as they are."""
_HEADING = re.compile(r"\n(={1,6})[^\S\n]*([^\n]*?)[^\S\n]*\1[^\S\n]*(?=\n|\Z)")
_SIMPLE_LINK = re.compile(r"\[\[(?:[^\[\]{}|\n:]*\|)?([^\[\]{}|\n:]+)\]\]")
_EXTERNAL_LINK = re.compile(r"\[(?:(?:https?:|ftps?:)?//|mailto:|tel:|irc:)[^\s\[\]]+([^\[\]]*)\]")
_BARE_URL = re.compile(r"(?:https?|ftp)://[^\s\[\]<>\"()]*(?:\([^\s\[\]<>\"()]*\)[^\s\[\]<>\"()]*)*(?<![.,;:!?'])")
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
_RAISED = re.compile(r"<(su[bp])\b[^<>]*>((?:[^<]|<(?!/?su[bp]\b))*?)</\1\s*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_BEFORE_RAISED = 8
"""Characters that tell what it is."""
_QUOTE_RUN = re.compile(r"'{2,}")
_BOTH = 5
_WITH_VARIANTS = frozenset(
    ("zh", "gan", "wuu", "sr", "sh", "kk", "ku", "uz", "tg", "crh", "iu", "shi", "ban", "mni", "tly", "zgh")
)
_VARIANT = re.compile(r"-\{(?:([A-Za-z;+-]*)\|)?([^{}]*)\}-")
_HIDDEN_RULE = frozenset("TH-")
_RULE = re.compile(r"\s*(?:[^:;]*=>\s*)?[a-z]{2,3}(?:-[a-z]+)*\s*:([^;]*)")
_SWITCH = re.compile(r"__\w+?__")
_RULE_LINE = re.compile(r"^-{4,}", re.MULTILINE)
_NOT_TEXT_LINE = re.compile(r"[*#;:|!]|-{4,}|\+[-=]|\W*$")
_LINE_KINDS = {**dict.fromkeys("*#;:", "list"), **dict.fromkeys("|!+", "table")}
_BRACKET_DEBRIS = re.compile(
    r"[()\[\]（）](?:(?<=[\s,;:、，；：][)\]）])|(?<=[(\[（])[\s,;:、，；：)\]）]|(?<=\()(?:or|and|pronounced|listen|from|also)\b)"
)
_EMPTY_BRACKETS = re.compile(
    r"\(\s*[^\w()]*(?:or|and|pronounced|listen|from|also|born|in|help|info)?[^\w()]*\)|\[\s*\]|（[^\w（）]*）"
)
_AFTER_OPENING = re.compile(r"([(\[（])[\s,;:、，；：]+")
_BEFORE_CLOSING = re.compile(r"[\s,;:、，；：]+([)\]）])")
_SPACE_BEFORE = re.compile(r" (?=[,.;:!?](?:\s|$))")
_SPACE_BEFORE_LOW = re.compile(r" (?=[,.](?:\s|$))")
_SPACED_MARKS = ("fr", "br", "oc")
"""Languages that set a space before the marks ; : ! and ?."""
_DOUBLED = re.compile(r"([,;])(?: ?[,;])+")
_HOLE_BEHIND = re.compile(
    rf"(?<=[.,;:!?…»”)]){HOLE}+(?=\s|\Z)|(?<=[」』）]){HOLE}+"
    rf"|(?<=[。！？]){HOLE}+(?![にはがをのでへ][\u30a0-\u30ff\u4e00-\u9fff、]|から|まで|より|[年月日人的是在和与])"
)
"""In Chinese and Japanese no space parts a remark from a word that a sentence begins with: one that a particle follows
belongs to it, and so does every one after a comma."""
_HOLE_IN_BRACKETS = re.compile(
    rf"(?:\s|(?<=[\u3040-\u9fff\uac00-\ud7af]))\([^(){HOLE}]*{HOLE}[^()]*\)|（[^（）{HOLE}]*{HOLE}[^（）]*）"
)
_LEAK = re.compile(
    r"[\[\]{}|<_-](?:(?<=\[)\[|(?<=\])\]|(?<=\{)\{|(?<=\})[}-]|(?<=\|)|(?<=<)(?:\w+[^<>]*>|/\w+>)"
    r"|(?<=_)_[A-Z]{3,}__|(?<=-)\{)"
)
"""Like the debris above it begins with one class of characters, because those are found fast."""
_FIRST_GROUP = itemgetter(1)


def strip_wikitext(text: str, wiki: Wiki = ENGLISH) -> Prose:
    """Paragraphs of plain prose, one line each, with one blank line between them; "" when there is none."""
    ledger = Ledger()
    prose, headings = compose(_pieces(text, wiki, ledger))
    return Prose(title="", text=prose, left_out=ledger.closed(text, prose), headings=headings)


def _pieces(text: str, wiki: Wiki, ledger: Ledger) -> Iterator[str | Title]:
    nesting = Nesting(wiki, ledger)
    for section in _sections(text, wiki, ledger):
        if section.level:
            yield Title(_spoken_title(section.title, wiki), section.level)
        for paragraph in _running_text(section.body, wiki, nesting, ledger):
            mended = _mend(paragraph, wiki.language, ledger)
            if _long_enough(mended, ledger):
                yield ledger.drop_controls(mended)


def _spoken_title(title: str, wiki: Wiki) -> str:
    """A heading in words, without what cannot be said; all of it is counted already."""
    unheard = Ledger()
    words = " ".join(_running_text(title, wiki, Nesting(wiki, unheard), unheard)).replace(HOLE, "")
    return unheard.drop_controls(_mend(words, wiki.language, unheard))


def _long_enough(paragraph: str, ledger: Ledger) -> bool:
    enough = paragraph.count(" ") >= MIN_PARAGRAPH_WORDS - 1 or count_words(paragraph) >= MIN_PARAGRAPH_WORDS
    if not enough:
        ledger.drop("short paragraph", paragraph)
    return enough


def _running_text(section: str, wiki: Wiki, nesting: Nesting, ledger: Ledger) -> Iterator[str]:
    """Paragraphs before they are mended: `HOLE` stands for what cannot be said in words."""
    plain = "".join(_SIMPLE_LINK.split(_without_quotes(section)))
    flat = nesting.resolve(plain)
    return _blocks(_strip_inline(_one_variant(flat, wiki.language, ledger), ledger), ledger)


def whole_sentences(paragraph: str, language: str = "en") -> list[str]:
    """The sentences of a paragraph of `_running_text`, without those that have unexplained markup or a hole.

    Where the hole is in a parenthesis, that alone goes: the sentence stands without it. One right behind the end of a
    sentence or clause holds no word of it, only a remark.
    """
    text = _HOLE_IN_BRACKETS.sub("", _HOLE_BEHIND.sub("", paragraph))
    sentences = (text[start:end] for start, end in pairwise([0, *sentence_ends(text, language)]))
    return [sentence for sentence in sentences if HOLE not in sentence and not _LEAK.search(sentence)]


@dataclass(frozen=True, slots=True)
class _Section:
    """`level` counts the marks of the heading; 0 for what stands before the first."""

    level: int
    title: str
    body: str


def body_sections(text: str, wiki: Wiki = ENGLISH) -> Iterator[str]:
    """The body of every section, without those of back matter and their subsections."""
    return (section.body for section in _sections(text, wiki, Ledger()))


def _sections(text: str, wiki: Wiki, ledger: Ledger) -> Iterator[_Section]:
    """Those of `body_sections`."""
    pieces = _HEADING.split("\n" + _without_what_is_no_text(text, ledger))
    yield _Section(0, "", pieces[0])
    skipped_level = 7
    for marks, title, body in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        ledger.drop("heading", title)
        if len(marks) <= skipped_level:
            skipped_level = len(marks) if wiki.is_back_matter(len(marks), title) else 7
        if skipped_level == 7:
            yield _Section(len(marks), title, body)
        else:
            ledger.drop("back matter", body)


def _without_what_is_no_text(text: str, ledger: Ledger) -> str:
    text = _COMMENT.sub(_dropping("comment", ledger), _NOWIKI.sub(_defuse, text))
    text = _INVISIBLE.sub(lambda match: ledger.drop(_kind(match), match[0]), text)
    if _SIGN_OF_ELEMENTS.search(text):
        text = _without_elements(text, ledger)
    text = _UNCLOSED_REFERENCE.sub(lambda match: ledger.drop("reference", match[0], HOLE), text)
    return _UNSPEAKABLE.sub(lambda match: _spoken_formula(match, ledger), text)


def _without_elements(text: str, ledger: Ledger) -> str:
    """`text` without tables, hidden passages and readings above the line, the innermost first."""
    for reason, pattern in _INNERMOST.items():
        found = 1
        while found:
            text, found = pattern.subn(_dropping(reason, ledger), text)
    return text


def _dropping(reason: str, ledger: Ledger) -> Callable[[re.Match[str]], str]:
    return lambda match: ledger.drop(reason, match[0])


def _kind(match: re.Match[str]) -> str:
    return _KINDS.get(match[1].lower(), "template") if match[1] else "reference"


def _defuse(match: re.Match[str]) -> str:
    """What wikitext would take for marks is muted; brackets, braces and pipes go, they would look like leaks."""
    return _PAIRED.sub("", match[1] or "").translate(_MUTED)


def _spoken_formula(match: re.Match[str], ledger: Ledger) -> str:
    formula, reason = match[2].strip(), _UNSPOKEN.get(match[1].lower(), "formula")
    if reason != "figure" and _SIMPLE_FORMULA.fullmatch(formula):
        return formula
    return ledger.drop(reason, match[0], HOLE)


def _one_variant(text: str, language: str, ledger: Ledger) -> str:
    """`-{zh-hans:A; zh-hant:B}-` is A: one of the spellings that a wiki with several scripts holds."""
    if language.partition("-")[0] not in _WITH_VARIANTS or "-{" not in text:
        return text
    return _VARIANT.sub(lambda match: ledger.drop("other spelling", match[0], _spelling(match)), text)


def _spelling(match: re.Match[str]) -> str:
    flags, rule = match[1] or "", match[2]
    if not _HIDDEN_RULE.isdisjoint(flags):
        return ""
    first = _RULE.match(rule)
    return first[1].strip() if first else rule


def _strip_inline(text: str, ledger: Ledger) -> str:
    text = _EXTERNAL_LINK.sub(_FIRST_GROUP, text)
    if "://" in text:
        text = _BARE_URL.sub(lambda match: ledger.drop("address", match[0], HOLE), text)
    if "----" in text:
        text = _RULE_LINE.sub(BREAK, text)
    if "<" in text:
        text = _OTHER_TAG.sub("", _BREAK_TAG.sub(" ", _BLOCK_TAG.sub(BREAK, _RAISED.sub(_raise, text))))
    text = unescape(_SWITCH.sub(_switch, text)).replace("\xa0", " ")
    return text.translate(_AUDIBLE) if any(map(text.__contains__, _MUTED.values())) else text


def _switch(match: re.Match[str]) -> str:
    """Nothing for a word to MediaWiki, which has no small letter; else, as in Python's `__init__`, what is there."""
    return "" if match[0] == match[0].upper() else match[0]


def _raise(match: re.Match[str]) -> str:
    """Figures above and below the line so that no number changes: "10⁶", "SO4²⁻", "2^n", "101₂"; but "H2O", "1er"."""
    inner = _TAG.sub("", match[2]).strip()
    before = match.string[max(0, match.start() - _BEFORE_RAISED) : match.start()]
    return lowered(inner, before) if match[1].lower() == "sub" else raised(inner, before)


def _without_quotes(text: str) -> str:
    if "'''" in text:
        text = "\n".join(_unquote(line) if "'''" in line else line for line in text.split("\n"))
    return text.replace("''", "")


def _unquote(line: str) -> str:
    """`line` without its marks for italic (2 apostrophes), bold (3) or both (5); what is over is meant.

    Where neither italic nor bold come in pairs, one of the bold is an apostrophe and italic, as in `l'''Iliade''`:
    which of them, is MediaWiki's rule (`doQuotes` in its parser).
    """
    runs = list(_QUOTE_RUN.finditer(line))
    bold = [run for run in runs if len(run[0]) in (3, 4)]
    both = sum(len(run[0]) >= _BOTH for run in runs)
    unpaired = (len(bold) + both) % 2 and (len(runs) - len(bold)) % 2
    odd = min(bold, key=_misreading).start() if bold and unpaired else -1
    return _QUOTE_RUN.sub(lambda run: "'" if run.start() == odd else _meant(len(run[0])), line)


def _meant(count: int) -> str:
    return "'" if count == 4 else "'" * (count - _BOTH)


def _misreading(run: re.Match[str]) -> int:
    """How unlikely the run is to be an apostrophe and italic: least after a word of one letter, most after a space."""
    before = run.string[max(0, run.start() - 2) : run.start()]
    return 2 if before.endswith(" ") else int(not before.startswith(" ") and len(before) != 1)


def _blocks(text: str, ledger: Ledger) -> Iterator[str]:
    """Runs of lines of running text, joined."""
    lines: list[str] = []
    for line in text.split("\n"):
        stripped = line.strip()
        if not _NOT_TEXT_LINE.match(stripped):
            lines.append(stripped)
            continue
        if kind := _LINE_KINDS.get(stripped[:1]):
            ledger.drop(kind, stripped)
        if lines:
            yield " ".join(lines)
            lines = []
    if lines:
        yield " ".join(lines)


def _joined(sentences: list[str]) -> str:
    """One after the other, with a space between where their script has one: what was left out may have taken it."""
    text = ""
    for sentence in sentences:
        touches = not text or text[-1].isspace() or is_unspaced(text[-1])
        text += sentence if touches else f" {sentence}"
    return text


def _mend(block: str, language: str, ledger: Ledger) -> str:
    """Sentences without a hole, with the traces of what was removed (empty brackets, space before commas) put right."""
    if HOLE in block or _LEAK.search(block):
        block = ledger.drop("sentence with a hole", block, _joined(whole_sentences(block, language)))
    if _BRACKET_DEBRIS.search(block):
        trimmed = _BEFORE_CLOSING.sub(r"\1", _AFTER_OPENING.sub(r"\1", block))
        block = ledger.drop("empty brackets", block, _EMPTY_BRACKETS.sub("", trimmed))
    space_before = _SPACE_BEFORE_LOW if language in _SPACED_MARKS else _SPACE_BEFORE
    return _DOUBLED.sub(r"\1", space_before.sub("", collapse(block)))
