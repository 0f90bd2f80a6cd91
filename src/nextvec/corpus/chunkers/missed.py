"""Ends of sentences that sentencex does not see."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator
from functools import cached_property
from itertools import accumulate, chain

from nextvec.corpus.chunkers.abbreviations import (
    DOTTED,
    LIST_ENDS,
    MEASURES,
    NAME_PARTICLES,
    NEVER_LAST,
    NUMBERED,
    SHORTENED,
    UNITS,
    WHOLE,
    WITH_LETTERS,
)
from nextvec.corpus.chunkers.words import words as words_of
from nextvec.corpus.prose import is_small

_WINDOW = 40
"""Characters before a stop that are looked at."""
_SHORTEST_CLAUSE = 24
"""Characters: in Thai and Lao a space ends a sentence or a clause, and after fewer often only an item of a list."""

_STOP = re.compile(r"\.(?:[\"”»’]?\d{1,3}(?:[,–-]\d{1,3})*)?\s+(?=[¿¡]?[^\W\d_])")
_ELLIPSIS = re.compile(r"…\s+(?=[^\W\d_])")
_WORD = re.compile(r"[^\W\d_]+")
_CONTRACTED = re.compile(r"[.!?]\s+(?=['’‘](?:[stnk]\s[A-Z]|T(?:is|was|were|il)\b))")
"""`'s Avonds`, `'Tis`: a sentence begins with the apostrophe."""
_FIRST_ITEM = re.compile(r"\s*\(?([1a])[.)]\s+(?=[^\W\d_])")
_ITEM = re.compile(r"(?<=\s)\(?(\d{1,2}|[b-z])[.)]\s+(?=[^\W\d_])")
_ANSWERED = re.compile(r"[.!?…][”»]\s+(?=[“«])")
_BOTH = ("’”", "”’", "'\"", "\"'")
_SHOUTED = re.compile(r"[!?]{3,}\s+(?=I\b)")
"""`Wow!!! I love it.`: sentencex takes three marks for an ellipsis."""
_NESTED = re.compile(rf"[.!?…](?:{'|'.join(_BOTH)})\s+(?=[“‘\"]?[^\W\d_])")
"""Two quotations that close at once: `“He said ‘no.’” She left.`"""
_FACE = re.compile(r"\s[:;]-?[()DP]\s+(?=([^\W\d_]+))")
_AGREED = ("OK", "Ok")
_RATE = re.compile(r"[^\W\d_]/(?:[^\W\d_]{0,2}[^\W\d_A-KM-Z])\Z|I/O\Z")
"""`120 km/h`, `bbl/d`"""
_CAPITALS = re.compile(r"(?:[^\W\d_]{1,2}\.-?)+[^\W\d_]{1,2}")
_ROMAN = re.compile(r"[IVXLC]{2,}")
_DEGREES = re.compile(r"(?:[°º]\s?|\b(?:Grad|gradi|grados|graus|degrés)\s)[CF]\Z")
_MEASURED = re.compile(r"\d\s?[mgl]\Z|\b\d{3}\s[CF]\Z")
"""`5 m`, `350 F`"""
_VARIABLES = frozenset("xyzthk")
_BRACKETED = re.compile(r"[(（\[][^()（）\[\]]*[.!?…。！？][)）\]]\s*(?=\S)")
_STOPS = ".!?…。！？"
_QUOTATION_MARK = re.compile(r"[“”«»\"]")
_DEEPER = {"“": 1, "«": 1, "”": -1, "»": -1}
_GOING_ON = ".,;:!?)。，"
_SPEECH = re.compile(r"\.\s+(?=(?:“|(?<=\s)\")([A-Z][\w’']*)[^“”\"\n]*[,.?!…—-][”\"])")
"""After a full stop: what is said, and its last mark before the quotation's."""
_OTHER = re.compile(r"[。！？｡\u037e\u0e01-\u0edf\u0f0d\u0f0e\u1361\u17d4\u17d5]")
_OTHER_STOP = re.compile(
    r"(?:[\u037e\u0f0d\u0f0e\u17d4\u17d5]+|\u1361{2,})[\"”»]*\s*|(?<![。！？｡])[。！？｡]+(?=[0-9a-z])"
)
"""From the first of a run on: from every one of them takes the square of the time."""
EAST_ASIAN_ELLIPSIS = re.compile(
    r"(?<=[了吧呢啊吗嗎呀啦嘛])(?:…+|\.{3,})(?=[他她它我你您咱])"
    r"|(?<=[\u3040-\u30ff\u4e00-\u9fff])(?:…+|\.{3,})(?=まあ|しかし|でも、|だが、|いや、|はい、|うん、)"
)
"""Between a particle that ends sentences and a pronoun (`他走了……我笑了`), or before a word that begins one."""
_THAI_SPACE = re.compile(r"(?<=[\u0e01-\u0edf])\s+(?=[\u0e01-\u0edf])")


