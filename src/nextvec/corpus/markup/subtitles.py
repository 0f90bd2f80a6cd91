"""Subtitles (SubRip and WebVTT, often saved as .txt): what is said, without numbers, times and marks of style."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape

from nextvec.corpus.prose import collapse, ends_sentence

_TIME = r"(?:\d+:)?\d\d:\d\d[.,]\d{3}"
_NAME = r"(?:^[ \t]*\d+[ \t]*|(?:\A|(?<=\n\n))[^\n]+)\n"
"""A number, or whatever stands alone between a blank line and the times."""
_CUE = re.compile(rf"(?:{_NAME})?^[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}[^\n]*(?:\n|\Z)", re.MULTILINE)
_HEAD = re.compile(r"\A\ufeff?\s*(?:WEBVTT\b(?:[^\n]*\n)+?\s*(?=(?:[^\n]+\n)?[ \t]*\d[\d:.,]+[ \t]+-->))?")
_STYLE = re.compile(r"</?(?:[biucv]|font|lang|ruby|rt|\d\d)\b[^<>\n]*>|\{\\[^{}\n]*\}")
_WORD_TIME = re.compile(rf"<{_TIME}>")
_ENDS = ("]", ")", "\u266a", ":")
"""What ends a cue although it ends no sentence: sounds, songs, names of speakers."""
_SPEAKER = re.compile(r"^-\s*", re.MULTILINE)


def spoken(text: str) -> str | None:
    """Paragraphs of whole sentences, which may run over several cues; None where `text` is not subtitles. Line ends
    are newlines."""
    cues = _HEAD.sub("", text, count=1)
    return "\n\n".join(_sentences(_lines(cues))) if _CUE.match(cues) else None


def _lines(cues: str) -> Iterator[str]:
    """What is said in one cue, or by one speaker of it."""
    shown = (unescape(_STYLE.sub("", cue)).strip() for cue in _CUE.split(cues))
    for said in _without_repeats(shown) if _WORD_TIME.search(cues) else shown:
        parts = _SPEAKER.split(said) if said.startswith("-") else [said]
        yield from filter(None, map(collapse, parts))


def _without_repeats(cues: Iterable[str]) -> Iterator[str]:
    """Captions that roll, word by word: each cue without the lines that the one before it showed already."""
    before: list[str] = []
    for cue in cues:
        lines = [line.strip() for line in cue.split("\n") if line.strip()]
        yield "\n".join(line for line in lines if line not in before)
        before = lines or before


def _sentences(lines: Iterator[str]) -> Iterator[str]:
    open_lines: list[str] = []
    for line in lines:
        open_lines.append(line)
        if ends_sentence(line) or line.endswith(_ENDS):
            yield " ".join(open_lines)
            open_lines = []
    if open_lines:
        yield " ".join(open_lines)
