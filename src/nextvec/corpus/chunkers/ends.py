"""Where sentences end: sentencex's cuts, with those it misses (missed.py) and without those it mistakes (mistaken.py).

sentencex knows abbreviations of some thirty languages and the full stops of nearly every script. What the word before a
stop alone cannot tell is decided here by what stands to both sides of it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import accumulate

import sentencex

from nextvec.corpus.chunkers.missed import missed_ends
from nextvec.corpus.chunkers.mistaken import is_mistaken
from nextvec.corpus.prose import is_small

_CLOSING = re.compile(r"(?:[)\]”»’』」）】⁰¹²³⁴-⁹]|\[[^\[\]\n]{1,30}\](?=\s|$))+\s*")
_MAY_CLOSE = ")]”»’』」）】⁰¹²³⁴⁵⁶⁷⁸⁹["
_CLOSING_BRACKET = re.compile(r"[)\]）】]+\s*")
_WIDE_SPACE = re.compile(r"[^\S\x00-\x7f]")
"""sentencex 1.0.32 panics at one between a word and a stop: `B\u3000.`"""
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
    uncased = _is_uncased(text)
    shown = text if text.isascii() else _WIDE_SPACE.sub(" ", text)
    if uncased and _needs_capitals(language):
        shown = _with_capitals(shown)
    ends = accumulate(map(len, sentencex.segment(language, shown)))
    found = {_after_closing(text, end) if text[end : end + 1] in _MAY_CLOSE else end for end in ends}
    found.update(missed_ends(text, found, uncased))
    return [end for end in sorted(found) if end == len(text) or not is_mistaken(text, end, language, uncased)]


def _after_closing(text: str, end: int) -> int:
    closing = (_CLOSING_BRACKET if text[end - 1].isspace() else _CLOSING).match(text, end)
    return closing.end() if closing else end


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
