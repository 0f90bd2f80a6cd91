# ruff: noqa: RUF001 (typographic dashes and signs are this file's business)
"""The words of inline wikitext templates: `{{convert|5|km}}` is "5 km" to a reader, and a gap when it is dropped.

Three kinds: templates that stand for words, in a table of renderers; templates a reader does not need (citations,
pronunciations, requests to editors), which are silent; all others leave a `HOLE`, and the sentence around it goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable

HOLE = "\ufffc"
"""Stands where something that cannot be said in words was; OBJECT REPLACEMENT CHARACTER."""

BREAK = "\n\n"

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_NAMED = re.compile(r"\s*([\w -]*?)\s*=(.*)", re.DOTALL)
_SUPERSCRIPTS = str.maketrans("0123456789-−–+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁻⁺")
_NUMBER = re.compile(r"[-−+]?[\d.,]+(?:[+/]\d+(?:/\d+)?)?")
_RANGES = {"-": "–", "–": "–", "to": " to ", "and": " and ", "or": " or ", "x": " × ", "by": " by ", "*": " × "}
_SYMBOLS = {"km2": "km²", "m2": "m²", "cm2": "cm²", "sqkm": "km²", "m3": "m³", "km3": "km³", "C": "°C", "F": "°F"}
_UNITS = {
    "mi": ("mile", "miles"),
    "ft": ("foot", "feet"),
    "in": ("inch", "inches"),
    "yd": ("yard", "yards"),
    "lb": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "acre": ("acre", "acres"),
    "t": ("tonne", "tonnes"),
    "kn": ("knot", "knots"),
    "nmi": ("nautical mile", "nautical miles"),
    "sqmi": ("square mile", "square miles"),
    "sqft": ("square foot", "square feet"),
    "cuft": ("cubic foot", "cubic feet"),
    "cumi": ("cubic mile", "cubic miles"),
}
"""Singular and plural; units that are not here are written as their symbol."""

_SILENT = re.compile(
    r"""(?: cite | citation | cit | ref | refn | efn | sfn | sfnp | sfnm | harv | harvnb | rp | note | nb
          | notetag | cn | fact | ipa | ipac | ipalink | respell | pron | pronunciation | audio | listen | coord
          | flagicon | flagdeco | anchor | clear | clarify | clarification | when | who | whom | which | where
          | why | how | vague | dubious | disputed | update | updated | unreliable | weasel | verify
          | verification | failed | pov | or | full | better | page | pages | year | according | by | specify
          | example | examples | inflation-fn | legend | toc | reflist | use | sic | contradict | peacock
          | opinion | attribution | additional | medical | non-primary | undue | needs | original | obsolete
          | source | sources | tone | synthesis | speculation | self-published | qualify | primary | list
          | further | main | see | seealso | details | image | multiple | hatnote | short | \#tag:ref )
        (?: [- ].* | \? )?
      | .* (?: needed | inline | icon | -fn | \? )
      | -""",
    re.VERBOSE,
)
_SAY_FIRST = re.compile(
    r"""nowrap | nobr | small | smaller | big | bigger | large | larger | center | centre | linktext | lower
        | sc | smallcaps | sup | sub | angbr | angle\ bracket | nobold | ill | interlanguage\ link | flag
        | flagcountry | flagu | country\ flag | abbr | tooltip | visible\ anchor | vanchor | not\ a\ typo | typo
        | resize | script | strong | em | mono | mvar | var | code | tt | kbd | keypress | formatnum | nastaliq
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
    "euro": "€",
    "gbp": "£",
}
_SHIPS = ("uss", "hms", "ss", "rms", "hmas", "hmcs", "mv", "ms", "rv", "sms", "ins", "usns", "uscgc")


def superscript(digits: str) -> str:
    return digits.translate(_SUPERSCRIPTS)


class Arguments:
    """What follows a template's name: `at(0)` is the first positional one, `named("u")` one by name; "" if absent."""

    def __init__(self, parts: list[str]) -> None:
        self.positional: list[str] = []
        self._named: dict[str, str] = {}
        for part in parts:
            match = _NAMED.fullmatch(part)
            if match is None:
                self.positional.append(part.strip())
            else:
                self._named[match[1].lower()] = match[2].strip()

    def at(self, index: int) -> str:
        """MediaWiki also takes the first positional argument as `1=...`."""
        by_number = self._named.get(str(index + 1))
        if by_number is not None:
            return by_number
        return self.positional[index] if index < len(self.positional) else ""

    def named(self, name: str) -> str:
        return self._named.get(name, "")


Renderer = Callable[[Arguments], str]


