# ruff: noqa: RUF001 (quotation marks are this file's business)
"""The quotation marks that browsers show around a `q`, which are not in the page."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

_MARKS = (("“", "”"), ("‘", "’"))
_HAS_MARKS = re.compile(r"\s*[\"“”„«»‘‚‹「『]")
_DEEPEST = 8
"""What is in more was not closed; to look through each of thousands would take long."""
_BLOCKS = "p, div, ul, ol, table, h1, h2"


def quotation_marks(node: LexborNode, depth: int) -> tuple[str, str]:
    """Those of a `q` that is in `depth` others; empty where it says nothing, has its own or, never closed, holds
    blocks."""
    if depth >= _DEEPEST:
        return "", ""
    text = node.text().strip()
    if not text or _HAS_MARKS.match(text) or node.css_first(_BLOCKS) is not None:
        return "", ""
    return _MARKS[depth % 2]
