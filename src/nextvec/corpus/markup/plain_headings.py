"""The headings of plain text, told by nothing but the way they are written: underlined, named as a chapter or the like,
numbered, or in capital letters. In doubt a line stays a part of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from nextvec.corpus.headings import Title, compose, underlines
from nextvec.corpus.markup.carried import MARK, carried, carry
from nextvec.corpus.markup.plain import Lines, read_plain
from nextvec.corpus.prose import MIN_WORDS, Prose, count_words, ends_sentence, holds_sentence, is_small, lost, visible

_SIGN = r"[=\-~^\"*#+]"
_UNDERLINED = re.compile(
    rf"(?:(?<=\n\n)|(?<=\n\r\n)|\A)(?:(?P<over>{_SIGN})(?P=over){{2,}}[ \t]*\r?\n)?"
    rf"(?P<title>(?!{_SIGN})[^\s|>][^\r\n]{{0,98}}?)[ \t]*\r?\n"
    rf"(?P<rule>(?P<sign>{_SIGN})(?P=sign){{2,}})[ \t]*(?=\r?\n|\Z)"
)
"""A line with a rule below it, and perhaps one above, as in reStructuredText and in Setext's Markdown."""
_ONE_TO_NINE = "one|two|three|four|five|six|seven|eight|nine"
_NUMBER_WORD = (
    rf"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:{_ONE_TO_NINE}))?|{_ONE_TO_NINE}|ten|eleven|"
    "twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|the (?:first|second|third|fourth|fifth|last)"
)
_ROMAN = r"(?=[IVXLC])C{0,3}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?!\w)"
_LEVELS = {
    1: "volume|book|buch|livre|libro|книга",
    2: "part|teil|partie|parte|часть|act|akt|acte|canto",
    3: "chapter|kapitel|chapitre|capítulo|capitolo|hoofdstuk|глава|letter|appendix",
    4: "section|abschnitt|scene|szene|article|artikel|artículo|articolo|artigo|статья",
}
_DIVISION = re.compile(
    rf"(?P<name>{'|'.join(_LEVELS.values())})\s+(?:{_ROMAN}|\d{{1,3}}|[A-Z](?!\w)|{_NUMBER_WORD})"
    r"(?:\s*[.:)\u2014\u2013-]+\s*(?P<title>.*))?",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?P<number>\d{1,2}(?:\.\d{1,2}){1,4}|\d{1,2}(?=\.\s))\.?\s+(?P<first>[^\W\d_]).*")
_OF_LAW = re.compile(r"§{1,2}\s?\d{1,4}[a-z]?\.?\s+(?P<first>[^\W\d_]).*")
"""`§ 12 Scope`"""
SHOUTED = 4
"""Letters at least: `OK` or `II` stands for something else."""
WORDS = 12
"""A heading that is told by its number or its capital letters has no more."""
CAPITALS_SHARE = 0.5
"""Of a text: where more of it is in capital letters, they tell nothing."""
_GOES_ON = (",", ";", ":", "\u2014", "-")


def read_text(text: str, lines: Lines = "auto") -> Prose:
    """What `read_plain` makes of a text, with its headings beside it instead of among its paragraphs."""
    prose = read_plain(_with_marks(text.replace(MARK, "")), lines)
    pieces = list(_pieces(prose.text.split("\n\n"))) if prose.text else []
    body, headings = compose(pieces)
    if not body:
        return read_plain(text, lines)
    left_out = {**prose.left_out, "heading": sum(visible(one.text) for one in pieces if isinstance(one, Title))}
    left_out["markup"] = 0
    left_out["markup"] = lost(text, body) - sum(left_out.values())
    counted = {reason: count for reason, count in left_out.items() if count}
    return Prose(title="", text=body, left_out=counted, headings=headings)


def _with_marks(text: str) -> str:
    """Underlined titles marked with their level, which is the order in which the kinds of rules are met."""
    kinds: list[tuple[str, bool]] = []

    def marked(found: re.Match[str]) -> str:
        title, rule = found["title"], found["rule"]
        if not any(map(str.isalpha, title)) or not underlines(rule, title):
            return found[0]
        kind = (found["sign"], found["over"] is not None)
        if kind not in kinds:
            kinds.append(kind)
        return f"\n\n{carry(title, 1 + kinds.index(kind))}\n\n"

    return _UNDERLINED.sub(marked, text)


def _pieces(paragraphs: Sequence[str]) -> Iterable[str | Title]:
    """The paragraphs, those that are headings as such."""
    sure = [carried(one) or _division(one) for one in paragraphs]
    likely = [one or other for one, other in zip(sure, _likely(paragraphs, sure), strict=True)]
    text_below = False
    told: list[str | Title] = []
    for paragraph, certain, title in zip(reversed(paragraphs), reversed(sure), reversed(likely), strict=True):
        told.append(title if title is not None and (certain or text_below) else paragraph)
        text_below = _is_text(paragraph) if title is None else text_below
    return reversed(told)


def _is_text(paragraph: str) -> bool:
    """Whether it holds a sentence, leads on to what follows, or has more words than a heading has."""
    count = count_words(paragraph)
    return holds_sentence(paragraph) or count > WORDS or (paragraph.endswith(":") and count >= MIN_WORDS)


def _division(paragraph: str) -> Title | None:
    """`CHAPTER IV`, `Part Two: The Return`."""
    found = _DIVISION.fullmatch(paragraph)
    if found is None or count_words(found["title"] or "") > WORDS:
        return None
    level = next(level for level, names in _LEVELS.items() if found["name"].lower() in names.split("|"))
    return Title(paragraph, level=level)


def _likely(paragraphs: Sequence[str], sure: Sequence[Title | None]) -> Iterator[Title | None]:
    """Those that are headings if text stands below them."""
    numbers = [_number(one) for one in paragraphs]
    in_capitals = sum(len(one) for one in paragraphs if one.isupper())
    telling = in_capitals <= CAPITALS_SHARE * sum(map(len, paragraphs))
    for place, paragraph in enumerate(paragraphs):
        above = sure[place - 1] if place else None
        if not _may_be_title(paragraph):
            yield None
        elif above is not None and _is_bare(above):
            yield Title(paragraph, level=above.level + 1)
        elif (of_law := _OF_LAW.fullmatch(paragraph)) and not is_small(of_law["first"]):
            yield Title(paragraph, level=4)
        elif numbers[place] and not _is_listed(numbers, place):
            yield Title(paragraph, level=1 + numbers[place].count("."))
        else:
            yield Title(paragraph, level=3) if telling and _is_shouted(paragraph) else None


def _is_bare(title: Title) -> bool:
    """`CHAPTER IV` alone: what it is called may stand below it."""
    found = _DIVISION.fullmatch(title.text)
    return found is not None and not found["title"]


def _may_be_title(paragraph: str) -> bool:
    short = count_words(paragraph) <= WORDS and not ends_sentence(paragraph)
    return short and not paragraph.endswith(_GOES_ON)


def _number(paragraph: str) -> str:
    """`2.1` of `2.1 Scope`; none where a small letter follows."""
    found = _NUMBERED.fullmatch(paragraph)
    return found["number"] if found and not is_small(found["first"]) else ""


def _is_listed(numbers: Sequence[str], place: int) -> bool:
    """Whether the paragraph before or after has a number of as many parts: then they are items."""
    beside = (numbers[other] for other in (place - 1, place + 1) if 0 <= other < len(numbers))
    return any(number and number.count(".") == numbers[place].count(".") for number in beside)


def _is_shouted(paragraph: str) -> bool:
    return paragraph.isupper() and sum(map(str.isalpha, paragraph)) >= SHOUTED
