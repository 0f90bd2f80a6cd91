# ruff: noqa: RUF001 (typographic quotation marks are this file's business)
"""Numbers in brackets on the line: `[3]` after a word is the mark of a note, or a place in a list, as in `name[3]`.

It is a mark where it is all that a link says, begins a block, or follows the end of a sentence or of a clause. After a
word it is one only if the page has other evidence: the number stands alone elsewhere, as it does before the note, or
the numbers of the page rise. Where a word bears `[0]`, or two numbers, they count. `[0]` is never the mark of a note.
"""

from __future__ import annotations

import re
from collections.abc import Set

from nextvec.corpus.markup.raised import ends_clause

_NUMBER = re.compile(r"\[(\d{1,3})\]")
_BORNE = re.compile(r"(?<![^\s\[\]])([^\s\[\]]*)\[(\d{1,3})\]")
"""Tried only where a word begins: a page may be one word, as in Chinese."""
_WORD = re.compile(r"(?:[^\W_]{2}|[^\W_\x00-\x7f])[)\]\"'»”’]*\Z")
"""Not a single letter or figure, as in `a[1]`."""
_BEFORE = 40


def note_numbers(page: str) -> frozenset[str]:
    """The numbers that are marks of notes in the text of a page if they follow a word."""
    borne = set(_BORNE.findall(page))
    words = [word for word, _ in borne if word and not ends_clause(word)]
    if len(set(words)) < len(words) or any(word and int(number) == 0 for word, number in borne):
        return frozenset()
    numbers = list(dict.fromkeys(_NUMBER.findall(page)))
    if len(numbers) > 1 and numbers == sorted(numbers, key=int):
        return frozenset(numbers)
    return frozenset(number for word, number in borne if not word or ends_clause(word))


def without_note_marks(text: str, before: str, numbers: Set[str], *, linked: bool) -> str:
    """`text` without those of its numbers in brackets that are marks of notes. `before`: what stands before it on the
    line; `numbers`: those of `note_numbers`; `linked`: whether it is that of a link."""
    whole = _NUMBER.fullmatch(text.strip())
    if linked and whole:
        return text if int(whole[1]) == 0 else ""
    kept, place = "", 0
    for found in _NUMBER.finditer(text):
        kept += text[place : found.start()]
        kept += "" if _is_mark(found[1], (before + kept[-_BEFORE:])[-_BEFORE:], numbers) else found[0]
        place = found.end()
    return kept + text[place:]


def _is_mark(number: str, before: str, numbers: Set[str]) -> bool:
    if int(number) == 0:
        return False
    return not before or ends_clause(before) or (number in numbers and _WORD.search(before) is not None)
