"""Likelihoods of sentences in the form in which OpenAI tells those of tokens."""

from __future__ import annotations

from collections.abc import Sequence

from nextvec.continuation.events import Step
from nextvec.serving.schemas import Logprobs


def logprobs_of(step: Step, text: str, offset: int, *, cut: bool) -> Logprobs | None:
    """Of a sentence that is sent as `text`, `offset` characters after the answer's beginning; None where nothing was
    asked. One of which a part is sent has no likelihood: what there is is that of the whole."""
    told = step.likelihood
    if told is None:
        return None
    apart = text[: len(text) - len(text.lstrip())]
    others = {apart + other.text: other.value for other in told.alternatives}
    return Logprobs(
        tokens=[text],
        token_logprobs=[None if cut else told.value],
        top_logprobs=[others if cut else {text: told.value} | others],
        text_offset=[offset],
    )


def without(text: str, offset: int) -> Logprobs:
    """Of a part of a sentence whose likelihood has been told."""
    return Logprobs(tokens=[text], token_logprobs=[None], top_logprobs=[{}], text_offset=[offset])


def joined(parts: Sequence[Logprobs]) -> Logprobs | None:
    """Of the sentences of a continuation, one after the other; None without any."""
    if not parts:
        return None
    return Logprobs(
        tokens=[token for part in parts for token in part.tokens],
        token_logprobs=[value for part in parts for value in part.token_logprobs],
        top_logprobs=[values for part in parts for values in part.top_logprobs],
        text_offset=[offset for part in parts for offset in part.text_offset],
    )
