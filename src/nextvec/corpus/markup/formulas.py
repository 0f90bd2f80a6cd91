# ruff: noqa: RUF001 (mathematical signs are this file's business)
"""Formulas on one line: a fraction, power or root is not its parts side by side. MathML is that of
https://www.w3.org/TR/mathml-core."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from selectolax.lexbor import LexborNode

from nextvec.corpus.markup.quantities import POWER, superscript

Written = list[LexborNode | str]
"""Elements and signs in reading order."""

_TOKENS = "mi, mn, mo, mtext, ms"
_FRACTIONS = frozenset(("frac", "sfrac", "tion"))
"""Classes of what MediaWiki's templates make."""
_SLASHES = frozenset("/⁄")
_NO_POWERS = frozenset("′″‴'*∗†‡⊤°")


def written(node: LexborNode) -> Written | None:
    """What an element of MathML says, None where its parts follow one another or are not those that it must have."""
    if (form := _FORMS.get(node.tag or "")) is None:
        return None
    count, write = form
    parts = list(node.iter())
    return write(parts) if count in (0, len(parts)) else None


def begins_fraction(node: LexborNode, tag: str) -> bool:
    """Whether an element is a fraction or the upper part of one: after a number it needs a space."""
    if tag == "sup":
        slash = node.next
        lower = slash.next if slash is not None and slash.text().strip() in _SLASHES else None
        return lower is not None and lower.tag == "sub"
    return tag == "mfrac" or ("num" in _classes(node) and _is_in_fraction(node))


def is_slash(node: LexborNode) -> bool:
    """Whether an element is the line of a fraction, which a style draws instead."""
    return _is_in_fraction(node) and node.text().strip() in _SLASHES


def _is_in_fraction(node: LexborNode) -> bool:
    return node.parent is not None and not _FRACTIONS.isdisjoint(_classes(node.parent))


def _classes(node: LexborNode) -> list[str]:
    return (node.attributes.get("class") or "").split()


def _fraction(parts: Sequence[LexborNode]) -> Written:
    return [*_grouped(parts[:1]), "/", *_grouped(parts[1:])]


def _power(parts: Sequence[LexborNode]) -> Written:
    """The last part is the exponent; one between is an index."""
    *index, exponent = parts[1:]
    return [*_grouped(parts[:1]), *index, *_exponent(exponent)]


def _exponent(node: LexborNode) -> Written:
    text = node.text().strip()
    if text in _NO_POWERS:
        return [node]
    return [superscript(text)] if POWER.fullmatch(text) else ["^", *_grouped([node])]


def _root(parts: Sequence[LexborNode]) -> Written:
    return ["√", *_grouped(parts)]


def _nth_root(parts: Sequence[LexborNode]) -> Written:
    degree = parts[1].text().strip()
    return [superscript(degree) if POWER.fullmatch(degree) else parts[1], *_root(parts[:1])]


def _grouped(nodes: Sequence[LexborNode]) -> Written:
    """In brackets where they are several signs and have no brackets of their own."""
    text = "".join(node.text() for node in nodes).strip()
    signs = sum(len(node.css(_TOKENS)) for node in nodes)
    if signs < 2 or (text.startswith("(") and text.find(")") == len(text) - 1):
        return list(nodes)
    return ["(", *nodes, ")"]


_FORMS: dict[str, tuple[int, Callable[[Sequence[LexborNode]], Written]]] = {
    "mfrac": (2, _fraction),
    "msup": (2, _power),
    "msubsup": (3, _power),
    "munderover": (3, _power),
    "msqrt": (0, _root),
    "mroot": (2, _nth_root),
}
"""By element: the number of its parts, 0 for any."""
