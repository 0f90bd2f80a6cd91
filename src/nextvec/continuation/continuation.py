"""Text in, continuation out: one prediction after the other, each decoded as it is made and fed back.

`continue_text` is a stream of events: an `Opening` (the context that was made of the text), a `Step` a sentence, and an
`Ending` that says why it stopped. It asks for every stage through the Protocol `Stages`, so that the stages may run
here and now (`Direct`) or in a server's batches. Several continuations of one text share its `Beginning`.
"""

from __future__ import annotations

import copy
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from nextvec.config import Config
from nextvec.continuation.chances import WeighQuery
from nextvec.continuation.contexts import Context, Passage
from nextvec.continuation.drawing import HOTTEST, Drawn, DrawQuery, ExhaustedError, same_text, seed_of
from nextvec.continuation.events import Continuation, Ending, Event, Likelihood, Neighbour, Opening, SnapReport, Step
from nextvec.continuation.familiarity import Familiarity
from nextvec.continuation.stages import (
    NEAREST,
    DecodeQuery,
    Filled,
    Sentence,
    Served,
    SnapQuery,
    SnapResult,
)
from nextvec.continuation.steps import ReadQuery, ReadResult
from nextvec.continuation.stopping import Stop, StopConfig, StopRules
from nextvec.models.memory import Memory
from nextvec.retrieval.snap import unit