def missed_ends(text: str, found: Collection[int], language: str, uncased: bool) -> Iterator[int]:
    """Ends of sentences in the paragraph `text` beside those `found` so far; like them, none between quotation marks.

    uncased: sentences of the paragraph begin with small letters.
    """
    stops = chain(_after_stops(text, found, language, uncased), _after_brackets(text, found))
    quotations = _Quotations(text)
    marked = chain(_before_marks(text), _before_speeches(text, language))
    for end in chain(stops, _after_ellipses(text, language), marked, _after_faces(text, language)):
        if not quotations.is_open(end):
            yield end
    if not text.isascii() and _OTHER.search(text):
        yield from (stop.end() for stop in _OTHER_STOP.finditer(text))
        yield from _after_east_asian_ellipses(text, quotations)
        yield from _clauses(text)


def _after_stops(text: str, found: Collection[int], language: str, uncased: bool) -> Iterator[int]:
    for stop in _STOP.finditer(text):
        if stop.end() in found or not (words := text[max(0, stop.start() - _WINDOW) : stop.start()].split()[-2:]):
            continue
        is_noted = not text[stop.start() + 1].isspace()
        if _has_note(text, stop, words[-1]) if is_noted else _is_end(text, stop, words, language, uncased):
            yield stop.end()


def _is_end(text: str, stop: re.Match[str], words: list[str], language: str, uncased: bool) -> bool:
    """Before a capital letter `plan B.` or an enumeration (`etc.`) ends, before a small one a word like `no`."""
    if is_small(text[stop.end()]):
        return uncased and words[-1] in WHOLE
    if (
        words == ["No"]
        or words[-1] in _AGREED
        or words[-1] in words_of("whole", language)
        or _RATE.search(words[-1])
        or _DEGREES.search(" ".join(words))
        or not LIST_ENDS.isdisjoint((words[-1], "".join(words)))
        or _is_letter_of_noun(words)
    ):
        return True
    following = _WORD.match(text, stop.end() + (text[stop.end()] in "¿¡"))
    if following is None or (len(following[0]) == 1 and text.startswith(".", following.end())):
        return False  # an initial
    return _may_begin(following[0], words, language)


def _may_begin(following: str, words: list[str], language: str) -> bool:
    """Whether the word after the stop begins a sentence, which then ends with what the stop shortens."""
    if (language == "en" and words[-1] == "no") or (language != "de" and _is_measure(" ".join(words))):
        return len(following) > 1 and not following.isupper()
    if following not in words_of("starters", language):
        return False
    if language != "en" and (_is_in_capitals(words[-1]) or _ROMAN.fullmatch(words[-1])):
        return following not in NAME_PARTICLES
    return _may_be_last(words[-1], language) or "".join(words) in words_of("last", language)


def _is_in_capitals(word: str) -> bool:
    """`É.-U`, `EE.UU`, and initials: before a name's particle they cannot be told from `S.A`."""
    return len(word) > 1 and word.isupper() and word not in NEVER_LAST and _CAPITALS.fullmatch(word) is not None


def _is_measure(words: str) -> bool:
    return UNITS.search(words + ".") is not None or _MEASURED.search(words) is not None or words.split()[-1] in MEASURES


def _may_be_last(word: str, language: str) -> bool:
    if language != "en":
        return word in words_of("last", language)
    return word in _VARIABLES or (len(word) > 1 and word not in NEVER_LAST and DOTTED.fullmatch(word) is not None)


def item_starts(text: str) -> Iterator[int]:
    """Before the items of a list on one line, which begins with the first: `1. One thing 2. Another thing`."""
    first = _FIRST_ITEM.match(text)
    if first is None:
        return
    number = ord(first[1])
    for item in _ITEM.finditer(text, first.end()):
        if item[1] in (chr(number + 1), str(number + 1 - ord("0"))):
            number += 1
            yield item.start()


def _before_marks(text: str) -> Iterator[int]:
    """Before an apostrophe that a sentence begins with, between two speeches, and after `!!!`."""
    if " '" in text or " ’" in text or " ‘" in text:
        yield from (stop.end() for stop in _CONTRACTED.finditer(text))
    if " I" in text and ("!!" in text or "??" in text):
        yield from (stop.end() for stop in _SHOUTED.finditer(text))
    if "” “" in text or "» «" in text:
        yield from (stop.end() for stop in _ANSWERED.finditer(text))
    if any(map(text.__contains__, _BOTH)):
        yield from (stop.end() for stop in _NESTED.finditer(text) if not is_small(text[stop.end()]))


