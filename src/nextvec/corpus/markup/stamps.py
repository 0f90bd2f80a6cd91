"""Transcripts and chats in plain text: when something was said stands before it, or behind who says it, in most lines.
Times are left out, and what a chat's program tells; who speaks stays, as `Ann: What?`"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from nextvec.corpus.prose import lost

FEWEST = 3
SHARE = 0.05
"""Of the lines that are not blank; what is said may have several."""
_TIME = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,3})?(?:[ ]?[AaPp]\.?[Mm]\.?)?"
_CLOCK = r"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,3})?"
_DATE = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
_TO = r"(?:[ ]?(?:-->|->|[-\u2013\u2014])[ ]?"
_NAME = r"[^\W\d_][\w.'\u2019-]*(?:[ ][\w.'\u2019-]+){0,3}"
_SPEAKER = rf"(?:{_NAME}(?:[ ]\([^()\n]{{1,30}}\))?:|<[@+ ]?[^\s<>]{{1,30}}>)[ \t]"
_BRACKETED = rf"[\[(](?:{_DATE},?[T ][ ]?)?{_TIME}{_TO}{_TIME})?[\])]"
_STAMP = re.compile(
    rf"^[ \t\u200e]*(?:{_BRACKETED}|{_DATE},?[ T]{_TIME}(?:[ ]?[-\u2013](?=[ ]))?|{_CLOCK}{_TO}{_CLOCK})?(?=[ \t])"
    rf"|{_TIME}(?=[ \t]+(?P<before>{_SPEAKER})))[ \t]*(?:[-\u2013:][ \t]+)?",
    re.MULTILINE,
)
"""`[00:01:05]`, `12/31/20, 10:15 PM - `, `00:01:05 `, `1:05 Ann: `"""
_NAMED = re.compile(
    rf"^[ \t]*(?P<name>{_NAME})(?:[ \t]*{_BRACKETED}|[ \t]{{1,4}}{_TIME})[ \t]*(?::[ \t]*\n?|\n)[ \t]*(?=\S)",
    re.MULTILINE,
)
"""`Ann (1:05):`, `Ann  1:05` above what she says."""
_LIKE_A_STAMP = re.compile(r"^[ \t]*[\[(]\d{1,3}:\d", re.MULTILINE)
_NICK = re.compile(r"^<[@+ ]?([^\s<>]{1,30})>[ \t]+(?=\S)", re.MULTILINE)
_NOTICE = re.compile(
    r"^(?:-!-|\*{3}|-->|<--|--)[ \t][^\n]*\n?"
    r"|^(?:[^:\n]{1,40}: <Media omitted>|Messages and calls are end-to-end encrypted\.[^\n]*)\n?",
    re.MULTILINE,
)
_ANY = re.compile(r":\d\d")


def without_times(text: str) -> tuple[str, Mapping[str, int]]:
    """`text` without times and notices, and by reason the characters of these; as it is where it is no transcript. Line
    ends are newlines."""
    if not _ANY.search(text) or not _is_transcript(text):
        return text, {}
    said = _NAMED.sub(r"\g<name>: ", _STAMP.sub("", text))
    left_out = Counter({"time stamp": lost(text, said)})
    if len(_NICK.findall(said)) >= FEWEST:
        said = _NICK.sub(r"\1: ", said)
    kept = _NOTICE.sub("", said)
    left_out["notice"] = lost(said, kept)
    return kept, +left_out


def _is_transcript(text: str) -> bool:
    """Verses of the Bible have numbers like times, but not all; in a programme nobody speaks twice."""
    stamps = list(_STAMP.finditer(text))
    count = len(stamps) + sum(1 for _ in _NAMED.finditer(text))
    if count < max(FEWEST, SHARE * sum(1 for line in text.split("\n") if line.strip())):
        return False
    speakers = [stamp["before"] for stamp in stamps if stamp["before"]]
    if len(speakers) == count and len(set(speakers)) == count:
        return False
    return sum(_LIKE_A_STAMP.match(stamp[0]) is not None for stamp in stamps) == len(_LIKE_A_STAMP.findall(text))