Feedback = Literal["vector", "text"]
LONGEST = 64
MOST_CHOICES = 16
MOST_ALTERNATIVES = 5


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
    temperature: 0 goes on from the point, the same each time; above it each next vector is drawn, at 1 as the model
        says, below it closer to the point.
    seed: of what is drawn: the same one draws the same.
    choice: which of several continuations of one seed this is, from 0; each draws for itself.
    logprobs: tell how likely each sentence was, and so many others beside it; None tells nothing.
    """

    text: str
    sentences: int = Field(default=1, ge=1, le=LONGEST)
    decoder: str = NEAREST
    steps: int | None = Field(default=None, ge=0)
    feedback: Feedback = "vector"
    fill: bool = True
    snap: bool = True
    seconds: float | None = Field(default=None, gt=0)
    temperature: float = Field(default=0, ge=0, le=HOTTEST)
    seed: int = 0
    choice: int = Field(default=0, ge=0)
    logprobs: int | None = Field(default=None, ge=0, le=MOST_ALTERNATIVES)

    @field_validator("steps", "seconds", "temperature", "seed", "logprobs", mode="before")
    @classmethod
    def _no_text_for_a_number(cls, value: Any) -> Any:
        """Nobody types these: what is a text was meant for something else."""
        if isinstance(value, str):
            raise PydanticCustomError("number", "expected a number")
        return value

    @property
    def plain(self) -> bool:
        """Whether points are all that it takes."""
        return not self.temperature and self.logprobs is None


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

    async def chunk(self, text: str) -> Passage: ...
    async def encode(self, texts: Sequence[str]) -> np.ndarray: ...
    async def recognise(self, own: np.ndarray) -> Familiarity | None: ...
    async def fill(self, own: np.ndarray) -> Filled: ...
    async def read(self, query: ReadQuery) -> ReadResult: ...
    async def draw(self, query: DrawQuery) -> Drawn: ...
    async def snap(self, query: SnapQuery) -> SnapResult: ...
    async def decode(self, query: DecodeQuery) -> Sentence: ...
    async def weigh(self, query: WeighQuery) -> Likelihood: ...


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

    async def chunk(self, text: str) -> Passage:
        return self._served.chunk(text)

    async def encode(self, texts: Sequence[str]) -> np.ndarray:
        return self._served.encode(texts)

    async def recognise(self, own: np.ndarray) -> Familiarity | None:
        return self._served.recognise([own])[0]

    async def fill(self, own: np.ndarray) -> Filled:
        return self._served.fill([own])[0]

    async def read(self, query: ReadQuery) -> ReadResult:
        return self._served.read([query])[0]

    async def query(self, context: Context) -> np.ndarray:
        return self._served.query([context])[0]

    async def topic(self, context: Context) -> np.ndarray:
        return self._served.topic([context])[0]

    def log_odds(self, topic_D: np.ndarray, vectors_ND: np.ndarray) -> np.ndarray:
        return self._served.log_odds(topic_D, vectors_ND)

    async def draw(self, query: DrawQuery) -> Drawn:
        return self._served.draw([query])[0]

    async def weigh(self, query: WeighQuery) -> Likelihood:
        return self._served.weigh([query])[0]

    async def snap(self, query: SnapQuery) -> SnapResult:
        return self._served.snap([query])[0]

    async def decode(self, query: DecodeQuery) -> Sentence:
        return self._served.decode([query])[0]


async def continue_text(
    stages: Stages,
    request: ContinuationRequest,
    stop: StopConfig | None = None,
    beginning: Beginning | None = None,
) -> AsyncIterator[Event]:
    """An `Opening`, a `Step` for each sentence as soon as it is made, an `Ending`.

    `beginning` is that of the request's text, where it was made already: many continuations may start from one.
    Raises UsageError for a text without a chunk, and what the stages raise.
    """
    start = beginning or await begin(stages, request)
    reading, began = start.reading.fork(), time.perf_counter() - start.seconds
    yield start.opening
    rules = StopRules(stop or StopConfig(), reading.topic)
    number, ended = 0, None
    while ended is None and number < request.sentences:
        if ended := _overtime(request, began):
            break
        try:
            made = await _make(stages, request, reading, number + 1)
        except ExhaustedError as error:
            ended = Stop("exhausted", str(error))
            break
        text = made.step.decoded.text
        ended = rules.repetition(text, made.sentence, made.prediction, known=same_text(text) in reading.said)
        if ended is None:
            number += 1
            yield made.step
            ended = rules.drift(made.sentence, reading.mean)
            reading.add(made.step, made.decoded if request.feedback == "vector" else made.sentence, made.memory)
    reason, detail = ended or Stop("length", f"{number} of {request.sentences} sentences")
    yield Ending(reason=reason, detail=detail, sentences=number, milliseconds=_milliseconds(began))


async def complete(
    stages: Stages,
    request: ContinuationRequest,
    stop: StopConfig | None = None,
    beginning: Beginning | None = None,
) -> Continuation:
    """All of `continue_text` at once."""
    events = [event async for event in continue_text(stages, request, stop, beginning)]
    (opening,) = (event for event in events if isinstance(event, Opening))
    (ending,) = (event for event in events if isinstance(event, Ending))
    return Continuation(opening=opening, steps=tuple(e for e in events if isinstance(e, Step)), ending=ending)


class Reading:
    """What the next prediction starts from, a text for each of its vectors, and all that must not come again.

    Attributes:
        context: at most `window` vectors. Of what was made, nothing is known of its paragraphs, but for the first where
            the text said it.
        topic: (D,), unit norm, the mean of the user's chunks.
        rows: stored chunks that were given, or are part of the context.
        said: `same_text` keys of the user's sentences and of all that were given.
        query: what the model reads next: the context at first, then one vector after the other.
    """

    def __init__(self, own: Context, texts: list[str], window: int, said: set[str]) -> None:
        self.context, self.topic, self.said = own, unit(own.vectors.mean(axis=0)), said
        self.query = ReadQuery(context=own)
        self.texts = texts
        self.rows: set[int] = set()
        self._window = window

    def fork(self) -> Reading:
        """One that goes on for itself."""
        forked = copy.copy(self)
        forked.rows, forked.said = set(self.rows), set(self.said)
        return forked

    @property
    def mean(self) -> np.ndarray:
        return unit(self.context.vectors.mean(axis=0))

    def fill(self, filled: Filled) -> None:
        """Put what was retrieved before it."""
        retrieved = filled.context.vectors[: len(filled.breaks)]
        self.context = self.context.after(retrieved, filled.breaks)
        self.query = ReadQuery(context=self.context)
        self.texts = [*filled.texts, *self.texts]
        self.rows.update(filled.context.rows.tolist())
        self.said.update(same_text(text) for text in filled.texts)

    def add(self, step: Step, vector: np.ndarray, memory: Memory) -> None:
        self.context = self.context.then(vector).last(self._window)
        self.query = ReadQuery(context=self.context.last(1), memory=memory)
        self.texts = [*self.texts, step.decoded.text][-self._window :]
        self.said.add(same_text(step.decoded.text))
        if step.decoded.row is not None:
            self.rows.add(step.decoded.row)


@dataclass(frozen=True, slots=True)
class Beginning:
    """A text that was read, which took so many `seconds`, and is not gone on with yet."""

    reading: Reading
    opening: Opening
    seconds: float


@dataclass(frozen=True, slots=True)
class _Made:
    """A step and its vectors (D,): the prediction, what was decoded, and the sentence's own; and what the model keeps
    of all before it."""

    step: Step
    memory: Memory
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


async def begin(stages: Stages, request: ContinuationRequest) -> Beginning:
    """What all continuations of a request's text have in common. Raises as `continue_text`."""
    began = time.perf_counter()
    reading, opening = await _open(stages, request)
    return Beginning(reading, opening, time.perf_counter() - began)


