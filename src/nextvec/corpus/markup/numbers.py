# ruff: noqa: RUF001 (typographic dashes and signs are this file's business)
"""Templates that carry numbers: a number is said whole, with its range, uncertainty and unit, or it is a hole."""

from __future__ import annotations

import re
from collections.abc import Callable

from nextvec.corpus.markup.arguments import HOLE, Arguments

_SUPERSCRIPTS = str.maketrans("0123456789-−–+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁻⁺")
_NUMBER = re.compile(
    r"(?P<sign>[-−–+]?)(?P<whole>[\d][\d,.\u00a0\u2009 ]*?|\.\d+)?(?:e(?P<power>[-−+]?\d+))?"
    r"(?:(?(whole)[+⁄])(?P<top>\d+)//?(?P<bottom>\d+))?",
    re.IGNORECASE,
)
_RANGES = {
    **{"-": "–", "–": "–", "to": " to ", "to(-)": " to ", "to about": " to about ", "_": " "},
    **{"and": " and ", "and(-)": " and ", "or": " or ", "or(-)": " or ", "and/or": " and/or ", "by": " by "},
    **{"x": " × ", "×": " × ", "*": " × ", "xx": " × ", "±": " ± ", "+/-": " ± ", "+/−": " ± ", "+": " + "},
    **{",": ", ", ", and": ", and ", ", or": ", or ", "till": " till ", "through": " through "},
}
_SYMBOLS = {"km2": "km²", "m2": "m²", "cm2": "cm²", "sqkm": "km²", "m3": "m³", "km3": "km³", "C": "°C", "F": "°F"}
_UNITS = {
    "mi": ("mile", "miles"),
    "ft": ("foot", "feet"),
    "foot": ("foot", "feet"),
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
_POWERS = {"e3": "thousand", "e6": "million", "e9": "billion", "e12": "trillion", "e15": "quadrillion"}
_UNIT = re.compile(r"(e(?:3|6|9|12|15))?((?:[^\W\d_]|[°'\"$%£€¥Ωµ′″‰])[^\s|,;()]*|°)")
_SECOND = {"ft": "in", "foot": "in", "yd": "ft", "mi": "yd chain furlong ft", "st": "lb", "lb": "oz", "acre": "rood"}
"""Units that a smaller one may follow, as in feet and inches."""
_SHOWN_AS_GIVEN = {"", "flip", "or", "b", "comma", "sqbr", "semicolon", "slash", "br", "x", "cited"}
_TOUCHES = ("%", "°", "′", "″", "‰", "'", '"')
_PRECISION = re.compile(r"[-−]?\d{1,2}")


def superscript(digits: str) -> str:
    return digits.translate(_SUPERSCRIPTS)


def number_words(value: str) -> str:
    """`6+1/2` to "6 1/2", `1.2e6` to "1.2×10⁶", other numbers as they are; "" for what is no number."""
    match = _NUMBER.fullmatch(value)
    if match is None or not (match["whole"] or match["top"]):
        return ""
    power = f"×10{superscript(match['power'].lstrip('+'))}" if match["power"] else ""
    fraction = f"{match['top']}/{match['bottom']}" if match["top"] else ""
    return match["sign"] + " ".join(filter(None, [f"{match['whole'] or ''}{power}", fraction]))


def convert(arguments: Arguments) -> str:
    """`5|mi|km` to "5 miles", `5|-|6|km` to "5–6 km", `5|ft|6|in` to "5 feet 6 inches"."""
    if arguments.named("disp") not in _SHOWN_AS_GIVEN or arguments.named("adj") not in ("", "on", "off", "mid"):
        return HOLE
    words, rest = _measure(arguments.positional, arguments.named("adj") in ("on", "mid"))
    if not words or any(number_words(value) or value in _RANGES for value in rest[:-1]):
        return HOLE
    if arguments.named("adj") == "mid" and rest and not rest[-1][:1].isalnum():
        return words + rest[-1]
    return words if _says_nothing(rest) else HOLE


def _says_nothing(rest: list[str]) -> bool:
    """Whether what follows the measure is units to convert to, and the precision of that."""
    return not rest or bool(_PRECISION.fullmatch(rest[-1])) or not number_words(rest[-1])


def _measure(values: list[str], adjective: bool) -> tuple[str, list[str]]:
    """A number or a range of them with its unit, and a smaller unit with its number; what follows; "" if malformed."""
    words = [number_words(values[0])] if values else []
    position = 1
    while position + 1 < len(values) and values[position] in _RANGES and number_words(values[position + 1]):
        words += [_RANGES[values[position]], number_words(values[position + 1])]
        position += 2
    unit = values[position] if position < len(values) else ""
    if not all(words) or unit in _RANGES or not (said := _unit(unit, words[-1:], adjective)):
        return "", []
    smaller = values[position + 1 : position + 3]
    if len(smaller) == 2 and number_words(smaller[0]) and smaller[1] in _SECOND.get(unit, "").split():
        return "".join([*words, said, " ", *_with_unit(smaller, adjective)]), values[position + 3 :]
    return "".join([*words, said]), values[position + 1 :]


def _with_unit(measure: list[str], adjective: bool) -> list[str]:
    number = number_words(measure[0])
    return [number, _unit(measure[1], [number], adjective)]


def _unit(unit: str, number: list[str], adjective: bool) -> str:
    """The unit with what joins it to its number; "" for what is no unit."""
    match = _UNIT.fullmatch(unit)
    if match is None or not number:
        return ""
    power = f" {_POWERS[match[1]]}" if match[1] else ""
    if match[2] not in _UNITS:
        return f"{power}{'' if match[2].startswith(_TOUCHES) else ' '}{_SYMBOLS.get(match[2], match[2])}"
    singular, plural = _UNITS[match[2]]
    return f"{power}-{singular}" if adjective else f"{power} {singular if number == ['1'] and not power else plural}"


def value(arguments: Arguments) -> str:
    """`1.5|0.2|e=3|u=kg` to "(1.5±0.2)×10³ kg", `1|+2|-3` to "1 (+2, −3)", `1|-|2|u=m` to "1–2 m"."""
    number = _with_uncertainty(arguments.positional)
    if not number or arguments.more_than(4, *_VALUE_NAMES):
        return HOLE
    exponent = arguments.named("e")
    if exponent:
        number = f"({number})" if len(arguments.positional) > 1 else number
        number = f"{number}×10{superscript(exponent)}"
    return f"{arguments.named('p')}{number}{arguments.named('s')}{_value_unit(arguments)}"


_VALUE_NAMES = ("u", "ul", "up", "upl", "e", "p", "s", "fmt")


def _with_uncertainty(values: list[str]) -> str:
    """The number with what is said of its exactness, or the range; "" for anything else."""
    match values:
        case [number] if number_words(number):
            return number_words(number)
        case [number, error] if number_words(number) and re.fullmatch(r"\([\d.]+\)", error):
            return f"{number}{error}"
        case [number, error] if number_words(number) and number_words(error):
            return f"{number}±{error.lstrip('±')}"
        case [low, sign, high] if sign in _RANGES and number_words(low) and number_words(high):
            return f"{low}{_RANGES[sign]}{high}"
        case [number, above, below] if all(map(number_words, (number, above, below))):
            return f"{number} (+{above.lstrip('+')}, −{below.lstrip('-−')})"
        case _:
            return ""


def _value_unit(arguments: Arguments) -> str:
    unit, per = arguments.named("u", "ul"), arguments.named("up", "upl")
    said = f"{_SYMBOLS.get(unit, unit)}{'/' if per else ''}{_SYMBOLS.get(per, per)}"
    return said if not said or said.startswith(_TOUCHES) else f" {said}"


def number(arguments: Arguments) -> str:
    """One number, with what is written before and after it; a hole with anything more."""
    if not arguments.at(0) or arguments.more_than(1, "1", "prefix", "suffix", "format", "debug", "r"):
        return HOLE
    return f"{arguments.named('prefix')}{arguments.at(0)}{arguments.named('suffix')}"


def formatted(arguments: Arguments) -> str:
    """formatnum: the second argument says how, never what."""
    return arguments.at(0) or HOLE


def measure(arguments: Arguments) -> str:
    """`1234|km` to "1234 km": a number and its unit, as several languages have it."""
    if not arguments.at(0) or arguments.more_than(2, "u", "ul", "um"):
        return HOLE
    unit = arguments.at(1) or arguments.named("u", "ul", "um")
    return arguments.at(0) if not unit else f"{arguments.at(0)}{'' if unit.startswith(_TOUCHES) else ' '}{unit}"


def unite(arguments: Arguments) -> str:
    """French `unité`: `12|km` to "12 km", `3|e=8|m||s|-1` to "3×10⁸ m s⁻¹", `12|à=15|km` to "12 à 15 km"."""
    numbers, exponent = arguments.at(0), arguments.named("e")
    if not numbers or arguments.more_than(99, "1", "e", *_UNITE_RANGES):
        return HOLE
    for name, word in _UNITE_RANGES.items():
        numbers += f"{word}{arguments.named(name)}" if arguments.named(name) else ""
    power = f"×10{superscript(exponent)}" if exponent else ""
    units = arguments.positional[1:]
    pairs = zip(units[::2], [*units[1::2], ""], strict=False)
    return " ".join([numbers + power, *(f"{unit}{superscript(raised)}" for unit, raised in pairs if unit)])


_UNITE_RANGES = {"à": " à ", "et": " et ", "ou": " ou ", "-": "–", "±": " ± ", "×": " × "}


def gaps(arguments: Arguments) -> str:
    """`1|234|567` to "1234567": one number, written in groups."""
    if not arguments.positional or arguments.more_than(99, "u", "e", "lhs"):
        return HOLE
    before = f"{arguments.named('lhs')} = " if arguments.named("lhs") else ""
    power = f"×10{superscript(arguments.named('e'))}" if arguments.named("e") else ""
    return f"{before}{''.join(arguments.positional)}{power}{_value_unit(arguments)}"


def fraction(arguments: Arguments) -> str:
    """`2` to "1/2", `3|4` to "3/4", `1|3|4` to "1 3/4"."""
    match arguments.positional:
        case [bottom]:
            return f"1/{bottom}"
        case [top, bottom]:
            return f"{top}/{bottom}"
        case [whole, top, bottom]:
            return f"{whole} {top}/{bottom}"
        case _:
            return HOLE


def ordinal(arguments: Arguments) -> str:
    """`21` to "21st"."""
    digits = arguments.at(0)
    if not digits.isdecimal() or arguments.more_than(1, "1", "sup"):
        return HOLE
    teen = int(digits) % 100 in (11, 12, 13)
    return digits + ("th" if teen else {"1": "st", "2": "nd", "3": "rd"}.get(digits[-1], "th"))


def power_of_ten(sign: str) -> Callable[[Arguments], str]:
    return lambda arguments: f"{sign}10{superscript(arguments.at(0))}" if arguments.at(0) else HOLE


def power(arguments: Arguments) -> str:
    base, exponent = arguments.at(0), arguments.at(1)
    return f"{base}{superscript(exponent)}" if base and exponent.lstrip("-−").isdecimal() else HOLE


def money(symbol: str) -> Callable[[Arguments], str]:
    """`1.5 million` to "US$1.5 million"; the symbol alone without an amount."""
    return lambda arguments: f"{symbol}{arguments.at(0)}" if not arguments.more_than(1, *_MONEY_NAMES) else HOLE


_MONEY_NAMES = ("1", "link", "long", "lk", "nolink", "no link", "abbr", "name")


def years(before: str) -> Callable[[Arguments], str]:
    """`1187|1190` to "c. 1187 – c. 1190" or, with another word before it, "r. 1187–1190"; "c." alone without a year."""

    def say(arguments: Arguments) -> str:
        known = [year for year in arguments.positional if year]
        if arguments.more_than(2, "lk", "link", "1", "2") or (not known and before != "c."):
            return HOLE
        if before == "c.":
            return " – ".join(f"c. {year}" for year in known) or before
        return f"{before} {'–'.join(known)}"

    return say


def height(arguments: Arguments) -> str:
    """`m=1.80` to "1.80 m", `ft=6|in=2` to "6 ft 2 in"."""
    if arguments.more_than(0, "m", "cm", "ft", "in", "precision", "frac", "abbr", "wiki", "link"):
        return HOLE
    said = [f"{arguments.named(unit)} {unit}" for unit in ("m", "cm", "ft", "in") if arguments.named(unit)]
    return " ".join(said) or HOLE
