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
          | notetag | cn | fact | ipa | ipac | ipalink | respell | pron | pronunciation | audio | listen
          | flagicon | flagdeco | anchor | clear | clarify | clarification | when | who | whom | which | where | why
          | vague | dubious | disputed | updated
          | unreliable | weasel | verify | verification | failed | pov | specify | inflation-fn | legend | toc
          | reflist | use | contradict | peacock | opinion | attribution | additional | medical | non-primary
          | undue | needs | refnest | tone | synthesis | speculation | self-published | qualify
          | further | main | see | seealso | details | multiple | hatnote | short | \#tag:ref
          | update\ (?:after|inline|section) )
        (?: [- ].* | \? )?
      | .* (?: needed | inline | icon | -fn | \? )
      | -""",
    re.VERBOSE,
)
_SILENT_ALONE = re.compile(
    r"""(?: how | update | or | full | better | page | pages | year
          | according | by | example | examples | source | sources | list | primary | image | original | obsolete )
        (?: [- ].* )?""",
    re.VERBOSE,
)
"""Words to editors that are words of a text as well: silent unless something is handed to them."""
_SAY_FIRST = re.compile(
    r"""nowrap | nobr | small | smaller | big | bigger | large | larger | center | centre
        | sc | smallcaps | angbr | angle\ bracket | nobold | flag
        | flagcountry | flagu | country\ flag | abbr | tooltip | visible\ anchor | vanchor | not\ a\ typo | typo
        | strong | em | mono | math | mvar | var | code | tt | kbd | keypress | nq | title
        | noitalic | noital | italic\ correction | bold | italic
        | proper\ name | text | lang-.*""",
    re.VERBOSE,
)
_SAY_LAST = re.compile(r"lower|resize|nastaliq|script/.*|font color|color")
_SAY_IN_LANGUAGE = re.compile(r"lang|langx|transl|transliteration|wikt-lang|rtl-lang|script|native name")
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
_FUNCTIONS = ("formatnum:", "defaultsort:", "displaytitle:")
_ACCIDENTALS = {"flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮"}
_STYLES = frozenset(("e", "s", "S"))
_LEVELS = {
    **{f"DE-{name.upper()}": f"ü. {name}" for name in ("NHN", "NN", "HN")},
    **dict.fromkeys(("DE", "DE-NHN"), "ü. NHN"),
    **dict.fromkeys(("AT", "AT-ADRIA"), "ü. A."),
    **dict.fromkeys(("CH", "LI"), "ü. M."),
    "IT": "s.l.m.",
    "FR": "ü. NGF",
}
"""Which level of the sea heights of a country are told from, in German."""
_SHIPS = ("uss", "hms", "ss", "rms", "hmas", "hmcs", "mv", "ms", "rv", "sms", "ins", "usns", "uscgc")


def render_template(content: str, language: str = "en") -> str:
    """The words that `{{content}}` stands for: "" for a silent one, `HOLE` for one whose words are not known.

    Args:
        content: between the braces, with nested templates and links rendered before.
    """
    name, *parts = content.split("|")
    name = " ".join(name.replace("_", " ").lower().split())
    name = name.removeprefix("template:").lstrip()
    name, colon, value = name.partition(":") if name.startswith(_FUNCTIONS) else (name, "", "")
    renderer = _local(language).get(name)
    if renderer is None and name in _CONSTANTS:
        return HOLE if any(parts) and _CONSTANTS[name].isalpha() else _CONSTANTS[name]
    if renderer := renderer or _renderer(name):
        return renderer(Arguments([value, *parts] if colon else parts))
    return "" if _is_silent(name, parts) else HOLE


def _is_silent(name: str, parts: list[str]) -> bool:
    return bool(_SILENT.fullmatch(name) or (_SILENT_ALONE.fullmatch(name) and not any(Arguments(parts).positional)))


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
    if _SAY_IN_LANGUAGE.fullmatch(name):
        return _after_code
    return _last if _SAY_LAST.fullmatch(name) else None


def _first(arguments: Arguments) -> str:
    """Nothing where that is given and empty; a hole where only names are given."""
    return arguments.at(0) or arguments.named("text") or ("" if arguments.positional else HOLE)


def _first_or_nothing(arguments: Arguments) -> str:
    return arguments.at(0)


def _last(arguments: Arguments) -> str:
    return arguments.positional[-1] if arguments.positional else arguments.at(1) or HOLE


def _after_code(arguments: Arguments) -> str:
    """The words that follow the code of their language."""
    words = arguments.positional[-1] if len(arguments.positional) > 1 else arguments.at(1)
    return words or arguments.named("text") or HOLE


def _in_order(arguments: Arguments) -> str:
    """French `date`: `1|janvier|1900|en sport` to "1 janvier 1900"; what it is a date of is not shown."""
    return " ".join(filter(None, arguments.positional[:3])) or HOLE


def _second_or_first(arguments: Arguments) -> str:
    return arguments.at(1) or arguments.at(0)


def _height(arguments: Arguments) -> str:
    """`312|DE-NHN` to "312 m ü. NHN"; without what is not known to be above what."""
    level = _LEVELS.get(arguments.at(1).upper(), "")
    return f"{arguments.at(0)} m {level}".strip() if arguments.at(0) else HOLE


def _silent(arguments: Arguments) -> str:
    return ""


def _coordinates(arguments: Arguments) -> str:
    """They are said where they stand, unless only at the top of the page."""
    return "" if arguments.named("display") in ("title", "t") else HOLE


def _marked(arguments: Arguments) -> str:
    """Words that an editor has marked as doubtful."""
    return arguments.at(0) or arguments.named("text") or HOLE


def _frame(words: str) -> Renderer:
    """`{}`, `{1}` and so on in `words` are the arguments, of which the last may be missing."""
    shown = words.count("{")

    def say(arguments: Arguments) -> str:
        lacks = not all(map(arguments.at, range(1, shown - 1)))
        if lacks or not all(map(_is_style, arguments.beyond(shown))):
            return HOLE
        said = words.replace("{}", arguments.at(0))
        for place in range(1, shown):
            said = said.replace(f"{{{place}}}", arguments.at(place))
        return said.strip(" ") or words

    return say


def _is_style(argument: str) -> bool:
    """Whether an argument says how a template looks, or with which suffix; a figure or an era is said."""
    return argument in _STYLES or (len(argument) > 1 and not any(map(str.isdigit, argument)))


_SHOWN = ("texte", "fr", "نص", "عر")
"""What a link to another language's article calls the name that it is to have, in French and Arabic."""
_KINDS: dict[str, Renderer] = {
    "silent": _silent,
    "first": _first_or_nothing,
    "date": _in_order,
    "link": lambda arguments: arguments.named(*_SHOWN) or arguments.at(0) or arguments.named("trad") or HOLE,
    "second_or_first": _second_or_first,
    "height": _height,
    "last": _last,
    "measure": measure,
    "value": QUANTITIES["val"],
    "convert": QUANTITIES["convert"],
}


