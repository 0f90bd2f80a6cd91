"""What the fonts of a PDF say of their characters, and what is known of them where they say nothing.

TeX draws no spaces, it moves the pen, and a font that it made part of a file has no glyph for one. pypdf then takes
what is in the place of an ASCII space, in a composite font any glyph; where that one is wide, words run together
(py-pdf/pypdf#3978).

A composite font may draw glyphs by their numbers and have no table of what they are (PDF 32000-1, 9.10.2). pypdf takes
the numbers for characters. Those of Adobe's collections for Chinese, Japanese and Korean are known (pdfminer.six has
them); a TrueType font that is part of the file may say which characters its glyphs are. Of others nothing is known.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from io import BytesIO
from typing import Any

from nextvec.errors import MissingDependencyError

UNKNOWN = "\ufffd"
"""For every character of which it is not known which it is."""
_SPACE = b"\n1 beginbfchar\n<FFFF> <0020>\nendbfchar\n"
"""A code that no font uses, said to be a space: it has no width, so that pypdf's own guess stands. Where a font has a
space, pypdf has found that one before."""
_ACROSS, _DOWN = "/Identity-H", "/Identity-V"
"""Names of the encodings by number, of lines from the left to the right and from above."""
_DECODED = ("/GB-EUC-", "/GBpc-EUC-", "/GBK-EUC-", "/GBK2K-", "/ETen-B5-", "/ETenms-B5-", "/90ms-RKSJ-", "/Uni")
"""Beginnings of the names of encodings that pypdf knows by itself."""
_COLLECTIONS = frozenset(("Japan1", "GB1", "CNS1", "Korea1"))
_SEEN = re.compile(r"\S")
_GLYPH_NAME = re.compile(r"/uni((?:[0-9A-F]{4})+)(?:\.(?:[0-9]+|[a-z]+[0-9]*))?")
"""Names of glyphs that are characters, of which pypdf knows those of one only, and after a dot what form they have."""


class Fonts:
    """The fonts of one file, and by the numbers of their glyphs the characters of those that have no table of them."""

    def __init__(self) -> None:
        self._done: set[int] = set()
        self._characters: dict[int, Mapping[int, str]] = {}

    def complete(self, page: Any) -> None:
        """Completes every font of a page, and of the forms drawn on it, so that pypdf knows its spaces."""
        from pypdf.errors import PyPdfError

        for font in _fonts(page, self._done):
            with suppress(PyPdfError, ValueError, TypeError, NotImplementedError):  # what it says stays as it is
                if not _says_characters(font) and (characters := _characters(font)) is not None:
                    self._characters[id(font)] = characters
                _name_space(font)

    def read(self, text: str, font: Any) -> str:
        """What pypdf read in a font: as it is, or where it read numbers, the characters that have them."""
        characters = self._characters.get(id(font))
        if characters is None:
            return _GLYPH_NAME.sub(_named, text) if "/uni" in text else text
        return _SEEN.sub(lambda sign: characters.get(ord(sign[0]), UNKNOWN), text)


def _named(name: re.Match[str]) -> str:
    return bytes.fromhex(name[1]).decode("utf-16-be", "replace")


def _says_characters(font: Any) -> bool:
    """Whether a font has a table of them, or an encoding that is one."""
    encoding = str(_of(font, "/Encoding"))
    return (
        font.get("/Subtype") != "/Type0" or "/ToUnicode" in font or encoding.startswith(_DECODED) or "UCS2" in encoding
    )


def fonts_of(holder: Any) -> Iterator[tuple[str, Any]]:
    """The fonts of a page or form, by the names that it has for them."""
    return resources(holder, "/Font")


def _fonts(holder: Any, seen: set[int]) -> Iterator[Any]:
    """Those that are not among the seen ones, of what is drawn on the page or form as well."""
    for _, font in fonts_of(holder):
        if id(font) not in seen:
            seen.add(id(font))
            yield font
    for _, form in resources(holder, "/XObject"):
        if id(form) not in seen:
            seen.add(id(form))
            yield from _fonts(form, seen)


def resources(holder: Any, kind: str) -> Iterator[tuple[str, Any]]:
    """Those of a kind that a page or form has, as /Font, by its names for them."""
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
    if isinstance(table, StreamObject) or _of(font, "/Encoding") in (_ACROSS, _DOWN):
        named = DecodedStreamObject()
        named.set_data((table.get_data() if isinstance(table, StreamObject) else b"") + _SPACE)
        font[NameObject("/ToUnicode")] = named


def _characters(font: Any) -> Mapping[int, str] | None:
    """By the numbers of its glyphs, as far as they are known; None where the numbers are those of characters, which a
    font of its own, or its map from them to glyphs, is for."""
    encoding = _of(font, "/Encoding")
    inner = next((one.get_object() for one in _of(font, "/DescendantFonts") or ()), None)
    if encoding not in (_ACROSS, _DOWN):
        return {}
    collection = str(_of(_of(inner, "/CIDSystemInfo"), "/Ordering") or "")
    if collection in _COLLECTIONS:
        return _of_collection(collection, downwards=encoding == _DOWN)
    if collection == "UCS" or _of(inner, "/CIDToGIDMap") not in (None, "/Identity"):
        return None
    file = _of(_of(inner, "/FontDescriptor"), "/FontFile2")
    return {} if file is None else _of_file(file.get_data())


@cache
def _of_collection(name: str, *, downwards: bool) -> Mapping[int, str]:
    """The glyphs of lines from above are among the others as well."""
    try:
        from pdfminer.cmapdb import CMapDB
    except ImportError:
        raise MissingDependencyError.for_extra("pdfminer.six", "documents") from None
    across, down = (CMapDB.get_unicode_map(f"Adobe-{name}", vertical).cid2unichr for vertical in (False, True))
    return {**across, **down} if downwards else {**down, **across}


def _of_file(content: bytes) -> Mapping[int, str]:
    try:
        from fontTools.ttLib import TTFont, TTLibError
    except ImportError:
        raise MissingDependencyError.for_extra("fonttools", "documents") from None
    with suppress(TTLibError, LookupError, AssertionError, AttributeError, struct.error):
        font = TTFont(BytesIO(content), lazy=True)
        return {font.getGlyphID(name): chr(code) for code, name in (font.getBestCmap() or {}).items()}
    return {}
