# ruff: noqa: RUF001 (typographic dashes and signs are this file's business)
"""The words of inline wikitext templates: `{{convert|5|km}}` is "5 km" to a reader, and a gap when it is dropped.

Three kinds: templates that stand for words, in a table of renderers; templates a reader does not need (citations,
pronunciations, requests to editors), which are silent; all others leave a `HOLE`, and the sentence around it goes.
Templates of other languages than English are in templates.toml, those that carry a number in `quantities`.
"""

from __future__ import annotations

import re
from functools import cache

from nextvec.corpus.markup.arguments import BREAK, HOLE, Arguments, Renderer
from nextvec.corpus.markup.quantities import QUANTITIES, measure
from nextvec.corpus.markup.wiki import entries

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_SILENT = re.compile(
    r"""(?: cite | citation | cit | ref | refn | efn | sfn | sfnp | sfnm | harv | harvnb | rp | note | nb
          | notetag | cn | fact | ipa | ipac | ipalink | respell | pron | pronunciation | audio | listen | coord
          | flagicon | flagdeco | anchor | clear | clarify | clarification | when | who | whom | which | where
          | why | how | vague | dubious | disputed | update | updated | unreliable | weasel | verify
          | verification | failed | pov | or | full | better | page | pages | year | according | by | specify
          | example | examples | inflation-fn | legend | toc | reflist | use | contradict | peacock
          | opinion | attribution | additional | medical | non-primary | undue | needs | original | obsolete
          | source | sources | refnest | tone | synthesis | speculation | self-published | qualify | primary | list
          | further | main | see | seealso | details | image | multiple | hatnote | short | \#tag:ref )
        (?: [- ].* | \? )?
      | .* (?: needed | inline | icon | -fn | \? )
      | -""",
    re.VERBOSE,
)
_SAY_FIRST = re.compile(
    r"""nowrap | nobr | small | smaller | big | bigger | large | larger | center | centre | lower
        | sc | smallcaps | sup | sub | angbr | angle\ bracket | nobold | ill | interlanguage\ link | flag
        | flagcountry | flagu | country\ flag | abbr | tooltip | visible\ anchor | vanchor | not\ a\ typo | typo
        | resize | script | strong | em | mono | mvar | var | code | tt | kbd | keypress | nastaliq
        | rtl-lang | nq | native\ name | title | noitalic | noital | italic\ correction | bold | italic
        | proper\ name | text | nihongo | lang-.*""",
    re.VERBOSE,
)
_SAY_LAST = re.compile(r"lang|transl|transliteration|wikt-lang|script/.*|font color|color")
_CONSTANTS = {
    **dict.fromkeys(("nbsp", "space", "spaces", "thin space", "hair space"), " "),
    **dict.fromkeys(("spaced ndash", "snd", "snds", "spnd", "dash"), " – "),
    **dict.fromkeys(("ndash", "endash", "en dash"), "–"),
    **dict.fromkeys(("mdash", "emdash", "em dash", "mdashb"), "—"),
    **dict.fromkeys(("shy", "zwj", "zwsp", "wbr"), ""),
    **dict.fromkeys(("paragraph break", "pb"), BREAK),
    "bce": "BCE",
    "ce": "CE",
    "ad": "AD",
    "bc": "BC",
    "'": "'",
    "'s": "'s",
    "-'": "'",
    "' \"": "' \"",
    "\" '": "\" '",
    "=": "=",
    "\\": " / ",
    "·": " · ",
    "dot": " · ",
    "•": " • ",
    "eqm": "⇌",
    "±": "±",
    "pm": "±",
    "times": "×",
    "minus": "−",
    "°c": "°C",
}
_ACCIDENTALS = {"flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮"}
_SHIPS = ("uss", "hms", "ss", "rms", "hmas", "hmcs", "mv", "ms", "rv", "sms", "ins", "usns", "uscgc")


def render_template(content: str, language: str = "en") -> str:
    """The words that `{{content}}` stands for: "" for a silent one, `HOLE` for one whose words are not known.

    Args:
        content: between the braces, with nested templates and links rendered before.
    """
    name, *parts = content.split("|")
    name = " ".join(name.replace("_", " ").lower().split())
    name, colon, value = name.partition(":") if name.startswith("formatnum:") else (name, "", "")
    renderer = _local(language).get(name)
    if renderer is None and name in _CONSTANTS:
        return _CONSTANTS[name]
    if renderer := renderer or _renderer(name):
        return renderer(Arguments([value, *parts] if colon else parts))
    return "" if _SILENT.fullmatch(name) else HOLE


