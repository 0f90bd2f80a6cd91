"""Formulas of Word on one line, as they are written in a sentence: E = mc², (a+b)/2, √x."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

from nextvec.corpus.markup.quantities import subscript, superscript
from nextvec.corpus.markup.word_names import attribute, child, name_of

_NUMBER = re.compile(r"[+\-\u2212]?\d{1,3}")


def linear(element: Element | None) -> str:
    """What it says in reading order; powers, fractions, roots and brackets, which are no text, are written out."""
    if element is None:
        return ""
    name = name_of(element)
    if name == "m:t":
        return element.text or ""
    return _WRITTEN.get(name, _joined)(element)


def _joined(element: Element) -> str:
    return "".join(map(linear, element))


def _part(element: Element, name: str) -> str:
    return linear(child(element, f"m:{name}"))


def _setting(element: Element, name: str, otherwise: str) -> str:
    """A sign of which its properties say that it is another one."""
    given = attribute(child(child(element, f"{name_of(element)}Pr"), f"m:{name}"), "val")
    return otherwise if given is None else given


def _grouped(text: str) -> str:
    return text if text.isalnum() or text[:1] == "(" else f"({text})"


def _scripts(element: Element) -> str:
    """What stands below and above, after what they belong to."""
    return _below(_part(element, "sub")) + _above(_part(element, "sup"))


def _above(text: str) -> str:
    if _NUMBER.fullmatch(text):
        return superscript(text)
    return text and f"^{_grouped(text)}"


def _below(text: str) -> str:
    if _NUMBER.fullmatch(text):
        return subscript(text)
    return text and f"_{_grouped(text)}"


def _based(element: Element) -> str:
    return _part(element, "e") + _scripts(element)


def _fraction(element: Element) -> str:
    return f"{_grouped(_part(element, 'num'))}/{_grouped(_part(element, 'den'))}"


def _root(element: Element) -> str:
    return f"{_above(_part(element, 'deg')).lstrip('^')}√{_grouped(_part(element, 'e'))}"


def _bracketed(element: Element) -> str:
    within = _setting(element, "sepChr", "|").join(linear(one) for one in element if name_of(one) == "m:e")
    return _setting(element, "begChr", "(") + within + _setting(element, "endChr", ")")


def _summed(element: Element) -> str:
    return f"{_setting(element, 'chr', '∫')}{_scripts(element)} {_part(element, 'e')}"


def _function(element: Element) -> str:
    """sin x, but sin(x + y)."""
    argument = _part(element, "e")
    return _part(element, "fName") + ("" if argument.startswith("(") else " ") + argument


def _rows(element: Element) -> str:
    """Of a matrix, or of equations one below the other."""
    return "; ".join(filter(None, map(linear, element)))


def _row(element: Element) -> str:
    return ", ".join(map(linear, element))


_WRITTEN: dict[str, Callable[[Element], str]] = {
    **dict.fromkeys(("m:sSup", "m:sSub", "m:sSubSup"), _based),
    "m:f": _fraction, "m:rad": _root, "m:d": _bracketed, "m:nary": _summed, "m:func": _function,
    "m:m": _rows, "m:eqArr": _rows, "m:mr": _row,
}  # fmt: skip
