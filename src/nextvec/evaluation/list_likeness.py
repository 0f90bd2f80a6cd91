"""List-likeness: how much a text looks like entries of a list rather than sentences that follow each other.

Works on word counts and patterns, not on grammar, so that it asks little of the language: words are separated by
spaces or punctuation (a Chinese or Japanese character counts as one), and frequent words are those of this corpus.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np

FEWEST_WORDS = 4
FREQUENT_WORDS = 50
FREQUENT_SHARE = 1 / 8
FREQUENT_COUNT = 3
PATTERN_SHARE = 0.01
PATTERN_COUNT = 3
FEWEST_PAIRS = 20

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+")
_TOKEN = re.compile(rf"{_WORD.pattern}|[^\w\s]")
_HEAD = re.compile(r"([^.!?:\u2013\u2014]{1,40})(?:: | [\u2013\u2014-] )")
_ARTICLES = frozenset({"a", "an", "the"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLikeness:
    """Shares of chunks, in [0, 1].

    bare: fewer than four words, as categories are.
    entries: "term: explanation", each term counted once, so that the speakers of a play are no glossary.
    patterned: the pattern that is left when all but the 50 most frequent words are blanked ("the _ of _ is _ .")
        makes up at least 1 % of the corpus, three times or more: facts filled into templates.
    total: chunks with any of the three.
    alphabetical: neighbouring chunks of a document in alphabetical order (articles ignored, equal beginnings left
        out): one half in prose, one in a glossary; None below 20 pairs.
    """

    bare: float
    entries: float
    patterned: float
    total: float
    alphabetical: float | None

    def to_dict(self) -> dict[str, float | None]:
        return asdict(self)


def measure_list_likeness(documents: Sequence[Sequence[str]]) -> ListLikeness:
    """Of the chunks' texts, grouped by document and in order; at least one chunk."""
    texts = [text for document in documents for text in document]
    bare = np.array([len(_WORD.findall(text)) < FEWEST_WORDS for text in texts])
    entries, patterned = _first_entries(texts), _patterned(texts)
    return ListLikeness(
        bare=float(bare.mean()),
        entries=float(entries.mean()),
        patterned=float(patterned.mean()),
        total=float((bare | entries | patterned).mean()),
        alphabetical=_alphabetical(documents),
    )


def _first_entries(texts: Sequence[str]) -> np.ndarray:
    seen: set[str] = set()
    flags = np.zeros(len(texts), bool)
    for i, text in enumerate(texts):
        head = _HEAD.match(text)
        if head and head[1].lower() not in seen:
            seen.add(head[1].lower())
            flags[i] = True
    return flags


def _patterned(texts: Sequence[str]) -> np.ndarray:
    tokens = [_TOKEN.findall(text.lower()) for text in texts]
    frequent = _frequent(tokens)
    patterns = [tuple(_blank(chunk, frequent)) for chunk in tokens]
    uses = Counter(patterns)
    least = max(PATTERN_COUNT, PATTERN_SHARE * len(texts))
    return np.array([uses[pattern] >= least for pattern in patterns])


def _frequent(chunks: Sequence[Sequence[str]]) -> set[str]:
    """The 50 most frequent words, fewer where the vocabulary is so small that they would hold the fillings too."""
    counts = Counter(token for chunk in chunks for token in chunk)
    most = min(FREQUENT_WORDS, int(FREQUENT_SHARE * len(counts)))
    return {token for token, count in counts.most_common(most) if count >= FREQUENT_COUNT}


def _blank(tokens: Sequence[str], frequent: set[str]) -> Iterator[str]:
    """`tokens` with every run of infrequent ones replaced by one "_"."""
    last = ""
    for token in tokens:
        shown = token if token in frequent else "_"
        if shown != "_" or last != "_":
            yield shown
        last = shown


def _alphabetical(documents: Sequence[Sequence[str]]) -> float | None:
    keys = [[_sort_key(text) for text in document] for document in documents]
    ascending = [left < right for document in keys for left, right in pairwise(document) if left != right]
    return float(np.mean(ascending)) if len(ascending) >= FEWEST_PAIRS else None


def _sort_key(text: str) -> list[str]:
    """The first two words, without a leading article."""
    words = _WORD.findall(text.lower()[:120])
    return (words[1:] if words[:1] and words[0] in _ARTICLES else words)[:2]