def render_template(content: str, language: str = "en") -> str:
    """The words that `{{content}}` stands for: "" for a silent one, `HOLE` for one whose words are not known.

    Args:
        content: between the braces, with nested templates and links rendered before.
    """
    name, *parts = content.split("|")
    name = " ".join(name.replace("_", " ").lower().split())
    name, colon, value = name.partition(":") if name.startswith("formatnum:") else (name, "", "")
    if name in _CONSTANTS:
        return _CONSTANTS[name]
    if renderer := _renderer(name):
        return renderer(Arguments([value, *parts] if colon else parts))
    return "" if _SILENT.fullmatch(name) else HOLE


def _renderer(name: str) -> Renderer | None:
    if name in _RENDERERS:
        return _RENDERERS[name]
    if _SAY_FIRST.fullmatch(name):
        return _first
    return _last if _SAY_LAST.fullmatch(name) else None


def _first(arguments: Arguments) -> str:
    return arguments.at(0)


def _last(arguments: Arguments) -> str:
    return arguments.positional[-1] if arguments.positional else arguments.at(1)


def _quotation(arguments: Arguments) -> str:
    return f"{BREAK}{arguments.at(0) or arguments.named('text') or arguments.named('quote')}{BREAK}"


def _convert(arguments: Arguments) -> str:
    """`5|mi|km` to "5 miles", `5|-|6|km` to "5–6 km", `5|ft|6|in` to "5 feet 6 inches"."""
    adjective = arguments.named("adj") == "on"
    values = arguments.positional
    words: list[str] = []
    for index, value in enumerate(values):
        if _NUMBER.fullmatch(value):
            words.append(value)
        elif value in _RANGES:
            words.append(_RANGES[value])
        else:
            words.append(_unit(value, values[index - 1], adjective))
            if not _second_measure(values, index):
                break
            words.append(" ")
    return "".join(words).strip() or HOLE


def _unit(unit: str, number: str, adjective: bool) -> str:
    if unit not in _UNITS:
        return f" {_SYMBOLS.get(unit, unit)}"
    singular, plural = _UNITS[unit]
    return f"-{singular}" if adjective else f" {singular if number == '1' else plural}"


def _second_measure(values: list[str], index: int) -> bool:
    """Whether number and unit follow the first unit, as in feet and inches; a number alone is a precision."""
    following = values[index + 1 : index + 3]
    return index == 1 and len(following) == 2 and bool(_NUMBER.fullmatch(following[0])) and following[1].isalpha()


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


def _fraction(arguments: Arguments) -> str:
    """`2` to "1/2", `3|4` to "3/4", `1|3|4` to "1 3/4"."""
    if not arguments.positional:
        return HOLE
    *whole, top, bottom = ["1", *arguments.positional] if len(arguments.positional) == 1 else arguments.positional
    return " ".join([*whole, f"{top}/{bottom}"])


def _circa(arguments: Arguments) -> str:
    return " – ".join(f"c. {value}" for value in arguments.positional[:2]) or "c."


def _value(arguments: Arguments) -> str:
    exponent, unit = arguments.named("e"), arguments.named("u") or arguments.named("ul")
    power = f"×10{superscript(exponent)}" if exponent else ""
    return f"{arguments.at(0)}{power} {unit}".strip() if arguments.at(0) else HOLE


def _power_of_ten(arguments: Arguments) -> str:
    return f"×10{superscript(arguments.at(0))}"


def _author_and_year(arguments: Arguments) -> str:
    *authors, year = arguments.positional or [HOLE]
    return f"{' and '.join(authors)} ({year})" if authors else HOLE


def _joined(arguments: Arguments) -> str:
    return "".join(arguments.positional)


def _ship(prefix: str) -> Renderer:
    return lambda arguments: f"{prefix} {arguments.at(0)}"


def _dollars(arguments: Arguments) -> str:
    return f"US${arguments.at(0)}"


_RENDERERS: dict[str, Renderer] = {
    **dict.fromkeys(("quote", "blockquote", "cquote", "quotation", "bquote", "poemquote"), _quotation),
    **dict.fromkeys(("convert", "cvt"), _convert),
    **dict.fromkeys(("circa", "c.", "ca.", "c", "ca"), _circa),
    **dict.fromkeys(("frac", "fraction", "sfrac"), _fraction),
    **dict.fromkeys(("chem", "chem2"), _joined),
    **dict.fromkeys(("harvtxt", "harvcoltxt"), _author_and_year),
    **dict.fromkeys(("us$", "usd"), _dollars),
    **{name: _ship(name.upper()) for name in _SHIPS},
    **dict.fromkeys(("birth date", "death date", "start date", "end date"), _date),
    "as of": _as_of,
    "val": _value,
    "e": _power_of_ten,
}
