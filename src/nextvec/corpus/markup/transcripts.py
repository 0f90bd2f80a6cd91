"""What transcribers write into the plain text of a book: Project Gutenberg's notices around it, and brackets that say
what stood beside the text in print."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from nextvec.corpus.prose import lost, visible

NOTICE = "licence notice"
_MARK = r"^[ \t]*\*{{3}}[ \t]*{} (?:OF )?(?:THE |THIS )?PROJECT GUTENBERG E(?:BOOK|TEXT)\b[^*]*?\*{{3}}[ \t]*$"
_START = re.compile(_MARK.format("START"), re.MULTILINE | re.IGNORECASE)
_END = re.compile(
    rf"^[ \t]*End of (?:the |this )?Project Gutenberg(?:'s|\u2019s| E(?:book|text))\b|{_MARK.format('END')}",
    re.MULTILINE | re.IGNORECASE,
)
_CREDITS = re.compile(
    r"\s*(?:(?:E-text |This e-?(?:book|text) was )?(?:Produced|prepared) by\b[^\n]*(?:\n[^\n]*\S[^\n]*)*\n\s*\n)+",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"^[ \t]*\[(Illustration|Footnote|Sidenote|Transcriber['\u2019]s Note|Blank Page)\b"
    r"(?:[^\[\]]|\[[^\[\]\n]{1,200}\])*\][ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_REASONS = {"illustration": "caption", "footnote": "footnote", "sidenote": "aside"}
_EMPHASIS = re.compile(
    r"(?<![^\s(\[\"'\u2018\u201c\u2014-])_((?:\w|[\"'\u2018\u201c](?=\w))(?:[^_\n]|\n(?!\s*\n)){0,400}?)"
    r"(?<=[\w.,;:!?\"'\u2019\u201d)-])_(?![\w_])"
)


def without_notices(text: str) -> tuple[str, Mapping[str, int]]:
    """`text` without notices and bracketed remarks, and by reason the characters of these. Line ends are newlines."""
    left_out: Counter[str] = Counter()
    kept = _between_notices(text)
    if kept is not text:
        left_out[NOTICE] = lost(text, kept)
    if "[" in kept:
        kept = _BESIDE.sub(lambda match: _counted(match, left_out), kept)
    return kept, +left_out


def _counted(match: re.Match[str], left_out: Counter[str]) -> str:
    left_out[_REASONS.get(match[1].lower(), "note")] += visible(match[0])
    return ""


def _between_notices(text: str) -> str:
    start = _START.search(text) if "GUTENBERG" in text else None
    if start is None:
        return text
    body = text[start.end() :]
    end = _END.search(body)
    body = body[: end.start()] if end else body
    credits = _CREDITS.match(body)
    return body[credits.end() :] if credits else body


def without_emphasis(text: str) -> str:
    """`text` without the underscores around what was printed in italics; as it is where none are around several words,
    because one alone is as often the name of something in a program."""
    if "_" not in text or not any(" " in found for found in _EMPHASIS.findall(text)):
        return text
    return _EMPHASIS.sub(r"\1", text)
