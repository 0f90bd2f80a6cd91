"""How far a decoded text is its reference: token F1, BLEU, exact match.

All three see words and marks, case and accents folded: uncased encoders fold them too, so no decoder can know them, and
spaces around marks say nothing about the words. 1 (BLEU: 100) means that every word and mark is there, in its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from nextvec.errors import MissingDependencyError

_TOKEN = re.compile(r"\w+|[^\w\s]")


def words(text: str) -> list[str]:
    """Words and marks, case and accents folded."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _TOKEN.findall(plain.casefold())


def token_f1(text: str, reference: str) -> float:
    """Harmonic mean of the shares of words that both have, as bags, 0..1; two empty texts agree."""
    written, expected = Counter(words(text)), Counter(words(reference))
    shared = (written & expected).total()
    total = written.total() + expected.total()
    return 2 * shared / total if total else 1.0


def token_f1_of_pairs(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """(N, N), `token_f1` of every two of N texts; 1 on the diagonal."""
    bags = [Counter(words(text)) for text in texts]
    sizes_N = np.array([bag.total() for bag in bags], dtype=np.float64)
    shared_NN = np.array([[(one & other).total() for other in bags] for one in bags], dtype=np.float64)
    totals_NN = sizes_N[:, None] + sizes_N
    return np.where(totals_NN, 2 * shared_NN / np.maximum(totals_NN, 1), 1.0)


def exact_match(text: str, reference: str) -> float:
    """1 when words and marks are the same in the same order, else 0."""
    return float(words(text) == words(reference))


def sentence_bleu(text: str, reference: str) -> float:
    """BLEU-4 of one text, 0..100, smoothed for the short ones (sacreBLEU's `exp`, effective order).

    Sources: Papineni et al. 2002; Chen & Cherry 2014; Post 2018, "A Call for Clarity in Reporting BLEU Scores".
    Raises MissingDependencyError without sacrebleu.
    """
    score = _scorer().sentence_score(" ".join(words(text)), [" ".join(words(reference))]).score
    return float(score)


@cache
def _scorer() -> Any:
    try:
        from sacrebleu.metrics import BLEU
    except ImportError:
        raise MissingDependencyError.for_extra("sacrebleu", "text") from None
    return BLEU(tokenize="none", effective_order=True)
