"""Text in, continuation out: one prediction after the other, each decoded as it is made and fed back.

`continue_text` is a stream of events: an `Opening` (the context that was made of the text), a `Step` a sentence, and an
`Ending` that says why it stopped. It asks for every stage through the Protocol `Stages`, so that the stages may run
here and now (`Direct`) or in a server's batches.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from pydantic import Field

from nextvec.config import Config
from nextvec.retrieval.snap import unit
from nextvec.serving.events import Continuation, Ending, Event, Neighbour, Opening, SnapReport, Step
from nextvec.serving.stages import (
    NEAREST,
    DecodeQuery,
    ExhaustedError,
    Filled,
    Sentence,
    Served,
    SnapQuery,
    SnapResult,
    same_text,
)
from nextvec.serving.stopping import Stop, StopConfig, StopRules

Feedback = Literal["vector", "text"]
LONGEST = 64


class ContinuationRequest(Config):
    """Attributes:
    text: the beginning of a text.
    sentences: chunks to add, at most.
    decoder: reference of one of the decoders that the model offers.
    steps: upper bound on correction steps a sentence; None means as many as the ladder has.
    feedback: what is predicted from next: the "vector" that was decoded, or the decoded "text", encoded again.
    fill: fill a context that the text leaves partly empty with retrieved chunks.
    snap: draw predictions towards stored vectors and the topic.
    seconds: no sentence is begun after this time; None for no limit.
    """

    text: str
    sentences: int = Field(default=1, ge=1, le=LONGEST)
    decoder: str = NEAREST
    steps: int | None = Field(default=None, ge=0)
    feedback: Feedback = "vector"
    fill: bool = True
    snap: bool = True
    seconds: float | None = Field(default=None, gt=0)


class Stages(Protocol):
    """The stages of `Served`, one item a call, awaited."""

    @property
    def window(self) -> int:
        """Vectors of a context that are used, the last ones."""
        ...

    @property
    def slots(self) -> int | None:
        """Vectors that a context is filled up to; None for no filling."""
        ...

    async def chunk(self, text: str) -> list[str]: ...
    async def encode(self, texts: Sequence[str]) -> np.ndarray: ...
    async def fill(self, own: np.ndarray) -> Filled: ...
    async def predict(self, context: np.ndarray) -> np.ndarray: ...
    async def snap(self, query: SnapQuery) -> SnapResult: ...
    async def decode(self, query: DecodeQuery) -> Sentence: ...


class Direct:
    """The stages of one model, called here and now."""

    def __init__(self, served: Served) -> None:
        self._served = served

    @property
    def window(self) -> int:
        return self._served.window

    @property
    def slots(self) -> int | None:
        return self._served.slots

    async def chunk(self, text: str) -> list[str]:
        return self._served.chunk(text)

    async def encode(self, texts: Sequence[str]) -> np.ndarray:
        return self._served.encode(texts)

    async def fill(self, own: np.ndarray) -> Filled:
        return self._served.fill([own])[0]

    async def predict(self, context: np.ndarray) -> np.ndarray:
        return self._served.predict([context])[0]

    async def snap(self, query: SnapQuery) -> SnapResult:
        return self._served.snap([query])[0]

    async def decode(self, query: DecodeQuery) -> Sentence:
        return self._served.decode([query])[0]


async def continue_text(
    stages: Stages, request: ContinuationRequest, stop: StopConfig | None = None
) -> AsyncIterator[Event]:
    """An `Opening`, a `Step` for each sentence as soon as it is made, an `Ending`.

    Raises UsageError for a text without a chunk, and what the stages raise.
    """
    began = time.perf_counter()
    context, opening = await _open(stages, request)
    yield opening
    rules = StopRules(stop or StopConfig(), context.topic)
    number, ended = 0, None
    while ended is None and number < request.sentences:
        if ended := _overtime(request, began):
            break
        try:
            made = await _make(stages, request, context, number + 1)
        except ExhaustedError as error:
            ended = Stop("exhausted", str(error))
            break
        text = made.step.decoded.text
        ended = rules.repetition(text, made.sentence, made.prediction, known=same_text(text) in context.said)
        if ended is None:
            number += 1
            yield made.step
            ended = rules.drift(made.sentence, context.mean)
            context.add(made.step, made.decoded if request.feedback == "vector" else made.sentence)
    reason, detail = ended or Stop("length", f"{number} of {request.sentences} sentences")
    yield Ending(reason=reason, detail=detail, sentences=number, milliseconds=_milliseconds(began))


async def complete(stages: Stages, request: ContinuationRequest, stop: StopConfig | None = None) -> Continuation:
    """All of `continue_text` at once."""
    events = [event async for event in continue_text(stages, request, stop)]
    (opening,) = (event for event in events if isinstance(event, Opening))
    (ending,) = (event for event in events if isinstance(event, Ending))
    return Continuation(opening=opening, steps=tuple(e for e in events if isinstance(e, Step)), ending=ending)


class _Context:
    """The vectors (T, D) that the next prediction starts from, a text for each, and all that must not come again.

    Attributes:
        topic: (D,), unit norm, the mean of the user's chunks.
        rows: stored chunks that were given, or are part of the context.
        said: `same_text` keys of the user's sentences and of all that were given.
    """

    def __init__(self, own: np.ndarray, window: int, said: set[str]) -> None:
        self.vectors, self.topic, self.said = own, unit(own.mean(axis=0)), said
        self.texts: list[str] = []
        self.rows: set[int] = set()
        self._window = window

    @property
    def mean(self) -> np.ndarray:
        return unit(self.vectors.mean(axis=0))

    def add(self, step: Step, vector: np.ndarray) -> None:
        self.vectors = np.concatenate([self.vectors, vector[None]])[-self._window :]
        self.texts = [*self.texts, step.decoded.text][-self._window :]
        self.said.add(same_text(step.decoded.text))
        if step.decoded.row is not None:
            self.rows.add(step.decoded.row)


@dataclass(frozen=True, slots=True)
class _Made:
    """A step and its vectors (D,): the prediction, what was decoded, and the sentence's own."""

    step: Step
    prediction: np.ndarray
    decoded: np.ndarray
    sentence: np.ndarray


