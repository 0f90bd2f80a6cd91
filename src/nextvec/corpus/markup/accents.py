"""Letters of which a PDF draws the accent on its own, as TeX does in its old fonts, made one character again."""

from __future__ import annotations

import re
from unicodedata import normalize

_COMBINING = {
    "\u00b4": "\u0301", "\u02c6": "\u0302", "\u02dc": "\u0303", "\u00af": "\u0304", "\u02d8": "\u0306",
    "\u02d9": "\u0307", "\u00a8": "\u0308", "\u02da": "\u030a", "\u02dd": "\u030b", "\u02c7": "\u030c",
    "\u00b8": "\u0327", "\u02db": "\u0328",
}  # fmt: skip
"""Of accents that take a space of their own, those that stand over the letter before them."""
_DOTLESS = {"\u0131": "i", "\u0237": "j"}
_ACCENTED = re.compile(f"([{''.join(_COMBINING)}])([^\\W\\d_])")
_COPYRIGHT = re.compile(r"(?<![^\W_])c(?=\u00a9)")
"""The letter that TeX draws in a circle of its own, which other fonts have as one sign with it."""


def with_accents(text: str) -> str:
    """`text` with accents that stand before their letters over them; others stay."""
    if text.isascii():
        return text
    return _ACCENTED.sub(_composed, _COPYRIGHT.sub("", text))


def _composed(match: re.Match[str]) -> str:
    accent, letter = match.groups()
    one = normalize("NFC", _DOTLESS.get(letter, letter) + _COMBINING[accent])
    return one if len(one) == 1 else match[0]
