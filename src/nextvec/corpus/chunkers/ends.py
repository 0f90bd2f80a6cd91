"""Where sentences end: sentencex's cuts, with those it misses (missed.py) and without those it mistakes (mistaken.py).

sentencex knows abbreviations of some thirty languages and the full stops of nearly every script. What the word before a
stop alone cannot tell is decided here by what stands to both sides of it.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate

import sentencex

from nextvec.corpus.chunkers.missed import item_starts, missed_ends
from nextvec.corpus.chunkers.mistaken import is_mistaken
from nextvec.corpus.prose import is_small

_CLOSING = re.compile(r"(?:[)\]”»’』」）】⁰¹²³⁴-⁹]|\[[^\[\]\n]{1,30}\](?=\s|$)|[*†‡]{1,3}(?=\s|$)|[‘‹›](?=\s|$))+\s*")
_MAY_CLOSE = ")]”»’‘‹›』」）】⁰¹²³⁴⁵⁶⁷⁸⁹[*†‡"
_BEGINNERS = frozenset(string.ascii_letters + string.digits)
"""What nearly every sentence begins with; neither face nor citation does."""
_CLOSING_BRACKET = re.compile(r"[)\]）】]+\s*")
_FACES = re.compile(
    r"(?:[\u2600-\u27bf\u2b50\u2b55\u3030\U0001f000-\U0001faff][\ufe0f\u200d\u20e3\U000e0020-\U000e007f]*"
    r"|[:;]-?[()DPp](?=\s|$))+(?:\s+|$)"
)
"""Emoji and emoticons; after a sentence they belong to it."""
_CITATION = re.compile(r"\((?:[A-Z][^()]{1,60}[, ])?\d{4}[a-z]?(?:[,:] ?(?:pp?\. ?)?[\d–-]+)?\)\s+(?=[A-Z“\"])")
"""`(Smith, 1990)` behind the full stop of what it belongs to."""
_MAY_OPEN = '"“”„«»‚‘›‹’' + "'"
"""Apostrophes among them, with which `'Tis` and `'68` begin."""
_OPENS = re.compile(rf"\s[{_MAY_OPEN}]\Z")
_MARK = re.compile(r"\((\w{1,4})\)(?=[\s.,;:])")
"""Of a list or reference: after `(1)` sentencex sees no end to the end of the paragraph."""
_GERSHAYIM = re.compile(r"(?<=[\u05d0-\u05ea])\"(?=[\u05d0-\u05ea])")
"""In a Hebrew abbreviation, where it is no quotation mark."""
_UNREADABLE = re.compile(r"[^\S\x00-\x7f]|[\ud800-\udfff]")
"""sentencex 1.0.32 panics at a wide space between a word and a stop (`B\u3000.`), and takes no half of a surrogate
pair."""
_READ_AT_A_TIME, _UNSURE = 5_000, 1_000
"""Characters; at the end of a part, those in which a quotation may be open that closes behind it."""
_LETTER = re.compile(r"[^\W\d_]")
_CAPITAL_STARTS = re.compile(r"[.!?…][\"”»’)\]]*\s+[\"“«(\[]*[A-ZÀ-ÖØ-ÞΑ-ΩА-ЯЁ]")
_START = re.compile(r"(?:\A|[.!?…][\"”»’)\]]*\s)[\s\"“«(\[]*([^\W\d_])")


def sentence_ends(text: str, language: str) -> list[int]:
    """Where the sentences of a paragraph end, ascending, closing brackets and white space included; the last at its
    end.

    Args:
        text: one paragraph, not empty.
        language: ISO 639 code in small letters, without a region.
    """
    if language == "he":
        text = _GERSHAYIM.sub("\u05f4", text)
    uncased = _is_uncased(text)
    shown = text if text.isascii() else _UNREADABLE.sub(" ", text)
    shown = _MARK.sub(r"X\1X", shown) if "(" in shown else shown
    if uncased and _needs_capitals(language):
        shown = _with_capitals(shown)
    found = set(_after_closing(text, _segment_ends(shown, language)))
    found.update(missed_ends(text, found, language, uncased))
    certain = {len(text), *item_starts(text)}
    mistaken = {end for end in found - certain if is_mistaken(text, end, language, uncased)}
    return sorted(found - mistaken | certain)


def _segment_ends(text: str, language: str) -> Iterator[int]:
    """sentencex's cuts. From every mark on it looks for the end of the quotation, up to the end of what it is given: a
    long paragraph is given in parts, each from the last sure end of the one before."""
    start = 0
    while len(text) - start > _READ_AT_A_TIME:
        part = text[start : start + _READ_AT_A_TIME]
        ends = list(accumulate(map(len, sentencex.segment(language, part))))[:-1]
        sure = [end for end in ends if end < len(part) - _UNSURE] or ends
        yield from (start + end for end in sure)
        start += sure[-1] if sure else len(part)
    yield from (start + end for end in accumulate(map(len, sentencex.segment(language, text[start:]))))


def _after_closing(text: str, ends: Iterator[int]) -> Iterator[int]:
    faces_begin = _FACES.match(text) is not None
    for end in ends:
        if text[end : end + 1] in _MAY_CLOSE:
            closing = (_CLOSING_BRACKET if text[end - 1].isspace() else _CLOSING).match(text, end)
            end = closing.end() if closing else end
        elif text[end : end + 1] == " " and text[end - 1] == "]":
            end += 1
        if text[end : end + 1] in _BEGINNERS:
            pass
        elif not faces_begin and (faces := _FACES.match(text, end)):
            end = faces.end()
        elif citation := _CITATION.match(text, end):
            end = citation.end()
        yield end - _opens(text, end)


def _opens(text: str, end: int) -> bool:
    """Whether the last character before `end` is a quotation mark or an apostrophe that what follows begins with."""
    if text[end - 1] not in _MAY_OPEN:
        return False
    return text[end : end + 1].isalnum() and _OPENS.search(text, max(0, end - 2), end) is not None


def _is_uncased(text: str) -> bool:
    """Whether its sentences begin with small letters, the first one and all others."""
    first = _LETTER.search(text)
    return first is not None and is_small(first.group()) and not _CAPITAL_STARTS.search(text)


@lru_cache
def _needs_capitals(language: str) -> bool:
    """Whether sentencex sees the end of a sentence in that language only where a capital letter follows."""
    return len(sentencex.segment(language, "aaaa bbbb. cccc dddd")) == 1


def _with_capitals(text: str) -> str:
    """The text, of the same length, with capital letters where sentences may begin."""
    return _START.sub(lambda match: match.group()[:-1] + _capital(match[1]), text)


def _capital(letter: str) -> str:
    capital = letter.upper()
    return capital if len(capital) == 1 else letter
