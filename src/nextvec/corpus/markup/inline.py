# ruff: noqa: RUF001 (typographic signs are part of the text that is matched)
"""Marks within a line of wikitext: external links, tags, bold and italic, raised figures, language variants."""

from __future__ import annotations

import re
from html import unescape

from nextvec.corpus.markup.ledger import Ledger
from nextvec.corpus.markup.numbers import superscript
from nextvec.corpus.markup.templates import BREAK

_EXTERNAL_LINK = re.compile(r"\[(?:https?:|ftp:|mailto:)?//[^\s\[\]]+([^\[\]]*)\]")
_BARE_URL = re.compile(r"(?:https?|ftp)://\S+")
_BLOCK_TAG = re.compile(
    r"</?(?:blockquote|p|div|center|poem|ul|ol|li|dl|dd|dt|tr|td|th|h[1-6]|hr)\b[^<>]*>", re.IGNORECASE
)
_BREAK_TAG = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
_OTHER_TAG = re.compile(
    r"</?(?:ref|references|su[bp]|small|big|i|b|u|s|em|strong|span|font|code|tt|var|kbd|samp|cite|abbr|dfn|del|ins|strike|q"
    r"|ruby|r[bpt]|bdi|bdo|mark|time|noinclude|onlyinclude|includeonly|nowiki|gallery|table|math|wbr|section|caption|data"
    r"|templatestyles|tbody|thead|col|colgroup|big|source|pre|syntaxhighlight|chem|ce|langconvert|translate|tvar"
    r"|timeline|imagemap|mapframe|maplink|graph|score|hiero|indicator|rtc)\b[^<>]*>",
    re.IGNORECASE,
)
_RUBY_TEXT = re.compile(r"<r[tp]\b[^<>]*>[^<]*(?:</r[tp]\s*>)?", re.IGNORECASE)
_RAISED = re.compile(r"<(su[bp])\b[^<>]*>((?:[^<]|<(?!/?su[bp]\b))*?)</\1\s*>", re.IGNORECASE)
_INNER_MARKS = re.compile(r"<[^<>]*>|'{2,}")
_FIGURES = re.compile(r"[-−–+]?\d+")
_SUBSCRIPTS = str.maketrans("0123456789-−–+", "₀₁₂₃₄₅₆₇₈₉₋₋₋₊")
_EXPONENT_LETTERS = ("n", "k", "x", "m", "N")
_QUOTE_RUN = re.compile(r"'{2,}")
_SWITCH = re.compile(r"__\w+?__")
_VARIANTS = re.compile(r"-\{([^{}]*)\}-")
_VARIANT = re.compile(r"(?:^|;)\s*([a-z]{2,3}(?:-[a-z]+)*)\s*:\s*([^;]*)")
_SILENT_FLAGS = {"H", "T", "D", "-", "N"}
_PREFERRED = ("zh-hans", "zh-cn", "zh-sg")


def strip_inline(text: str, ledger: Ledger) -> str:
    """`text`, which has no templates, links or tables any more, without marks within its lines."""
    if "://" in text or "[//" in text:
        text = _EXTERNAL_LINK.sub(r"\1", text)
        text = _BARE_URL.sub(lambda match: ledger.leave(match[0], "address"), text)
    if "-{" in text:
        text = _VARIANTS.sub(_variant, text)
    if "<" in text:
        text = _strip_tags(text, ledger)
    if "''" in text:
        text = _QUOTE_RUN.sub(_unquote, _settle_apostrophes(text))
    if "__" in text:
        text = _SWITCH.sub(lambda match: "" if match[0] == match[0].upper() else match[0], text)
    return unescape(text).replace("\xa0", " ") if "&" in text else text.replace("\xa0", " ")


def _strip_tags(text: str, ledger: Ledger) -> str:
    text = _RUBY_TEXT.sub(lambda match: ledger.leave(match[0], "pronunciation"), text)
    text = _RAISED.sub(_raise, text)
    return _OTHER_TAG.sub("", _BREAK_TAG.sub(" ", _BLOCK_TAG.sub(BREAK, text)))


def _raise(match: re.Match[str]) -> str:
    """Figures above and below the line, so that no number changes: "10⁶", "2^n", "101₂"; but "H2O" and "1er"."""
    inner = _INNER_MARKS.sub("", match[2]).strip()
    before = match.string[max(0, match.start() - 1) : match.start()]
    if match[1].lower() == "sub":
        return inner.translate(_SUBSCRIPTS) if before.isdigit() and _FIGURES.fullmatch(inner) else inner
    if _FIGURES.fullmatch(inner):
        return superscript(inner)
    if any(map(str.isdigit, inner)) or (before.isdigit() and inner in _EXPONENT_LETTERS):
        return f"^{inner}" if re.fullmatch(r"[\w.,−-]+", inner) else f"^({inner})"
    return inner


def _settle_apostrophes(text: str) -> str:
    if "'''" not in text:
        return text
    return "\n".join(_settle(line) if "'''" in line else line for line in text.split("\n"))


def _settle(line: str) -> str:
    """A line where bold and italic do not pair: one mark for bold is an apostrophe and a mark for italic, as in
    `l\'\'\'Europe\'\'`. Which one: that after a word of one letter, else after a longer word, else after a space."""
    runs = list(_QUOTE_RUN.finditer(line))
    bold = sum(len(run[0]) != 2 for run in runs)
    italic = sum(len(run[0]) not in (3, 4) for run in runs)
    if bold % 2 == 0 or italic % 2 == 0:
        return line
    candidates = [run.end() for run in runs if len(run[0]) in (3, 4)]
    if not candidates:
        return line
    end = min(candidates, key=lambda position: _rank(line[: position - 3]))
    return f"{line[: end - 3]}'{line[end:]}"


def _rank(before: str) -> int:
    if before.endswith(" "):
        return 2
    return 0 if before[-2:-1] == " " else 1


def _unquote(match: re.Match[str]) -> str:
    """Bold and italic marks are 2, 3 or 5 apostrophes; what is over is meant."""
    count = len(match[0])
    return "'" if count == 4 else "'" * max(0, count - 5)


def _variant(match: re.Match[str]) -> str:
    """What is shown of `-{zh-hans:one;zh-hant:other}-`: simplified characters where they are named, else the first."""
    flags, pipe, rule = match[1].partition("|")
    if not pipe:
        flags, rule = "", match[1]
    if flags.strip() in _SILENT_FLAGS:
        return ""
    by_code = dict(_VARIANT.findall(rule)) if flags.strip() != "R" else {}
    preferred = next((by_code[code] for code in _PREFERRED if code in by_code), None)
    return rule if not by_code else (preferred or next(iter(by_code.values()))).strip()
