# ruff: noqa: RUF001 (typographic dashes and signs are this file's business)
"""Templates that carry a number: it is said whole, with its uncertainty, power of ten and unit, or it is a hole."""

from __future__ import annotations

import re
from functools import partial

from nextvec.corpus.markup.arguments import HOLE, Arguments, Renderer

_SUPERSCRIPTS = str.maketrans("0123456789-−–+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁻⁺")
_SUBSCRIPTS = str.maketrans("0123456789-−–+", "₀₁₂₃₄₅₆₇₈₉₋₋₋₊")
_NUMBER = re.compile(r"[-−+]?(?:\d[\d.,]*(?:e[-+]?\d+)?|\.\d+)(?:\(\d+\))?(?:[+ ]\d+//?\d+|//?\d+)?", re.IGNORECASE)
_LAST_DIGITS = re.compile(r"\([\d.]+\)")
_CHARGE = re.compile(r"\d*[-−+]")
POWER = re.compile(r"[-−–+]?\d+")
_RANGES = {
    **dict.fromkeys(("-", "–", "−"), "–"),
    **dict.fromkeys(("to", "to(-)"), " to "),
    **dict.fromkeys(("and", "and(-)", "&"), " and "),
    **dict.fromkeys(("x", "×", "*", "xx"), " × "),
    **dict.fromkeys(("+/-", "±", "&plusmn;"), " ± "),
    **{word: f" {word} " for word in ("or", "by", "plus")},
    "+": " + ",
    ",": ", ",
    "/": "/",
}
_SYMBOLS = {
    "km2": "km²",
    "m2": "m²",
    "cm2": "cm²",
    "mm2": "mm²",
    "sqkm": "km²",
    "sqmi": "sq mi",
    "sqft": "sq ft",
    "sqin": "sq in",
    "sqyd": "sq yd",
    "cuft": "cu ft",
    "cuin": "cu in",
    "cuyd": "cu yd",
    "cumi": "cu mi",
    "USgal": "US gal",
    "impgal": "imp gal",
    "oilbbl": "bbl",
    "ST": "short tons",
    "LT": "long tons",
    "sqm": "m²",
    "m3": "m³",
    "cm3": "cm³",
    "km3": "km³",
    "C": "°C",
    "F": "°F",
    "kph": "km/h",
    "hp": "horsepower",
    "m3/s": "m³/s",
    "cuft/s": "ft³/s",
    "/km2": "per km²",
    "PD/sqkm": "per km²",
    "/sqmi": "per square mile",
    "PD/sqmi": "per square mile",
}
_UNITS = {
    "mi": ("mile", "miles"),
    "ft": ("foot", "feet"),
    "in": ("inch", "inches"),
    "yd": ("yard", "yards"),
    "lb": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "st": ("stone", "stone"),
    "acre": ("acre", "acres"),
    "t": ("tonne", "tonnes"),
    "ST": ("short ton", "short tons"),
    "LT": ("long ton", "long tons"),
    "kn": ("knot", "knots"),
    "nmi": ("nautical mile", "nautical miles"),
    "sqmi": ("square mile", "square miles"),
    "sqft": ("square foot", "square feet"),
    "sqin": ("square inch", "square inches"),
    "sqyd": ("square yard", "square yards"),
    "cuft": ("cubic foot", "cubic feet"),
    "cuin": ("cubic inch", "cubic inches"),
    "cuyd": ("cubic yard", "cubic yards"),
    "cumi": ("cubic mile", "cubic miles"),
    "USgal": ("US gallon", "US gallons"),
    "impgal": ("imperial gallon", "imperial gallons"),
    "oilbbl": ("barrel", "barrels"),
    "ly": ("light-year", "light-years"),
    **{word: (word, f"{word}s") for word in ("metre", "meter", "kilometre", "kilometer", "mile", "pound", "litre")},
}
"""Singular and plural; units that are not here are written as their symbol."""
_POWERS = {"e3": " thousand", "e6": " million", "e9": " billion", "e12": " trillion"}
_POWER_UNIT = re.compile(r"(e3|e6|e9|e12)(\D.*)")
_BOTH_SHOWN = frozenset(("", "flip", "or", "b", "comma", "sqbr", "semicolon", "slash", "br", "cited"))
"""Ways of `convert` to show the measure that it is given, not the converted one alone and no part of either."""
_CURRENCIES = {
    "US$": ("us$", "usd", "us dollar", "us dollars"),
    "€": ("euro", "eur", "€"),
    "£": ("gbp", "£", "pound sterling"),
    "¥": ("jpy", "¥", "yen", "cny", "rmb", "cn¥", "jp¥"),
    "₹": ("inr", "₹", "indian rupee", "rupee", "indian rupees"),
    "A$": ("aud", "a$", "au$"),
    "C$": ("cad", "c$", "ca$"),
    "NZ$": ("nzd", "nz$"),
    "HK$": ("hkd", "hk$"),
    "NT$": ("twd", "ntd", "nt$"),
    "R$": ("brl", "r$"),
    "₩": ("krw", "₩", "sk won"),
    "₱": ("php", "₱", "philippine peso"),
    "₽": ("rub", "₽"),
    "CHF ": ("chf",),
}
_DIGIT_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def superscript(digits: str) -> str:
    return digits.translate(_SUPERSCRIPTS)


