"""Is a decoded text fit to be shown? Three checks that need no model: repetition, variety of characters, topic."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import Field

from nextvec.config import Config

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")

_FUNCTION_WORDS_TEXT = """
about above after again against also although among another because been before being below between both cannot
could does doing down during each either else even ever every from further have having here hers herself himself
however into itself just like made make many might more most much must myself neither never nothing often once
only other ours ourselves over own perhaps quite rather same shall should since some such than that their theirs
them themselves then there therefore these they thing this those though through thus together toward under
unless until upon used using very well were what when where whether which while whom whose will with within
without would your yours yourself
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS_TEXT.split())
"""English words of four letters and more that say nothing about a topic."""


class QualityConfig(Config):
    """Attributes:
    max_bigram_share: of a text's word bigrams, the largest share that one of them may make up, 0..1.
    min_entropy: of its characters, in bits.
    keyword_letters: the shortest word that counts as a keyword.
    """

    max_bigram_share: float = Field(default=0.25, gt=0, le=1)
    min_entropy: float = Field(default=2.8, ge=0)
    keyword_letters: int = Field(default=4, ge=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a text passed, and if not, one reason for each check that failed."""

    passed: bool
    reasons: tuple[str, ...] = ()


DEFAULT = QualityConfig()


def judge(text: str, sources: Sequence[str] = (), config: QualityConfig = DEFAULT) -> Verdict:
    """The verdict on a decoded text.

    Args:
        text: what was decoded.
        sources: the texts it should continue. When they hold no keyword there is nothing to share: topic is not judged.
        config: the bounds.
    """
    reasons = tuple(
        filter(None, (_repetition(text, config), _monotony(text, config), _off_topic(text, sources, config)))
    )
    return Verdict(passed=not reasons, reasons=reasons)


def bigram_share(text: str) -> float:
    """Share of the most frequent word bigram among all, 0..1. A bigram that occurs once repeats nothing: 0 then."""
    counts = Counter(pairwise(_words(text)))
    most = max(counts.values(), default=0)
    return most / counts.total() if most > 1 else 0.0


def character_entropy(text: str) -> float:
    """Shannon entropy of the distribution of characters, in bits; 0 for no text. English prose has about 4.2."""
    counts = Counter(text)
    total = counts.total()
    return sum(count / total * math.log2(total / count) for count in counts.values())


def keywords(texts: Iterable[str], letters: int = DEFAULT.keyword_letters) -> frozenset[str]:
    """Words of at least `letters` letters, case folded, without function words."""
    words = (word for text in texts for word in _words(text))
    return frozenset(word for word in words if len(word) >= letters and word not in FUNCTION_WORDS)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _repetition(text: str, config: QualityConfig) -> str | None:
    share = bigram_share(text)
    if share <= config.max_bigram_share:
        return None
    return f"one word bigram makes up {share:.0%} of the text's bigrams, at most {config.max_bigram_share:.0%} may"


def _monotony(text: str, config: QualityConfig) -> str | None:
    entropy = character_entropy(text)
    if entropy >= config.min_entropy:
        return None
    return f"the entropy of its characters is {entropy:.2f} bits, at least {config.min_entropy} are needed"


def _off_topic(text: str, sources: Sequence[str], config: QualityConfig) -> str | None:
    expected = keywords(sources, config.keyword_letters)
    if not expected or expected & keywords([text], config.keyword_letters):
        return None
    return "it shares no keyword with its sources"
