"""UTF-8 that somebody has read as windows-1252 or Latin-1 and saved again: `cafÃ©`, `donâ€™t`.

Nothing is guessed: such pairs of signs are written for no other reason, and only a text hardly any of whose other
characters are beyond ASCII is mended, so that one that speaks of them stays.
"""

# ruff: noqa: RUF001 (such signs are this file's business)

from __future__ import annotations

import re

_DEFINED = {bytes([code]).decode("cp1252"): code for code in {*range(0x80, 0xA0)} - {0x81, 0x8D, 0x8F, 0x90, 0x9D}}
_BYTES = {**_DEFINED, **{chr(code): code for code in range(0x80, 0x100)}}
"""By the sign that a byte beyond ASCII became: in Latin-1, and as the web has windows-1252, a control is itself."""
_NEXT = f"[{re.escape(''.join(sign for sign, code in _BYTES.items() if code < 0xC0))}]"
_BROKEN = re.compile(rf"[Â-ß]{_NEXT}|[à-ï]{_NEXT}{{2}}|[ð-ô]{_NEXT}{{3}}|â€(?:\ufffd|(?!{_NEXT}))|Ã(?= )")
"""The last two lost their last byte on the way: `”`, the one with a byte that windows-1252 does not define, and `à`,
whose no-break space became a space."""
_LOST = {"â€": "”", "â€\ufffd": "”", "Ã": "à"}
_BEGINS = re.compile(rf"[Â-ô]{_NEXT}")
_CERTAIN = re.compile(rf"[ÃÂ][¡-ª¬-º¼-¿]|â[€„‚\x80\x82\x84]{_NEXT}|ð[Ÿ\x9f]{_NEXT}|ï»¿")
"""These are met nowhere else; `Ã”` ends a shouted quotation in Portuguese, `é…»` one in French."""
_NO_CHANCE = 4
"""Pairs of another kind at least."""
_MOSTLY = 0.8
"""Of the characters beyond ASCII."""
_MOST_TIMES = 3
"""It was read wrongly."""


def without_mojibake(text: str) -> str:
    """`text` as it was before it was read in the wrong encoding, once or several times; any other as it is."""
    for _ in range(_MOST_TIMES):
        if text.isascii() or not _BEGINS.search(text) or not _is_broken(text):
            break
        text = _BROKEN.sub(_mended, text)
    return text


def _is_broken(text: str) -> bool:
    broken = [found[0] for found in _BROKEN.finditer(text) if _mended(found) != found[0]]
    if not broken or (len(broken) < _NO_CHANCE and not _CERTAIN.search(text)):
        return False
    return sum(map(len, broken)) >= _MOSTLY * sum(not sign.isascii() for sign in text)


def _mended(found: re.Match[str]) -> str:
    """A sign; what was found where its bytes are none."""
    if found[0] in _LOST:
        return _LOST[found[0]]
    try:
        return bytes(_BYTES[sign] for sign in found[0]).decode()
    except UnicodeDecodeError:
        return found[0]
