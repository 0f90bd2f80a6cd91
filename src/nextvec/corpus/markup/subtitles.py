"""Subtitles (SubRip and WebVTT, often saved as .txt): what is said, without numbers, times, marks of style and what
tells of sounds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import unescape

from nextvec.corpus.prose import collapse, ends_sentence, visible

PUNCTUATED = 0.05
"""Of the lines that are said, those that end a sentence, in subtitles that have full stops at all."""
_TIME = r"(?:\d+:)?\d\d:\d\d[.,]\d{3}"
_NAME = r"(?:^[ \t]*\d+[ \t]*|(?:\A|(?<=\n\n))[^\n]+)\n"
"""A number, or whatever stands alone between a blank line and the times."""
_CUE = re.compile(rf"(?:{_NAME})?^[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}[^\n]*(?:\n|\Z)", re.MULTILINE)
_HEAD = re.compile(r"\A\ufeff?\s*(?:WEBVTT\b(?:[^\n]*\n)+?\s*(?=(?:[^\n]+\n)?[ \t]*\d[\d:.,]+[ \t]+-->))?")
_STYLE = re.compile(r"</?(?:[biucv]|font|lang|ruby|rt|\d\d)\b[^<>\n]*>|\{\\[^{}\n]*\}")
_WORD_TIME = re.compile(rf"<{_TIME}>")
_ENDS = ("]", ")", "\u266a", ":")
"""What ends a cue although it ends no sentence: sounds, songs, names of speakers."""
_DASH = re.compile(r"[-\u2013\u2014]\s*(?!\d)")
"""Begins what a speaker says."""
_ASIDE = re.compile(
    r"^(?P<dash>[-\u2013\u2014][ \t]*)?(?P<opens>[\[(])(?P<what>[^\[\]()]*)[\])](?P<alone>[ \t]*$)?[ \t]*", re.MULTILINE
)
"""`[thunder]`, `(DOOR CREAKS) Who is it?`"""


def spoken(text: str) -> tuple[str, int] | None:
    """Paragraphs of whole sentences, which may run over several cues, and the characters that told of sounds; None
    where `text` is not subtitles. Line ends are newlines."""
    body = _HEAD.sub("", text, count=1)
    if not _CUE.match(body):
        return None
    cues = list(_cues(body))
    said = [_ASIDE.sub(_without_sound, cue) for cue in cues]
    sounds = sum(map(visible, cues)) - sum(map(visible, said))
    return "\n\n".join(_sentences(line for cue in said for line in _speeches(cue))), sounds


def _cues(body: str) -> Iterable[str]:
    shown = (unescape(_STYLE.sub("", cue)).strip() for cue in _CUE.split(body))
    return _without_repeats(shown) if _WORD_TIME.search(body) else shown


def _without_sound(aside: re.Match[str]) -> str:
    """What remains of an aside: nothing of one alone on its line that is no sentence in round brackets, nor of one in
    capitals at the beginning."""
    what = aside["what"]
    alone = aside["alone"] is not None and any(map(str.isalpha, what))
    is_sound = what.isupper() or (alone and (aside["opens"] == "[" or not ends_sentence(what)))
    return aside["dash"] or "" if is_sound else aside[0]


def _speeches(cue: str) -> Iterator[str]:
    """What is said in one cue, or by each speaker of it: the first dash stands behind the end of a sentence."""
    speech: list[str] = []
    begins = _DASH.match(cue) is not None
    for line in cue.split("\n"):
        dash = _DASH.match(line)
        if dash and (begins or _is_ended(speech)):
            yield from filter(None, [collapse(" ".join(speech))])
            speech, begins, line = [], True, line[dash.end() :]
        speech.append(line)
    yield from filter(None, [collapse(" ".join(speech))])


def _is_ended(lines: Sequence[str]) -> bool:
    return not lines or ends_sentence(lines[-1]) or lines[-1].endswith(_ENDS)


def _without_repeats(cues: Iterable[str]) -> Iterator[str]:
    """Captions that roll, word by word: each cue without the lines that the one before it showed already."""
    before: list[str] = []
    for cue in cues:
        lines = [line.strip() for line in cue.split("\n") if line.strip()]
        yield "\n".join(line for line in lines if line not in before)
        before = lines or before


def _sentences(lines: Iterator[str]) -> Iterator[str]:
    """Lines joined up to the end of a sentence; as they are where hardly any ends one, as of recognised speech."""
    said, open_lines = list(lines), list[str]()
    if sum(_is_ended([line]) for line in said) < PUNCTUATED * len(said):
        yield from said
        return
    for line in said:
        open_lines.append(line)
        if _is_ended(open_lines):
            yield " ".join(open_lines)
            open_lines = []
    if open_lines:
        yield " ".join(open_lines)
