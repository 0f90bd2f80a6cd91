"""Signs that mean nothing where they stand, in code or in a formula, hidden from what reads them elsewhere."""

from __future__ import annotations

_FIRST = 0xFDD8
"""Of Unicode's noncharacters, up to U+FDEF; those before it mark other things on their way."""
MOST = 24


class Shield:
    """Of at most `MOST` `signs`."""

    def __init__(self, signs: str) -> None:
        self._hidden = {ord(sign): chr(_FIRST + place) for place, sign in enumerate(signs)}
        self._shown = {ord(hidden): chr(sign) for sign, hidden in self._hidden.items()}

    def hide(self, text: str) -> str:
        return text.translate(self._hidden)

    def show(self, text: str) -> str:
        return text.translate(self._shown)