def _two(separator: str) -> Renderer:
    return lambda arguments: separator.join(value for value in (arguments.at(0), arguments.at(1)) if value) or HOLE


def _flat_or_sharp(arguments: Arguments) -> str:
    return _ACCIDENTALS.get(arguments.at(0), HOLE)


def _quotation(arguments: Arguments) -> str:
    return f"{BREAK}{arguments.at(0) or arguments.named('text') or arguments.named('quote')}{BREAK}"


def _as_of(arguments: Arguments) -> str:
    if alternative := arguments.named("alt"):
        return alternative
    year, month, day = (arguments.at(index) for index in range(3))
    named_month = MONTHS[int(month) - 1] if month.isdigit() and 1 <= int(month) <= len(MONTHS) else month
    start = "since" if arguments.named("since") else "as of"
    start = start if arguments.named("lc") else start.capitalize()
    return " ".join(part for part in (start, day, named_month, year) if part) + arguments.named("post")


def _date(arguments: Arguments) -> str:
    """`1905|2|3` to "February 3, 1905"; year alone, or year and month, as they are."""
    year, month, day = (arguments.at(index) for index in range(3))
    if arguments.beyond(3):
        return HOLE
    if not (month.isdigit() and 1 <= int(month) <= len(MONTHS)):
        return HOLE if month or day else year or HOLE
    return f"{MONTHS[int(month) - 1]} {day}, {year}" if day else f"{MONTHS[int(month) - 1]} {year}"


