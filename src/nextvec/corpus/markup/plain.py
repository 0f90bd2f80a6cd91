"""Plain text to paragraphs, each on one line: bullets, rules and marks of quoted mail are taken off."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Literal

from nextvec.corpus.markup.hyphens import Spelling, in_one_elsewhere
from nextvec.corpus.markup.line_numbers import without_line_numbers
from nextvec.corpus.markup.sheets import join_pages, with_page_ends
from nextvec.corpus.markup.stamps import without_times
from nextvec.corpus.markup.subtitles import spoken
from nextvec.corpus.markup.tables import without_tables
from nextvec.corpus.markup.transcripts import without_emphasis, without_notices
from nextvec.corpus.markup.wrapping import Line, columns, common_column, group_items, group_lines
from nextvec.corpus.prose import Prose, collapse, lost, without_controls

Lines = Literal["auto", "wrapped", "sentences"]
"""What a line is: to be found out; a part of a paragraph; a sentence or item of its own."""

_RULE = re.compile(r"[-=_*~#+.\u00b7\u2022\u2014\u2500\u2550\s]{3,}|--")
_QUOTED = re.compile(r"(?:>[ \t]?)+")
_BULLET = re.compile(
    r"[\u00b7\u2022\u2023\u25e6\u25aa\u25ab\u25cf\u25cb\u2219\u25ba\u25a0\u2043]\s*|[\ue000-\uf8ff]\s+"
)
"""The last are of fonts of signs, as those of Word's lists in a PDF."""
_DASH = re.compile(r"[-*+]\s+")
_SPOKEN = re.compile(r"[\u2013\u2014]\s*(?=\S)")
"""Begins a speech, or an item; it stays, because it is text in the first case."""
_NUMBER = re.compile(r"\(?(\d{1,3}|[a-z])[.)]\s")
_OUTLINE = re.compile(r"(\d{1,2}(?:(?:\.\d{1,2}){1,5}|(?=\.)))\.?\s+(?=[^\W\d_])")
_OF_NUMBERS = frozenset("0123456789.")
_HYPHENATED = re.compile(r"(?<=[^\W\d_]-)\n(?=[^\W\d_])")
_BROKEN_ADDRESS = re.compile(r"(https?://(?:\S*[/._=?&%#-])?)\n(?=[\w~-]\S*[/._=?&%#-]\w)")
"""An address that goes on in the next line: it breaks off after a sign of addresses, and the rest has one, too."""
_SMALL, _CAPITAL = "[a-zß-öø-ÿа-яё]", "[A-ZÀ-ÖØ-ÞА-ЯЁ]"
_DIVIDED = re.compile(
    rf"(?<=[^\W\d_])(?!(?<={_SMALL})-\n{_CAPITAL})[-\u2010]\n(?=[^\W\d_])|(?<={_SMALL}-)\n(?={_CAPITAL})"
)
"""What is to be taken out: before a capital letter the hyphen stays, it is that of `Süd-Ost`."""
_SPEAKER = re.compile(r"(?!.*\s[IVXLC]+[.:])[A-ZÀ-Þ][A-ZÀ-Þ'\u2019-]+(?:\s[A-ZÀ-Þ'\u2019-]+){0,3}[.:]")
"""Not `CHAPTER IV.`"""
FEWEST_SPEECHES = 2
"""Of somebody in capital letters, so that it is no heading."""
FEWEST_DIVIDED = 2
DIVIDED_SHARE = 0.08
"""Of line ends, in text whose words are divided; Project Gutenberg's has hyphens at less than a fiftieth."""
DIVIDED_WORDS, MOST_ASKED = 0.25, 100
"""Of words at such line ends, that the text writes in one elsewhere, in text whose words are divided now and then; and
how many are looked up."""


def read_plain(text: str, lines: Lines = "auto") -> Prose:
    """The paragraphs of a text without title. Left out: control characters, the marks of subtitles and what tells of
    sounds in them, numbers of lines, running heads and feet of pages, what transcribers add, tables, and as markup what
    marks lines and emphasis."""
    unpaged, marks = _unpaged(text)
    clean, controls = without_controls(unpaged)
    unnumbered = without_line_numbers(clean)
    untimed, times = without_times(unnumbered)
    body, beside = without_notices(untimed)
    said, tables = without_tables(body)
    prose = "\n\n".join(paragraphs(without_emphasis(said), lines))
    numbers = lost(clean, unnumbered)
    left_out = {"control characters": controls, "line number": numbers, **marks, **times, **beside, "table": tables}
    left_out["markup"] = lost(text, prose) - sum(left_out.values())
    return Prose(title="", text=prose, left_out={reason: count for reason, count in left_out.items() if count})