@cache
def _local(language: str) -> dict[str, Renderer]:
    """Renderers of templates that are peculiar to wikis in `language`, by name."""
    found: dict[str, Renderer] = {}
    for entry in entries("templates.toml", language):
        for kind, renderer in _KINDS.items():
            found.update(dict.fromkeys(entry.get(kind, ()), renderer))
        found.update({name: _frame(words) for name, words in entry.get("words", {}).items()})
    return found


def _renderer(name: str) -> Renderer | None:
    if name in _RENDERERS:
        return _RENDERERS[name]
    if _SAY_FIRST.fullmatch(name):
        return _first
    if name.endswith(" span"):
        return _marked
    return _last if _SAY_LAST.fullmatch(name) else None


def _first(arguments: Arguments) -> str:
    return arguments.at(0)


def _last(arguments: Arguments) -> str:
    return arguments.positional[-1] if arguments.positional else arguments.at(1)


def _second(arguments: Arguments) -> str:
    return arguments.at(1)


def _second_or_first(arguments: Arguments) -> str:
    return arguments.at(1) or arguments.at(0)


def _silent(arguments: Arguments) -> str:
    return ""


def _marked(arguments: Arguments) -> str:
    """Words that an editor has marked as doubtful."""
    return arguments.at(0) or arguments.named("text") or HOLE


def _frame(words: str) -> Renderer:
    """`{}` and `{1}` in `words` are the first two arguments."""
    return lambda arguments: words.replace("{}", arguments.at(0)).replace("{1}", arguments.at(1)).strip(" ") or words


_KINDS: dict[str, Renderer] = {
    "silent": _silent,
    "first": _first,
    "second_or_first": _second_or_first,
    "last": _last,
    "measure": measure,
    "value": QUANTITIES["val"],
}


def _two(separator: str) -> Renderer:
    return lambda arguments: separator.join(value for value in (arguments.at(0), arguments.at(1)) if value) or HOLE


def _flat_or_sharp(arguments: Arguments) -> str:
    return _ACCIDENTALS.get(arguments.at(0), HOLE)


def _quotation(arguments: Arguments) -> str:
    return f"{BREAK}{arguments.at(0) or arguments.named('text') or arguments.named('quote')}{BREAK}"


def _as_of(arguments: Arguments) -> str:
    year, month, day = (arguments.at(index) for index in range(3))
    named_month = MONTHS[int(month) - 1] if month.isdigit() and 1 <= int(month) <= len(MONTHS) else month
    start = "as of" if arguments.named("lc") else "As of"
    return " ".join(part for part in (start, day, named_month, year) if part)


def _date(arguments: Arguments) -> str:
    """`1905|2|3` to "February 3, 1905"; year alone, or year and month, as they are."""
    year, month, day = (arguments.at(index) for index in range(3))
    if not (month.isdigit() and 1 <= int(month) <= len(MONTHS)):
        return year or HOLE
    return f"{MONTHS[int(month) - 1]} {day}, {year}" if day else f"{MONTHS[int(month) - 1]} {year}"


def _circa(arguments: Arguments) -> str:
    return " – ".join(f"c. {value}" for value in arguments.positional[:2]) or "c."


def _author_and_year(arguments: Arguments) -> str:
    *authors, year = arguments.positional or [HOLE]
    return f"{' and '.join(authors)} ({year})" if authors else HOLE


def _joined(arguments: Arguments) -> str:
    return "".join(arguments.positional)


def _ship(prefix: str) -> Renderer:
    return lambda arguments: f"{prefix} {arguments.at(0)}"


_RENDERERS: dict[str, Renderer] = {
    **dict.fromkeys(("quote", "blockquote", "cquote", "quotation", "bquote", "poemquote"), _quotation),
    **QUANTITIES,
    **dict.fromkeys(("circa", "c.", "ca.", "c", "ca"), _circa),
    **dict.fromkeys(("chem", "chem2", "sic", "abbrlink", "linktext"), _joined),
    **dict.fromkeys(("harvtxt", "harvcoltxt"), _author_and_year),
    **{name: _ship(name.upper()) for name in _SHIPS},
    **dict.fromkeys(("birth date", "death date", "start date", "end date"), _date),
    "as of": _as_of,
    "langx": _second,
    "oldstyledate": _two(" "),
    **dict.fromkeys(("bibleverse", "bibleref", "bibleref2", "bible verse", "sourcetext"), _two(" ")),
    "music": _flat_or_sharp,
    "ntsh": _silent,
    "r": _silent,
}
