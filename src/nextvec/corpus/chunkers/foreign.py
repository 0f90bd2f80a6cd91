"""Whether a text is clearly not in the language whose rules cut it: by its letters, and by the words that it is made of
in every language.

No detector of languages: it has to be silent where it is in doubt, on tables, recipes and code, and costs little where
nobody asked for one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

from nextvec.corpus.chunkers.words import languages, words
from nextvec.corpus.language import primary

ANOTHER_SCRIPT = "another script"
_BEGINNING = 4000
"""Characters that are looked at."""
_LEAST_WORDS, _LEAST_LETTERS = 40, 100
_CLEARLY = 0.06
"""By which the share of another language's words exceeds that of the declared one's. Of 7,500 English texts (novels,
dialogues, recipes, papers, documentation of code) none comes nearer to another language than -0.08."""
_WORD = re.compile(r"[^\W\d_]+")
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())


def other_language(text: str, declared: str) -> str:
    """The language that `text` looks like where it clearly does not look like the `declared` one, as its ISO 639 code,
    or `ANOTHER_SCRIPT`; "" where it does, nobody can tell, or the declared one is `auto` or of no known words."""
    own = primary(declared)
    if not _common(own):
        return ""
    beginning = text[:_BEGINNING].lower()
    nearest = _nearest(Counter(_WORD.findall(beginning)), own)
    return nearest or (ANOTHER_SCRIPT if _is_in_another_script(beginning, own) else "")


def _nearest(found: Counter[str], own: str) -> str:
    least, telling = _CLEARLY * found.total(), found.keys() & _telling()
    beyond = sum(found[word] for word in telling - _common(own))
    if found.total() < _LEAST_WORDS or beyond <= least:
        return ""
    share, language = max((_share(found, telling & _common(language)), language) for language in languages())
    return language if share - _share(found, telling & _common(own)) > least else ""


def _share(found: Mapping[str, int], words: Iterable[str]) -> int:
    return sum(found[word] for word in words)


def _is_in_another_script(beginning: str, own: str) -> bool:
    scripts = _scripts(own)
    if "LATIN" in scripts and 2 * _plain_letters(beginning) >= len(beginning):
        return False
    letters = Counter("".join(_WORD.findall(beginning)))
    in_own = sum(times for letter, times in letters.items() if _script(letter) in scripts)
    return letters.total() >= _LEAST_LETTERS and in_own < letters.total() / 2


def _plain_letters(text: str) -> int:
    """A to Z, which are quick to count."""
    return len(text.encode("ascii", "ignore").translate(None, _NO_LETTERS))


@cache
def _scripts(language: str) -> frozenset[str]:
    """That its words are written in."""
    return frozenset(_script(letter) for word in _common(language) for letter in word)


@cache
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


@cache
def _telling() -> frozenset[str]:
    """The words that tell any language."""
    return frozenset().union(*map(_common, languages()))


@cache
def _common(language: str) -> frozenset[str]:
    """The words that a capital letter tells the beginning of a sentence by: articles, pronouns, prepositions."""
    return frozenset(word.lower() for word in words("starters", language))