def _date_and_age(arguments: Arguments) -> str:
    """The date alone: how long ago that is changes from day to day."""
    return _date(Arguments(arguments.positional[:3]))


def _circa(arguments: Arguments) -> str:
    return HOLE if arguments.beyond(2) else " – ".join(f"c. {value}" for value in arguments.beyond(0)) or "c."


def _author_and_year(arguments: Arguments) -> str:
    *authors, year = arguments.positional or [HOLE]
    return f"{' and '.join(authors)} ({year})" if authors else HOLE


def _joined(arguments: Arguments) -> str:
    return "".join(arguments.positional)


def _ship(prefix: str) -> Renderer:
    """`Hornet|CV-8` to "USS Hornet (CV-8)"; a third argument says what is shown: 2 the name, 3 and 6 no number."""

    def say(arguments: Arguments) -> str:
        name, number, shown = (arguments.at(index) for index in range(3))
        if shown not in ("", "2", "3", "6") or not name:
            return HOLE
        full = name if shown == "2" else f"{prefix} {name}"
        return f"{full} ({number})" if number and not shown else full

    return say


def _nihongo(arguments: Arguments) -> str:
    """`Tokyo Tower|東京タワー|Tōkyō tawā` to "Tokyo Tower (東京タワー, Tōkyō tawā)"."""
    english, *others, after = (arguments.at(index) for index in range(5))
    inside = ", ".join(filter(None, others))
    return " ".join(filter(None, [english, f"({inside})" if english and inside else inside, after])) or HOLE


def _interlanguage_link(arguments: Arguments) -> str:
    return arguments.named("lt", "display") or arguments.at(0) or HOLE


def _raised(tag: str) -> Renderer:
    """Left to what reads tags, which knows what stands before."""
    return lambda arguments: f"<{tag}>{arguments.at(0)}</{tag}>" if arguments.at(0) else HOLE


_RENDERERS: dict[str, Renderer] = {
    **dict.fromkeys(("quote", "blockquote", "cquote", "quotation", "bquote", "poemquote"), _quotation),
    **QUANTITIES,
    **dict.fromkeys(("circa", "c.", "ca.", "c", "ca"), _circa),
    **dict.fromkeys(("chem2", "sic", "abbrlink", "linktext"), _joined),
    **dict.fromkeys(("ill", "interlanguage link", "ill2", "interlanguage link multi"), _interlanguage_link),
    **dict.fromkeys(("nihongo", "nihongo2"), _nihongo),
    **dict.fromkeys(("defaultsort", "displaytitle"), _silent),
    "sup": _raised("sup"),
    "sub": _raised("sub"),
    **dict.fromkeys(("sort", "w"), _second_or_first),
    "sortname": _two(" "),
    **dict.fromkeys(("harvtxt", "harvcoltxt"), _author_and_year),
    **{name: _ship(name.upper()) for name in _SHIPS},
    **dict.fromkeys(("birth date", "death date", "start date", "end date"), _date),
    **dict.fromkeys(("birth date and age", "death date and age", "start date and age"), _date_and_age),
    "as of": _as_of,
    "coord": _coordinates,
    "oldstyledate": _two(" "),
    **dict.fromkeys(("bibleverse", "bibleref", "bibleref2", "bible verse", "sourcetext"), _two(" ")),
    "music": _flat_or_sharp,
    "ntsh": _silent,
    "r": _silent,
}
