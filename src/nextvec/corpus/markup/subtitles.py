"""Subtitles (SubRip and WebVTT, often saved as .txt): what is said, without numbers, times and marks of style."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nextvec.corpus.prose import collapse, ends_sentence

_TIME = r"(?:\d+:)?\d\d:\d\d[.,]\d{3}"
_NAME = r"(?:^[ \t]*\d+[ \t]*|(?:\A|(?<=\n\n))[^\n]+)\n"
"""A number, or whatever stands alone between a blank line and the times."""
_CUE = re.compile(rf"(?:{_NAME})?^[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}[^\n]*(?:\n|\Z)", re.MULTILINE)
_HEAD = re.compile(r"\A\ufeff?\s*(?:WEBVTT\b(?:[^\n]*\n)+?\s*(?=(?:[^\n]+\n)?[ \t]*\d[\d:.,]+[ \t]+-->))?")
_STYLE = re.compile(r"</?(?:[biucv]|font|lang|ruby|rt|\d\d)\b[^<>\n]*>|\{\\[^{}\n]*\}")
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
    for cue in _CUE.split(cues):
        said = _STYLE.sub("", cue).strip()
        parts = _SPEAKER.split(said) if said.startswith("-") else [said]
        yield from filter(None, map(collapse, parts))


def _sentences(lines: Iterator[str]) -> Iterator[str]:
    open_lines: list[str] = []
    for line in lines:
        open_lines.append(line)
        if ends_sentence(line) or line.endswith(_ENDS):
            yield " ".join(open_lines)
            open_lines = []
    if open_lines:
        yield " ".join(open_lines)
