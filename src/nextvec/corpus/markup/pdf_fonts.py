"""What the fonts of a PDF say of their spaces: for one that is missing, pypdf takes the width of another glyph.

TeX draws no spaces, it moves the pen, and a font that it made part of a file has no glyph for one. pypdf then takes
what is in the place of an ASCII space, in a composite font any glyph; where that one is wide, words run together
(py-pdf/pypdf#3978).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_SPACE = b"\n1 beginbfchar\n<FFFF> <0020>\nendbfchar\n"
"""A code that no font uses, said to be a space: it has no width, so that pypdf's own guess stands. Where a font has a
space, pypdf has found that one before."""


def name_spaces(page: Any, seen: set[int]) -> None:
    """Names a space in every font of a page, and of the forms drawn on it, that has a table of its characters.
    `seen`: what has been done already, of the same file."""
    from pypdf.errors import PyPdfError

    unreadable = (PyPdfError, ValueError, TypeError, NotImplementedError)
    for font in _fonts(page, seen):
        with suppress(*unreadable):  # its table stays as it is
            _name_space(font)


def fonts_of(holder: Any) -> Iterator[tuple[str, Any]]:
    """The fonts of a page or form, by the names that it has for them."""
    return _resources(holder, "/Font")


def _fonts(holder: Any, seen: set[int]) -> Iterator[Any]:
    """Those that are not among the seen ones, of what is drawn on the page or form as well."""
    for _, font in fonts_of(holder):
        if id(font) not in seen:
            seen.add(id(font))
            yield font
    for _, form in _resources(holder, "/XObject"):
        if id(form) not in seen:
            seen.add(id(form))
            yield from _fonts(form, seen)


def _resources(holder: Any, kind: str) -> Iterator[tuple[str, Any]]:
    named = _of(_of(holder, "/Resources"), kind)
    for name in named if isinstance(named, dict) else ():
        resource = _of(named, name)
        if isinstance(resource, dict):
            yield name, resource


def _of(holder: Any, name: str) -> Any:
    """What is there, none where it is nothing that has names."""
    return holder[name] if isinstance(holder, dict) and name in holder else None


def _name_space(font: Any) -> None:
    from pypdf.generic import DecodedStreamObject, NameObject, StreamObject

    table = _of(font, "/ToUnicode")
    if isinstance(table, StreamObject):
        named = DecodedStreamObject()
        named.set_data(table.get_data() + _SPACE)
        font[NameObject("/ToUnicode")] = named