def subscript(digits: str) -> str:
    return digits.translate(_SUBSCRIPTS)


def _convert(arguments: Arguments, short: bool = False) -> str:
    """`5|mi|km` to "5 miles", `5|-|6|km` to "5–6 km", `5|ft|6|in` to "5 feet 6 inches". What is shown in the other
    unit only is a hole: nothing is computed here."""
    adjective, short = arguments.named("adj") == "on", short or arguments.named("abbr") == "on"
    values = arguments.positional
    if arguments.named("disp") not in _BOTH_SHOWN or arguments.named("adj") not in ("", "on", "off"):
        return HOLE
    if not (values and _NUMBER.fullmatch(values[0])):
        return HOLE
    words: list[str] = []
    for index, value in enumerate(values):
        if _NUMBER.fullmatch(value):
            words.append(_number_words(value))
        elif value in _RANGES:
            words.append(_RANGES[value])
        else:
            words.append(_unit(value, "" if short else values[index - 1], adjective))
            if not _second_measure(values, index):
                return HOLE if _holds_number(values[index + 1 : -1]) else "".join(words)
            words.append(" ")
    return HOLE


def _number_words(value: str) -> str:
    """`6+1/2` to "6 1/2", `1.2e6` to "1.2×10⁶"; a sign in front stays."""
    value = value[0] + value[1:].replace("//", "/").replace("+", " ") if "/" in value else value
    digits, _, power = value.lower().partition("e")
    return f"{digits}×10{superscript(power.lstrip('+'))}" if power else value


def _holds_number(values: list[str]) -> bool:
    """Whether what follows the measure, but for the precision at the end, is more than names of units."""
    return any(_NUMBER.fullmatch(value) or value in _RANGES for value in values)


def _unit(unit: str, number: str, adjective: bool) -> str:
    if power := _POWER_UNIT.fullmatch(unit):
        return _POWERS[power[1]] + _unit(power[2], number, adjective)
    if not number or unit not in _UNITS:
        return f" {_SYMBOLS.get(unit, unit)}"
    singular, plural = _UNITS[unit]
    return f"-{singular}" if adjective else f" {singular if number == '1' else plural}"


def _second_measure(values: list[str], index: int) -> bool:
    """Whether number and unit follow the first unit, as in feet and inches; a number alone is a precision."""
    following = values[index + 1 : index + 3]
    return index == 1 and len(following) == 2 and bool(_NUMBER.fullmatch(following[0])) and following[1].isalpha()


def _fraction(arguments: Arguments) -> str:
    """`2` to "1/2", `3|4` to "3/4", `1|3|4` to "1 3/4"."""
    if not arguments.positional or arguments.beyond(3):
        return HOLE
    *whole, top, bottom = ["1", *arguments.positional] if len(arguments.positional) == 1 else arguments.positional
    return " ".join([*whole, f"{top}/{bottom}"])


def _value(arguments: Arguments) -> str:
    """`1.5|0.2|u=kg` to "1.5±0.2 kg", `1.5|0.3|0.2|e=6` to "(1.5+0.3−0.2)×10⁶", `5|-|8|u=m` to "5–8 m"."""
    values = [value for value in arguments.positional if value] or [arguments.at(0)]
    number = _ranged(values) if len(values) > 2 and values[1] in _RANGES else _with_uncertainty(values)
    return _with_power_and_unit(number, arguments) if number else HOLE


def _ranged(values: list[str]) -> str:
    return "".join(_RANGES.get(value) or _number_words(value) for value in values)


def _with_uncertainty(values: list[str]) -> str:
    number, *uncertainty = values
    if len(uncertainty) == 1 and _LAST_DIGITS.fullmatch(uncertainty[0]):
        return f"{number}{uncertainty[0]}"
    if len(values) > 3 or not all(_NUMBER.fullmatch(value.lstrip("±+-−")) for value in uncertainty):
        return ""
    if len(uncertainty) == 2:
        return f"{number}+{uncertainty[0].lstrip('+')}−{uncertainty[1].lstrip('-−')}"
    return f"{number}±{uncertainty[0].lstrip('±')}" if uncertainty else number


def _gaps(arguments: Arguments) -> str:
    """`1|234|567` to "1234567": the gaps between the groups are drawn, not written."""
    number = "".join(arguments.positional)
    return _with_power_and_unit(number, arguments) if number else HOLE


