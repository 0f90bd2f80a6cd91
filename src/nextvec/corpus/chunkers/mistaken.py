"""Cuts of sentencex at which no sentence ends."""

from __future__ import annotations

import re

from nextvec.corpus.chunkers.abbreviations import (
    BEFORE_ORDINALS,
    DOTTED,
    NUMBERED,
    ORDINAL_LANGUAGES,
    SHORTENED,
    STARTERS,
    TITLES,
    UNITS,
)
from nextvec.corpus.prose import is_small

_WINDOW = 40
"""Characters before a cut that are looked at."""
_LONGEST_TITLE = 16
"""Characters, of it and the space after it: what is longer is none."""
_WORD = re.compile(r"[^\W\d_]+(?=[\s,'’-])")
_NAME_IN_SMALL = re.compile(r"[a-z]{1,2}[A-Z]|\w\)\s")
"""iPhone, eBay: written so wherever they stand; `b)` begins an item of a list."""
_DASH = re.compile(r"(?:[–—]\s+|—)([^\W\d_])")
_PARTICLE = re.compile(r"と(?!ても|ころ|き|にかく|もだち)|って|など|なんて|[をがの]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_DOUBLE_INITIAL = re.compile(r"(?:\w\.-)+\w")
_WEB = re.compile(r"://|www\.")
_ORDINAL = re.compile(r"\d{1,3}|[IVXLC]+")
_OPENING = "\"'([{“‘«„"
_CLOSING = "\"')]}”’»"
_WAVERING = "!?…"


def is_mistaken(text: str, cut: int, language: str, uncased: bool) -> bool:
    """Whether the sentence before `cut` goes on after it.

    Args:
        text: one paragraph.
        cut: after its first and before its last character, behind the white space if there is any.
        language: ISO 639 code in small letters, without a region.
        uncased: sentences of the paragraph begin with small letters.
    """
    if not text[cut - 1].isspace():
        return _inside_token(text, cut)
    first = text[cut]
    if first.isupper() and language != "de":
        return _is_title(text, cut)
    before = text[max(0, cut - _WINDOW) : cut].split()
    if first in "&–—":
        return text.startswith("& ", cut) or _dash_goes_on(text, cut)
    if is_small(first) and _NAME_IN_SMALL.match(text, cut):
        return False
    if not before[-1].endswith("."):
        return is_small(first) and _small_goes_on(before[-1][-1], uncased)
    word = before[-1].lstrip(_OPENING)[:-1]
    if is_small(first):
        return _small_belongs(before, word, language, uncased)
    if first.isdecimal():
        return word in NUMBERED
    return _is_title(text, cut) or (language == "de" and _is_german_ordinal(before))


def _is_title(text: str, cut: int) -> bool:
    """Whether the last word before the cut is a title (`Ft.`) or initials (`J.-P.`) of the name after it."""
    word = text[max(0, cut - _LONGEST_TITLE) : cut].rsplit(None, 1)[-1].lstrip(_OPENING)
    if not word.endswith(".") or not (word[:-1] in TITLES or ("-" in word and _DOUBLE_INITIAL.fullmatch(word[:-1]))):
        return False
    return text[cut : cut + _WINDOW].split()[0] not in STARTERS


def _is_german_ordinal(before: list[str]) -> bool:
    """Of the words `before` a capital letter: `im 19. Jahrhundert`."""
    return (
        len(before) > 1
        and before[-2].lower() in BEFORE_ORDINALS
        and before[-1][:-1].isdecimal()
        and len(before[-1]) < 5
    )


def _inside_token(text: str, cut: int) -> bool:
    """Where no space follows: inside a name or number, or two sentences that touch (`He left.She came.`)."""
    mark, first = text[cut - 1], text[cut]
    if mark in "」』":
        return _PARTICLE.match(text, cut) is not None
    if mark in _CLOSING:
        return is_small(first) or _dash_goes_on(text, cut) or _HANGUL.match(first) is not None
    if mark not in ".!?":
        return False
    token = text[max(0, cut - _WINDOW) : cut].rsplit(None, 1)[-1]
    if _WEB.search(token):
        return True
    return mark == "." and (
        first in "-–" or first.isdecimal() or (first.isalpha() and not _touch(token[:-1], text, cut))
    )


def _touch(word: str, text: str, cut: int) -> bool:
    """Whether a sentence ends with `word`, and another begins at `cut` without a space between."""
    if text[cut].lower() == text[cut].upper():
        return len(word) > 1 and word not in TITLES
    following = _WORD.match(text, cut)
    if following is None or not following.group().istitle():
        return False
    if word.endswith((*_CLOSING, "..")) or following.group() in STARTERS:
        return True
    word = word.lstrip(_OPENING)
    return len(word) > 1 and word.isalpha() and word.islower()


def _dash_goes_on(text: str, cut: int) -> bool:
    after = _DASH.match(text, cut)
    return after is not None and is_small(after[1])


def _small_goes_on(mark: str, uncased: bool) -> bool:
    """After a number, a quotation's end or `Stop!` a small letter goes on; after the last only in a cased text."""
    return mark.isalnum() or mark in _CLOSING or (mark in _WAVERING and not uncased)


def _small_belongs(before: list[str], word: str, language: str, uncased: bool) -> bool:
    """Whether a small letter goes on after the full stop of `word`, the last of the words `before`."""
    if not word or word.endswith("."):  # the last of an ellipsis
        return not uncased
    is_ordinal = language in ORDINAL_LANGUAGES and _ORDINAL.fullmatch(word) is not None
    shortened = word in SHORTENED or DOTTED.fullmatch(word) is not None
    return is_ordinal or shortened or UNITS.search(" ".join(before[-2:])) is not None