class _Times(dict[str, float]):
    """Milliseconds by stage."""

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self[stage] = _milliseconds(began)


async def _open(stages: Stages, request: ContinuationRequest) -> tuple[_Context, Opening]:
    times = _Times()
    with times.of("chunk"):
        chunks = await stages.chunk(request.text)
    used = chunks[-stages.window :]
    with times.of("encode"):
        own = await stages.encode(used)
    context = _Context(own, stages.window, {same_text(chunk) for chunk in chunks})
    context.texts, empty = used, max(0, (stages.slots or 0) - len(used))
    rows: list[int] = []
    if request.fill and empty:
        with times.of("fill"):
            filled = await stages.fill(own)
        rows, empty = filled.context.rows.tolist(), filled.context.empty
        context.vectors, context.texts = filled.context.vectors, [*filled.texts, *used]
        context.rows.update(rows)
        context.said.update(same_text(text) for text in filled.texts)
    return context, Opening(
        chunks=tuple(context.texts),
        rows=tuple(rows),
        own=len(used),
        left_out=len(chunks) - len(used),
        empty=empty,
        times=dict(times),
    )


async def _make(stages: Stages, request: ContinuationRequest, context: _Context, number: int) -> _Made:
    times = _Times()
    with times.of("predict"):
        prediction = await stages.predict(context.vectors)
    snapped = None
    if request.snap:
        with times.of("snap"):
            snapped = await stages.snap(_snap_query(prediction, context))
    vector = prediction if snapped is None else snapped.snapped.vector
    with times.of("decode"):
        sentence = await stages.decode(_decode_query(vector, request, context))
    own = sentence.vector
    if own is None:
        with times.of("encode"):
            own = (await stages.encode([sentence.decoded.text]))[0]
    step = Step(
        number=number,
        decoded=sentence.decoded,
        document=sentence.document,
        title=sentence.title,
        context_cosines=tuple((context.vectors @ prediction).tolist()),
        topic_cosine=float(own @ context.topic),
        neighbours=() if snapped is None else _neighbours(snapped),
        snap=None if snapped is None else _report(snapped),
        times=dict(times),
    )
    return _Made(step, prediction, vector, own)


def _snap_query(prediction: np.ndarray, context: _Context) -> SnapQuery:
    return SnapQuery(
        prediction=prediction,
        query=context.topic,
        context_mean=context.mean,
        excluded=tuple(sorted(context.rows)),
    )


def _decode_query(vector: np.ndarray, request: ContinuationRequest, context: _Context) -> DecodeQuery:
    return DecodeQuery(
        vector=vector,
        sources=tuple(context.texts),
        seen_rows=frozenset(context.rows),
        seen_texts=frozenset(context.said),
        decoder=request.decoder,
        steps=request.steps,
    )


def _neighbours(result: SnapResult) -> tuple[Neighbour, ...]:
    weighted = zip(result.neighbours, result.snapped.weights.tolist(), strict=False)
    return tuple(
        Neighbour(
            row=chunk.row,
            similarity=chunk.similarity,
            weight=weight,
            text=chunk.text,
            document=chunk.document,
            title=chunk.title,
        )
        for chunk, weight in weighted
    )


def _report(result: SnapResult) -> SnapReport:
    snapped = result.snapped
    return SnapReport(
        moved=snapped.moved,
        distance=snapped.snap_distance,
        clamped=snapped.clamped,
        query_cosine=snapped.query_cosine,
        context_cosine=snapped.context_cosine,
    )


def _overtime(request: ContinuationRequest, began: float) -> Stop | None:
    if request.seconds is None or _milliseconds(began) <= 1000 * request.seconds:
        return None
    return Stop("time", f"{request.seconds:g} s were given")


def _milliseconds(since: float) -> float:
    return (time.perf_counter() - since) * 1000