async def _open(stages: Stages, request: ContinuationRequest) -> tuple[Reading, Opening]:
    times = _Times()
    with times.of("chunk"):
        passage = await stages.chunk(request.text)
    used = passage.last(stages.window)
    with times.of("encode"):
        own = Context.of(used, await stages.encode(used.written))
    with times.of("recognise"):
        familiarity = await stages.recognise(own.vectors)
    reading = Reading(own, used.texts, stages.window, {same_text(text) for text in passage.texts})
    empty = max(0, (stages.slots or 0) - len(own))
    rows: list[int] = []
    if request.fill and empty:
        with times.of("fill"):
            filled = await stages.fill(own.vectors)
        rows, empty = filled.context.rows.tolist(), filled.context.empty
        reading.fill(filled)
    return reading, Opening(
        chunks=tuple(reading.texts),
        breaks=tuple(reading.context.breaks.tolist()),
        following=own.following,
        heading=passage.heading,
        rows=tuple(rows),
        own=len(own),
        left_out=len(passage.texts) - len(own),
        empty=empty,
        familiarity=familiarity,
        times=dict(times),
    )


async def _make(stages: Stages, request: ContinuationRequest, reading: Reading, number: int) -> _Made:
    times = _Times()
    with times.of("predict"):
        read = await stages.read(replace(reading.query, keep=not request.plain))
    prediction, drawn, snapped = read.prediction, None, None
    if request.temperature:
        with times.of("draw"):
            drawn = await stages.draw(_draw_query(read, request, reading, number))
        prediction = drawn.vector
    if request.snap and (drawn is None or drawn.row is None):
        with times.of("snap"):
            snapped = await stages.snap(_snap_query(prediction, reading))
    vector = prediction if snapped is None else snapped.snapped.vector
    with times.of("decode"):
        sentence = await stages.decode(_decode_query(vector, request, reading))
    own = sentence.vector
    if own is None:
        with times.of("encode"):
            own = (await stages.encode([sentence.decoded.text]))[0]
    likelihood = None
    if request.logprobs is not None:
        with times.of("weigh"):
            likelihood = await stages.weigh(_weigh_query(read, own, sentence, request.logprobs, reading))
    step = Step(
        number=number,
        decoded=sentence.decoded,
        document=sentence.document,
        title=sentence.title,
        context_cosines=tuple((reading.context.vectors @ prediction).tolist()),
        topic_cosine=float(own @ reading.topic),
        neighbours=() if snapped is None else _neighbours(snapped),
        snap=None if snapped is None else _report(snapped),
        likelihood=likelihood,
        times=dict(times),
    )
    return _Made(step, read.memory, prediction, vector, own)


def _draw_query(read: ReadResult, request: ContinuationRequest, reading: Reading, number: int) -> DrawQuery:
    assert read.forecast is not None
    return DrawQuery(
        forecast=read.forecast,
        temperature=request.temperature,
        seed=seed_of(request.seed, request.choice, number),
        seen_rows=frozenset(reading.rows),
        seen_texts=frozenset(reading.said),
    )


def _weigh_query(
    read: ReadResult, vector: np.ndarray, sentence: Sentence, alternatives: int, reading: Reading
) -> WeighQuery:
    assert read.forecast is not None
    return WeighQuery(
        forecast=read.forecast,
        vector=vector,
        seen_rows=frozenset(reading.rows),
        seen_texts=frozenset(reading.said),
        said=same_text(sentence.decoded.text),
        alternatives=alternatives,
    )


def _snap_query(prediction: np.ndarray, reading: Reading) -> SnapQuery:
    return SnapQuery(
        prediction=prediction,
        query=reading.topic,
        context_mean=reading.mean,
        excluded=tuple(sorted(reading.rows)),
    )


def _decode_query(vector: np.ndarray, request: ContinuationRequest, reading: Reading) -> DecodeQuery:
    return DecodeQuery(
        vector=vector,
        sources=tuple(reading.texts),
        seen_rows=frozenset(reading.rows),
        seen_texts=frozenset(reading.said),
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
