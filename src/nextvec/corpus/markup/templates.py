# ruff: noqa: RUF001 (typographic dashes and signs are this file's business)
"""The words of inline wikitext templates: `{{convert|5|km}}` is "5 km" to a reader, and a gap when it is dropped.

Three kinds: templates that stand for words, in a table of renderers; templates a reader does not need (citations,
pronunciations, requests to editors), which are silent; all others leave a `HOLE`, and the sentence around it goes.
Names are English; what a wiki calls its own templates in other languages is in `wikis.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from nextvec.corpus.markup import numbers
from nextvec.corpus.markup.arguments import HOLE, Arguments

BREAK = "\n\n"

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_SILENT = re.compile(
    r"""(?: cite | citation | cit | ref | refn | efn | sfn | sfnp | sfnm | harv | harvnb | rp | note | nb
          | notetag | cn | fact | ipa | ipac | ipalink | respell | pron | pronunciation | audio | listen | coord
          | flagicon | flagdeco | anchor | clear | clarification | vague | dubious | disputed | updated
          | unreliable | weasel | verify | verification | failed | pov | specify | inflation-fn | legend | toc
          | reflist | use | contradict | peacock | opinion | attribution | additional | medical | non-primary
          | undue | needs | tone | synthesis | speculation | self-published | qualify | further | main | see
          | seealso | details | multiple | hatnote | short | \#tag:ref | ntsh | hs | dtsh | sfnref | update\ (?:after|inline|section) )
        (?: [- ].* | \? )?
      | .* (?: needed | inline | icon | -fn | \? )
      | -""",
    re.VERBOSE,
)
_SILENT_ALONE = re.compile(
    r"""(?: clarify | when | who | whom | which | where | why | how | update | or | full | better | page | pages | year
          | according | by | example | examples | source | sources | list | primary | image | original | obsolete )
        (?: [- ].* )?""",
    re.VERBOSE,
)
"""Requests to editors that are words of a text as well: silent unless something is handed to them."""
_SAY_FIRST = re.compile(
    r"""nowrap | nobr | small | smaller | big | bigger | large | larger | center | centre | linktext
        | sc | smallcaps | angbr | angle\ bracket | nobold | flag | vr | avoid\ wrap
        | flagcountry | flagu | country\ flag | abbr | tooltip | visible\ anchor | vanchor | not\ a\ typo | typo
        | strong | em | mono | mvar | var | code | tt | kbd | keypress | nq | title | noitalic | noital | italic\ correction | bold | italic
        | proper\ name | text | lang-.*""",
    re.VERBOSE,
)
_SAY_LAST = re.compile(r"lower|resize|nastaliq|script/.*|font color|color")
_SAY_IN_LANGUAGE = re.compile(r"lang|langx|transl|transliteration|wikt-lang|rtl-lang|script|native name")
_CONSTANTS = {
    **dict.fromkeys(("nbsp", "space", "spaces", "thin space", "thinsp", "hair space", "hairsp"), " "),
    **dict.fromkeys(("spaced ndash", "snd", "snds", "spnd", "spaced en dash", "dash"), " – "),
    **dict.fromkeys(("ndash", "endash", "en dash", "nsndns"), "–"),
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
    '-"': '"',
    "' \"": "' \"",
    "\" '": "\" '",
    "=": "=",
    "\\": " / ",
    "·": " · ",
    "dot": " · ",
    "•": " • ",
    "eqm": "⇌",
}
_MONEY = {
    **dict.fromkeys(("us$", "usd"), "US$"),
    **dict.fromkeys(("a$", "aud", "au$"), "A$"),
    **dict.fromkeys(("c$", "cad", "ca$", "can$"), "C$"),
    **dict.fromkeys(("nz$", "nzd"), "NZ$"),
    **dict.fromkeys(("hk$", "hkd"), "HK$"),
    **dict.fromkeys(("s$", "sgd"), "S$"),
    **dict.fromkeys(("gbp", "£", "pound sterling"), "£"),
    **dict.fromkeys(("euro", "eur", "€"), "€"),
    **dict.fromkeys(("jpy", "¥", "yen"), "¥"),
    **dict.fromkeys(("inr", "₹", "indian rupee"), "₹"),
}
_SHIPS = ("uss", "hms", "ss", "rms", "hmas", "hmcs", "mv", "ms", "rv", "sms", "ins", "usns", "uscgc")
_ACCIDENTALS = {"flat": "♭", "sharp": "♯", "natural": "♮", "b": "♭", "#": "♯"}
_SILENT_FUNCTIONS = ("defaultsort", "displaytitle", "sortierung", "ordenar", "сортировка", "сортування", "cledetri")
_NO_TEMPLATES: Mapping[str, str] = MappingProxyType({})

Renderer = Callable[[Arguments], str]


def render_template(content: str, local_names: Mapping[str, str] = _NO_TEMPLATES) -> str:
    """The words that `{{content}}` stands for: "" for a silent one, `HOLE` for one whose words are not known.

    Args:
        content: between the braces, with nested templates and links rendered before.
        local_names: what the wiki's own names are in English.
    """
    written, *parts = content.split("|")
    name = " ".join(written.replace("_", " ").lower().split())
    name, colon, value = name.partition(":") if ":" in name and not name.startswith("#") else (name, "", "")
    name = local_names.get(name, name)
    if colon:
        return _function(name, [value, *parts])
    if name == "=name":
        return written.strip()
    if name in _CONSTANTS:
        return HOLE if any(parts) and _CONSTANTS[name].isalpha() else _CONSTANTS[name]
    if renderer := _renderer(name):
        return renderer(Arguments(parts))
    return "" if _is_silent(name, parts) else HOLE


def _function(name: str, parts: list[str]) -> str:
    if name == "formatnum":
        return numbers.formatted(Arguments(parts))
    return "" if name in _SILENT_FUNCTIONS else HOLE


def _is_silent(name: str, parts: list[str]) -> bool:
    if _SILENT_ALONE.fullmatch(name):
        return not any(Arguments(parts).positional)
    return _SILENT.fullmatch(name) is not None


def _renderer(name: str) -> Renderer | None:
    if name in _RENDERERS:
        return _RENDERERS[name]
    if _SAY_FIRST.fullmatch(name):
        return _first
    if _SAY_IN_LANGUAGE.fullmatch(name):
        return _after_code
    return _last if _SAY_LAST.fullmatch(name) else None


def _first(arguments: Arguments) -> str:
    return arguments.at(0) or arguments.named("text") or ("" if arguments.positional else HOLE)


def _first_if_any(arguments: Arguments) -> str:
    return arguments.at(0)


def _last(arguments: Arguments) -> str:
    return arguments.positional[-1] if arguments.positional else HOLE


def _after_code(arguments: Arguments) -> str:
    """The words that follow a language's code."""
    words = arguments.positional[-1] if len(arguments.positional) > 1 else arguments.at(1)
    return words or arguments.named("text") or HOLE


def _or_before(index: int) -> Renderer:
    """The argument at `index`, or the one before it where that is empty."""
    return lambda arguments: arguments.at(index) or arguments.at(index - 1)


def _quotation(arguments: Arguments) -> str:
    return f"{BREAK}{arguments.at(0) or arguments.named('text', 'quote')}{BREAK}"


def _as_of(arguments: Arguments) -> str:
    if arguments.named("alt"):
        return arguments.named("alt")
    year, month, day = (arguments.at(index) for index in range(3))
    named_month = MONTHS[int(month) - 1] if month.isdigit() and 1 <= int(month) <= len(MONTHS) else month
    start = "since" if arguments.named("since") else "as of"
    start = start if arguments.named("lc") else start.capitalize()
    return " ".join(part for part in (start, day, named_month, year) if part) + arguments.named("post")


def _date(arguments: Arguments) -> str:
    """`1905|2|3` to "February 3, 1905"; year alone, or year and month, as they are."""
    year, month, day = (arguments.at(index) for index in range(3))
    if any(arguments.positional[3:]):
        return HOLE
    if not (month.isdigit() and 1 <= int(month) <= len(MONTHS)):
        return HOLE if month or day else year or HOLE
    return f"{MONTHS[int(month) - 1]} {day}, {year}" if day else f"{MONTHS[int(month) - 1]} {year}"


def _author_and_year(arguments: Arguments) -> str:
    *authors, year = arguments.positional or [HOLE]
    return f"{' and '.join(authors)} ({year})" if authors else HOLE


def _molecule(arguments: Arguments) -> str:
    """`SO|4|2-` to "SO4²⁻"; isotopes, which begin with two numbers, are a hole."""
    if sum(part.isdecimal() for part in arguments.positional[:2]) == 2:
        return HOLE
    charged = [_charge(part) for part in arguments.positional]
    return "".join(charged) or HOLE


def _charge(part: str) -> str:
    return numbers.superscript(part) if part and part[-1] in "+-−" and part[:-1].strip("0123456789") == "" else part


def _ship(prefix: str) -> Renderer:
    """`Hornet|CV-8` to "USS Hornet (CV-8)"; a third argument says which parts are shown: 2 the name, 3 and 6 no number."""

    def say(arguments: Arguments) -> str:
        name, number, shown = (arguments.at(index) for index in range(3))
        if shown not in ("", "2", "3", "6") or not name:
            return HOLE
        full = name if shown == "2" else f"{prefix} {name}"
        return f"{full} ({number})" if number and not shown else full

    return say


def _any_ship(arguments: Arguments) -> str:
    prefix, *rest = arguments.positional or [""]
    return _ship(prefix)(Arguments(rest)).strip() if rest else HOLE


def _nihongo(arguments: Arguments) -> str:
    """`Tokyo Tower|東京タワー|Tōkyō tawā` to "Tokyo Tower (東京タワー, Tōkyō tawā)"."""
    english, *others = (arguments.at(index) for index in range(4))
    after = f" {arguments.at(4)}" if arguments.at(4) else ""
    inside = ", ".join(filter(None, others))
    return (f"{english} ({inside})" if english and inside else english or inside) + after


def _interlanguage_link(arguments: Arguments) -> str:
    return arguments.named("lt", "display", "texte", "trad") or arguments.at(0)


def _french_link(arguments: Arguments) -> str:
    return arguments.named("texte", "fr") or arguments.at(0) or arguments.named("trad")


def _sort_name(arguments: Arguments) -> str:
    return f"{arguments.at(0)} {arguments.at(1)}".strip()


def _between(before: str, after: str) -> Renderer:
    return lambda arguments: f"{before}{arguments.at(0)}{after}" if arguments.at(0) else ""


def _before(word: str) -> Renderer:
    return lambda arguments: f"{word} {arguments.at(0)}" if not arguments.more_than(1, "1") else HOLE


def _siglo(arguments: Arguments) -> str:
    """Spanish `XIX||s` to "siglo XIX"."""
    century, era, shown, *rest = [*arguments.positional, "", "", ""]
    return f"siglo {century}" if century and not era and shown in ("", "s", "S") and not any(rest) else HOLE


def _joined(arguments: Arguments) -> str:
    return "".join(arguments.positional)


def _raised(tag: str) -> Renderer:
    return lambda arguments: f"<{tag}>{arguments.at(0)}</{tag}>"


def _siecle(arguments: Arguments) -> str:
    """French `XIX|e` to "XIXe siècle"."""
    return f"{arguments.at(0)}{arguments.at(1)} siècle" if not arguments.more_than(2) and arguments.at(1) else HOLE


def _date_in_order(arguments: Arguments) -> str:
    """French `1|janvier|1900` to "1 janvier 1900"; what it is a date in (art, sport) is not shown."""
    parts = [part for part in arguments.positional[:3] if part]
    return " ".join(parts) if parts and parts[-1][-1:].isalnum() else HOLE


def _hour(arguments: Arguments) -> str:
    hour, minute, *rest = [*arguments.positional, "", ""]
    return f"{hour} h {minute}".strip() if hour and not any(rest) else HOLE


def _accidental(arguments: Arguments) -> str:
    return _ACCIDENTALS.get(arguments.at(0), HOLE)


def _reading(arguments: Arguments) -> str:
    return f"{arguments.at(0)}（{arguments.at(1)}）" if arguments.at(1) else arguments.at(0)


_RENDERERS: dict[str, Renderer] = {
    **dict.fromkeys(("quote", "blockquote", "cquote", "quotation", "bquote", "poemquote"), _quotation),
    **dict.fromkeys(("convert", "cvt"), numbers.convert),
    **dict.fromkeys(("circa", "c.", "ca.", "c", "ca"), numbers.years("c.")),
    **dict.fromkeys(("floruit", "fl.", "fl"), numbers.years("fl.")),
    **dict.fromkeys(("reign", "r."), numbers.years("r.")),
    **dict.fromkeys(("frac", "fraction", "sfrac"), numbers.fraction),
    **dict.fromkeys(("ordinal", "ord"), numbers.ordinal),
    **dict.fromkeys(("nts", "number table sorting", "num", "dts"), numbers.number),
    **dict.fromkeys(("e", "esp", "x10^"), numbers.power_of_ten("×")),
    **dict.fromkeys(("gaps", "gapnum"), numbers.gaps),
    **dict.fromkeys(("birth date", "death date", "start date", "end date"), _date),
    **dict.fromkeys(("ill", "interlanguage link", "ill2", "interlanguage link multi", "illm"), _interlanguage_link),
    **dict.fromkeys(("nihongo", "nihongo2"), _nihongo),
    **dict.fromkeys(("harvtxt", "harvcoltxt"), _author_and_year),
    **{name: _ship(name.upper()) for name in _SHIPS},
    **{name: numbers.money(symbol) for name, symbol in _MONEY.items()},
    **{word: _before(word) for word in ("M.", "Mme", "Mlle", "Mgr", "Dr", "n°", "p.", "século")},
    "10^": numbers.power_of_ten(""),
    "as of": _as_of,
    "chem": _molecule,
    "chem2": _first,
    "date in order": _date_in_order,
    "formatnum": numbers.formatted,
    "height": numbers.height,
    "heure": _hour,
    "lien": _french_link,
    "measure": numbers.measure,
    "music": _accidental,
    "pow": numbers.power,
    "ship": _any_ship,
    "sic": _joined,
    "siglo": _siglo,
    "siècle": _siecle,
    "sort": _or_before(1),
    "sortname": _sort_name,
    "sub": _raised("sub"),
    "sup": _raised("sup"),
    "unité": numbers.unite,
    "val": numbers.value,
    "« »": _between("« ", " »"),
    "（）": _reading,
    "=1": _first_if_any,
    "=last": _last,
    "=2 or 1": _or_before(1),
    "=3 or 2": _or_before(2),
}
