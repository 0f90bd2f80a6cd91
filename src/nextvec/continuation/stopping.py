"""When a continuation has run its course: it repeats itself, or it has left its topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pydantic import Field

from nextvec.config import Config
from nextvec.continuation.events import Reason
from nextvec.decoding.quality import DEFAULT, bigram_share


class StopConfig(Config):
    """The bounds of drift suit MiniLM: of the sentences 6 to 20 of 471 Wikipedia articles 5 % lie below them, and three
    in a row do in 2.5 % of the articles. Another encoder may need others.

    Attributes:
        max_sentence_cosine: a sentence closer than this to an earlier one repeats it.
        max_prediction_cosine: a prediction closer than this to an earlier one repeats it.
        max_bigram_share: of a sentence's word bigrams, the largest share that one may make up; above it the sentence
            repeats itself.
        min_topic_cosine: of a sentence and the mean of the user's chunks; below it the sentence has drifted.
        min_context_cosine: of a sentence and the mean of its context; below it the sentence has drifted.
        patience: sentences in a row that have drifted when it stops.
    """

    max_sentence_cosine: float = Field(default=0.95, ge=-1, le=1)
    max_prediction_cosine: float = Field(default=0.9999, ge=-1, le=1)
    max_bigram_share: float = Field(default=DEFAULT.max_bigram_share, gt=0, le=1)
    min_topic_cosine: float = Field(default=0.15, ge=-1, le=1)
    min_context_cosine: float = Field(default=0.20, ge=-1, le=1)
    patience: int = Field(default=3, ge=1)


class Stop(NamedTuple):
    """`detail` says why, in words."""

    reason: Reason
    detail: str


class StopRules:
    """Judges one sentence after the other, and remembers them.

    Args:
        config: the bounds.
        topic: float32 (D,), unit norm: the mean of the user's chunks.
    """

    def __init__(self, config: StopConfig, topic: np.ndarray) -> None:
        self._config, self._topic = config, topic
        self._sentences: list[np.ndarray] = []
        self._predictions: list[np.ndarray] = []
        self._adrift = 0

    def repetition(self, text: str, sentence: np.ndarray, prediction: np.ndarray, *, known: bool) -> Stop | None:
        """Why a sentence should not be given, if so.

        Args:
            text: the sentence.
            sentence: its vector (D,), unit norm.
            prediction: the vector (D,) that was predicted, unit norm.
            known: the text was there before.
        """
        detail = self._repeats(text, sentence, prediction, known)
        self._sentences.append(sentence)
        self._predictions.append(prediction)
        return None if detail is None else Stop("repetition", detail)

    def drift(self, sentence: np.ndarray, context: np.ndarray) -> Stop | None:
        """Why a sentence should be the last one, if so. `context`: the direction (D,) of the mean of its context."""
        config = self._config
        to_topic, to_context = float(sentence @ self._topic), float(sentence @ context)
        adrift = to_topic < config.min_topic_cosine or to_context < config.min_context_cosine
        self._adrift = self._adrift + 1 if adrift else 0
        if self._adrift < config.patience:
            return None
        return Stop(
            "drift",
            f"{self._adrift} sentences in a row left the topic; the last has cosine {to_topic:.2f} with the text "
            f"(at least {config.min_topic_cosine:g}) and {to_context:.2f} with its context "
            f"(at least {config.min_context_cosine:g})",
        )

    def _repeats(self, text: str, sentence: np.ndarray, prediction: np.ndarray, known: bool) -> str | None:
        config = self._config
        if known:
            return "the next sentence was there before"
        if (share := bigram_share(text)) > config.max_bigram_share:
            return f"one word bigram makes up {share:.0%} of the next sentence, at most {config.max_bigram_share:.0%}"
        if (cosine := _closest(sentence, self._sentences)) > config.max_sentence_cosine:
            return f"the next sentence has cosine {cosine:.3f} with an earlier one, over {config.max_sentence_cosine:g}"
        if (cosine := _closest(prediction, self._predictions)) > config.max_prediction_cosine:
            return f"the prediction stands still: cosine {cosine:.5f} with an earlier one"
        return None


def _closest(vector: np.ndarray, others: Sequence[np.ndarray]) -> float:
    """Largest cosine of unit vectors; -1 without any to compare with."""
    return float((np.stack(others) @ vector).max()) if others else -1.0