def _with_power_and_unit(number: str, arguments: Arguments) -> str:
    first, per = (arguments.named(name) or arguments.named(f"{name}l") for name in ("u", "up"))
    unit = f"{first or '1'}/{per}" if per else first
    exponent = arguments.named("e")
    if exponent:
        number = f"({number})" if re.search(r"[±+−–]", number[1:]) else number
        number += f"×10{superscript(exponent)}"
    space = "" if unit in {"%", "°", "′", "″"} else " "
    return f"{arguments.named('p')}{number}{space}{unit}{arguments.named('s')}".strip()


def measure(arguments: Arguments) -> str:
    """`9,81|m||s|-2` to "9,81 m·s⁻²": a number, then units each with its power, as wikis in Romance languages and
    Russian write it."""
    number, *rest = [*arguments.positional, "", ""]
    powers = zip(rest[::2], rest[1::2], strict=False)
    unit = "·".join(name + (superscript(power) if POWER.fullmatch(power) else "") for name, power in powers if name)
    ranged = f"{number}{''.join(word + arguments.named(name) for name, word in _TO.items() if arguments.named(name))}"
    return f"{_with_power_and_unit(ranged, arguments)} {unit}".strip() if number else HOLE


_TO = {"à": " à ", "et": " et ", "ou": " ou ", "-": "–", "±": " ± ", "×": " × "}
"""What French `unité` calls the end of a range."""


def _power_of_ten(arguments: Arguments) -> str:
    return f"×10{superscript(arguments.at(0))}" if arguments.at(0) else HOLE


def _ten_to_the(arguments: Arguments) -> str:
    return f"10{superscript(arguments.at(0))}" if arguments.at(0) else HOLE


def _number(arguments: Arguments) -> str:
    """One number with what stands before and after it; `formatnum` has a second argument that says how."""
    shown = f"{arguments.named('prefix')}{arguments.at(0)}{arguments.named('suffix')}"
    return HOLE if not arguments.at(0) or any(map(_NUMBER.fullmatch, arguments.beyond(1))) else shown


def _ordinal(arguments: Arguments) -> str:
    digits = arguments.at(0)
    if not digits.isdecimal():
        return HOLE
    teens = digits[-2:-1] == "1"
    return digits + ("th" if teens else _DIGIT_ENDINGS.get(int(digits[-1]), "th"))


def _height(arguments: Arguments) -> str:
    """`ft=6|in=1` to "6 ft 1 in", `m=1.85` to "1.85 m"."""
    parts = (f"{arguments.named(unit)} {unit}" for unit in ("m", "cm", "ft", "in") if arguments.named(unit))
    return " ".join(parts) or HOLE


def _gauge(arguments: Arguments) -> str:
    """`1435mm` to "1435 mm"; gauges by a name are a hole."""
    match = re.fullmatch(r"([\d.,]+) ?(mm|m|in|ft)", arguments.at(0))
    return f"{match[1]} {match[2]}" if match else HOLE


def _nuclide(arguments: Arguments) -> str:
    return f"{arguments.at(0)}-{arguments.at(1)}" if arguments.at(1) else HOLE


def _money(sign: str) -> Renderer:
    return lambda arguments: HOLE if arguments.beyond(1) else f"{sign}{arguments.at(0)}".strip()


def _years(before: str) -> Renderer:
    """`1200|1210` to "r. 1200–1210"."""
    return lambda arguments: f"{before} {'–'.join(arguments.beyond(0))}" if arguments.beyond(0) else HOLE


def _molecule(arguments: Arguments) -> str:
    """`SO|4|2-` to "SO4²⁻"; an isotope, which begins with two figures, is a hole."""
    parts = arguments.positional
    if not parts or sum(part.isdecimal() for part in parts[:2]) == 2:
        return HOLE
    return "".join(superscript(part) if _CHARGE.fullmatch(part) else part for part in parts)


QUANTITIES: dict[str, Renderer] = {
    "convert": _convert,
    "cvt": partial(_convert, short=True),
    **dict.fromkeys(("frac", "fraction", "sfrac"), _fraction),
    **dict.fromkeys(("nts", "num", "number", "formatnum", "format price", "digits", "commas", "numero"), _number),
    **dict.fromkeys(("10^", "10e"), _ten_to_the),
    **dict.fromkeys(("e", "x10^", "×10^", "esp"), _power_of_ten),
    **dict.fromkeys(("ordinal", "ord"), _ordinal),
    **dict.fromkeys(("railgauge", "track gauge", "rail gauge"), _gauge),
    **{name: _money(sign) for sign, names in _CURRENCIES.items() for name in names},
    "val": _value,
    "gaps": _gaps,
    "height": _height,
    "chem": _molecule,
    **dict.fromkeys(("reign", "r."), _years("r.")),
    **dict.fromkeys(("floruit", "fl.", "fl"), _years("fl.")),
    "nuclide2": _nuclide,
}