def _unpaged(text: str) -> tuple[str, Mapping[str, int]]:
    """`text` as it reads on, and by reason the characters of running lines and of subtitles that this took away."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    paged = with_page_ends(text)
    if "\f" not in paged and "-->" not in text:
        return text, {}
    joined = join_pages(paged)
    heads = {"running head": lost(text, joined)}
    if (said := spoken(joined)) is None:
        return joined, heads
    shown, sounds = said
    return shown, {**heads, "sound": sounds, "subtitle marks": lost(joined, shown) - sounds}


def paragraphs(text: str, lines: Lines = "auto") -> Iterator[str]:
    """The paragraphs of a text that has no control characters; none is empty."""
    blocks = _with_speakers([block for raw in _blocks(text) if (block := list(_marked(raw)))])
    column = common_column(blocks)
    spelling = _spelling(blocks)
    for block in blocks:
        for group in _groups(block, lines, column):
            yield collapse(_joined(group, spelling))


def _with_speakers(blocks: list[list[Line]]) -> list[list[Line]]:
    """The blocks of a play, whose speakers have a line of their own, with each on the first line of what he says."""
    above = Counter(block[0].text for block in blocks if len(block) > 1 and _SPEAKER.fullmatch(block[0].text))
    names = {name for name, times in above.items() if times >= FEWEST_SPEECHES}
    return [_with_speaker(block) if len(block) > 1 and block[0].text in names else block for block in blocks]


def _with_speaker(block: list[Line]) -> list[Line]:
    name, first, *others = block
    return block if first.text.isupper() else [replace(first, text=f"{name.text} {first.text}"), *others]


def _joined(group: list[Line], spelling: Spelling | None) -> str:
    """`spelling`: where line ends divide words. One line has no line end; looking for one all the same is slow."""
    if len(group) == 1:
        return group[0].text
    text = _BROKEN_ADDRESS.sub(r"\1", "\n".join(line.text for line in group))
    return spelling.without_divisions(text) if spelling else _HYPHENATED.sub("", text)


def _spelling(blocks: list[list[Line]]) -> Spelling | None:
    """How the text spells its words, where its line ends divide them: more often than words that have a hyphen anyway
    would end there, or words that it writes in one elsewhere."""
    pairs = [(one.text, two.text) for block in blocks for one, two in pairwise(block)]
    divided = [f"{one}\n{two}" for one, two in pairs if _DIVIDED.search(f"{one}\n{two}")]
    if len(divided) < FEWEST_DIVIDED:
        return None
    lines = [line.text for block in blocks for line in block]
    if len(divided) < DIVIDED_SHARE * len(pairs):
        asked = divided[:MOST_ASKED]
        if in_one_elsewhere(asked, "\n".join(lines).lower()) < DIVIDED_WORDS * len(asked):
            return None
    return Spelling.of(lines)


def without_bullet(text: str) -> str:
    """A line without the sign at its start that can be nothing but a bullet."""
    bullet = _BULLET.match(text)
    return text[bullet.end() :] if bullet else text


def _groups(block: list[Line], lines: Lines, column: float | None) -> Iterator[list[Line]]:
    if lines == "sentences" or len(block) == 1:
        return ([line] for line in block)
    return group_items(block) if lines == "wrapped" else group_lines(block, column)


def _blocks(text: str) -> Iterator[list[Line]]:
    """Runs of lines that are neither blank nor rules."""
    for filled, run in groupby(map(_line, text.split("\n")), key=lambda line: line is not None):
        if filled:
            yield [line for line in run if line is not None]


def _line(raw: str) -> Line | None:
    stripped = raw.strip()
    if stripped[:1].isalnum() and stripped[0] == raw[0]:
        return Line(stripped)
    quoted = _QUOTED.match(stripped)
    text = stripped[quoted.end() :].strip() if quoted else stripped
    if not text or _RULE.fullmatch(text):
        return None
    space = raw[: len(raw) - len(raw.lstrip())].expandtabs()
    return Line(text, columns(space), quoted[0].count(">") if quoted else 0)


def _marked(block: list[Line]) -> Iterator[Line]:
    """The lines without bullets, told which of them start an item."""
    if len(block) == 1 and block[0].text[0].isalnum():
        yield block[0]
        return
    dashes, speeches, numbered = _begins_items(block, _DASH), _begins_items(block, _SPOKEN), _in_sequence(block)
    for place, line in enumerate(block):
        bullet = _BULLET.match(line.text) or (_DASH.match(line.text) if dashes else None)
        starts = bool(bullet) or place in numbered or (speeches and _SPOKEN.match(line.text) is not None)
        text = line.text[bullet.end() :] if bullet else line.text
        if text:
            yield replace(line, text=text, starts=starts)


def _begins_items(block: list[Line], mark: re.Pattern[str]) -> bool:
    """Whether a sign that can also be a dash within a sentence begins items: at the start, after a colon, or often."""
    places = [place for place, line in enumerate(block) if mark.match(line.text)]
    return bool(places) and (len(places) > 1 or places[0] == 0 or block[places[0] - 1].text.endswith(":"))


def _in_sequence(block: list[Line]) -> set[int]:
    """Where lines begin with numbers or letters that follow one another."""
    found = [(place, match[1]) for place, line in enumerate(block) if (match := _NUMBER.match(line.text))]
    outline = [(place, match[1]) for place, line in enumerate(block) if (match := _OUTLINE.match(line.text))]
    pairs = (pair for listed in (found, outline) for pair in pairwise(listed))
    return {place for (one, a), (two, b) in pairs if _follows(a, b) or _is_next(a, b) for place in (one, two)}


def _is_next(one: str, two: str) -> bool:
    """Of numbers of several parts, as contents have them: after `8.1.6` come `8.1.6.1`, `8.1.7`, `8.2` and `9`."""
    if not (set(one) <= _OF_NUMBERS and set(two) <= _OF_NUMBERS):
        return False
    a, b = ([int(part) for part in number.split(".")] for number in (one, two))
    return b == [*a, 1] or any(b == [*a[:place], a[place] + 1] for place in range(len(a)))


def _follows(one: str, two: str) -> bool:
    if one.isdigit() and two.isdigit():
        return int(two) == int(one) + 1
    return one.isalpha() and two.isalpha() and ord(two) == ord(one) + 1