def _before_speeches(text: str, language: str) -> Iterator[int]:
    """After what is shortened and may be a sentence's last word: `in the U.S. “It is cold,” she said.`"""
    if language != "en" or (". “" not in text and '. "' not in text):
        return
    for stop in _SPEECH.finditer(text):
        words = text[max(0, stop.start() - _WINDOW) : stop.start()].split()[-2:]
        in_brackets = text.count("(", 0, stop.end()) > text.count(")", 0, stop.end())
        if words and not in_brackets and _may_precede_speech(words, stop[1]):
            yield stop.end()


def _may_precede_speech(words: list[str], following: str) -> bool:
    """Not after titles and initials: `Dr. “Bones,” as they said`, `Knuth, D.E. “The art,” 1968`."""
    word = words[-1]
    if word == "no" or not LIST_ENDS.isdisjoint((word, "".join(words))):
        return True
    if len(word) == 1 or word in SHORTENED or word in NEVER_LAST:
        return False
    is_name = word.isupper() and DOTTED.fullmatch(word) is not None
    return not is_name or (not words[0].endswith(",") and following in words_of("starters", "en"))


def _after_ellipses(text: str, language: str) -> Iterator[int]:
    """Where a capital letter follows; in German, where nouns have one, a word that begins sentences; never `I`."""
    if "…" not in text:
        return
    for stop in _ELLIPSIS.finditer(text):
        word = _WORD.match(text, stop.end())
        if word is None or not word[0][0].isupper() or (language == "en" and word[0] == "I"):
            continue
        if language != "de" or word[0] in words_of("starters", language):
            yield stop.end()


def _after_faces(text: str, language: str) -> Iterator[int]:
    """`She did too :) They left.`"""
    if " :" in text or " ;" in text:
        yield from (face.end() for face in _FACE.finditer(text) if face[1] in words_of("starters", language))


def _is_letter_of_noun(words: list[str]) -> bool:
    return (
        len(words) == 2 and len(words[1]) == 1 and words[1].isupper() and words[0].rstrip(".").lower() in WITH_LETTERS
    )


def _has_note(text: str, stop: re.Match[str], word: str) -> bool:
    """Whether the number is that of a footnote: `was over.12 The`, not `p.12 The` or `v1.12 The`."""
    is_word = len(word) > 2 and word.isalpha() and word not in NUMBERED
    return is_word and not is_small(text[stop.end()])


def _after_brackets(text: str, found: Collection[int]) -> Iterator[int]:
    """After a bracket that holds a sentence of its own: it begins where one may, and what follows begins another."""
    if not _may_hold_sentences(text):
        return
    for bracket in _BRACKETED.finditer(text):
        start, following = bracket.start(), text[bracket.end()]
        begins = start == 0 or start in found or text[max(0, start - _WINDOW) : start].rstrip()[-1:] in _STOPS
        if begins and not is_small(following) and following not in _GOING_ON:
            yield bracket.end()


def _may_hold_sentences(text: str) -> bool:
    """A look at what is quick to find: most brackets hold none."""
    return "]" in text or "）" in text or (")" in text and (".)" in text or "?)" in text or "!)" in text))


class _Quotations:
    """Where in a text a quotation is open. Its marks are counted once, however often that is asked, if it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def is_open(self, end: int) -> bool:
        places, depths, straight = self._marks
        before = bisect_left(places, end)
        return depths[before] > 0 or straight[before] % 2 == 1

    @cached_property
    def _marks(self) -> tuple[list[int], list[int], list[int]]:
        """Where they stand; before each, and at the end, how deep quotations are and the straight ones so far."""
        marks = [(match.start(), match[0]) for match in _QUOTATION_MARK.finditer(self._text)]
        depths = [0, *accumulate(_DEEPER.get(mark, 0) for _, mark in marks)]
        straight = [0, *accumulate(mark == '"' for _, mark in marks)]
        return [place for place, _ in marks], depths, straight


def _after_east_asian_ellipses(text: str, quotations: _Quotations) -> Iterator[int]:
    start = depth = 0
    for stop in EAST_ASIAN_ELLIPSIS.finditer(text):
        depth += text.count("「", start, stop.end()) - text.count("」", start, stop.end())
        start = stop.end()
        if depth <= 0 and not quotations.is_open(start):
            yield start


def _clauses(text: str) -> Iterator[int]:
    start = 0
    for space in _THAI_SPACE.finditer(text):
        if space.start() - start >= _SHORTEST_CLAUSE:
            start = space.end()
            yield start
