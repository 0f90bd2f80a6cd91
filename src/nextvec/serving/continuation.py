"""Text in, continuation out: one prediction after the other, each decoded as it is made and fed back.

`continue_text` is a stream of events: an `Opening` (the context that was made of the text), a `Step` a sentence, and an
`Ending` that says why it stopped. It asks for every stage through the Protocol `Stages`, so that the stages may run
here and now (`Direct`) or in a server's batches.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import Field

from nextvec.config import Config
from nextvec.decoding.decoder import Decoded
from nextvec.decoding.quality import DEFAULT, bigram_share
from nextvec.retrieval.snap import Snapped, unit
from nextvec.serving.stages import (
    NEAREST,
    DecodeQuery,
    Filled,
    Sentence,
    Served,
    SnapQuery,
    SnapResult,
    same_text,
)

Feedback = Literal["vector", "text"]
Reason = Literal["length", "repetition", "drift", "time"]
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


class StopConfig(Config):
    """When a continuation has run its course.

    Attributes:
        max_sentence_cosine: a sentence closer than this to an earlier one repeats it.
        max_vector_cosine: a prediction closer than this to an earlier one repeats it.
        min_topic_cosine: of a sentence and the mean of the user's chunks; below it the sentence has drifted.
        min_context_cosine: of a sentence and the mean of its context; below it the sentence has drifted.
        patience: sentences in a row that may drift before it stops.
    """

    max_sentence_cosine: float = Field(default=0.95, ge=-1, le=1)
    max_vector_cosine: float = Field(default=0.9999, ge=-1, le=1)
    min_topic_cosine: float = Field(default=0.10, ge=-1, le=1)
    min_context_cosine: float = Field(default=0.10, ge=-1, le=1)
    patience: int = Field(default=2, ge=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The context that predictions start from, in reading order: retrieved chunks, then the user's own.

    Attributes:
        chunks: texts.
        rows: stored rows of the retrieved ones.
        own: how many are the user's.
        left_out: chunks of the user's text before those, more than the model can look at.
        empty: slots that nothing filled.
        times: milliseconds of chunk, encode and fill.
    """

    chunks: tuple[str, ...]
    rows: tuple[int, ...]
    own: int
    left_out: int
    empty: int
    times: dict[str, float]

    @property
    def filled(self) -> int:
        return len(self.rows)

    def to_dict(self) -> dict[str, Any]:
        return {
            "chunks": list(self.chunks),
            "own": self.own,
            "filled": self.filled,
            "rows": list(self.rows),
            "left_out": self.left_out,
            "empty": self.empty,
            "times": _rounded(self.times),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A stored chunk that drew a prediction: `similarity` is its cosine with it, `weight` its share of the snap."""

    row: int
    similarity: float
    weight: float
    text: str
    document: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapReport:
    """What snap and anchor did to a prediction; see `Snapped`."""

    moved: float
    distance: float
    clamped: bool
    query_cosine: float
    context_cosine: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One sentence.

    Attributes:
        number: from 1.
        decoded: text, verdict, degraded, steps, row, and `cosine`: of the decoded vector and the text, the round trip.
        document, title: where an extract is from; None for a generated text.
        context_cosines: of the prediction and each vector of its context, oldest first.
        topic_cosine: of the sentence's vector and the mean of the user's chunks.
        neighbours: that the snap used, the nearest first; none without a snap.
        snap: None without one.
        times: milliseconds of predict, snap, decode and encode (a generated text, again).
    """

    number: int
    decoded: Decoded
    document: str | None
    title: str | None
    context_cosines: tuple[float, ...]
    topic_cosine: float
    neighbours: tuple[Neighbour, ...]
    snap: SnapReport | None
    times: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        decoded, snap = self.decoded, self.snap
        return {
            "number": self.number,
            "text": decoded.text,
            "passed": decoded.verdict.passed,
            "reasons": list(decoded.verdict.reasons),
            "degraded": decoded.degraded,
            "steps": decoded.steps,
            "row": decoded.row,
            "document": self.document,
            "title": self.title,
            "round_trip": _short(decoded.cosine),
            "topic_cosine": _short(self.topic_cosine),
            "context_cosines": [_short(cosine) for cosine in self.context_cosines],
            "neighbours": [_plain(neighbour) for neighbour in self.neighbours],
            "snap": None if snap is None else _plain(snap),
            "times": _rounded(self.times),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why a continuation ended: `detail` in words; `milliseconds` since the request began."""

    reason: Reason
    detail: str
    sentences: int
    milliseconds: float

    def to_dict(self) -> dict[str, Any]:
        return _plain(self) | {"milliseconds": round(self.milliseconds, 2)}


Event = Opening | Step | Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """All events of a request."""

    opening: Opening
    steps: tuple[Step, ...]
    ending: Ending

    @property
    def text(self) -> str:
        return " ".join(step.decoded.text for step in self.steps)

    def to_dict(self) -> dict[str, Any]:
        return {
            "context": self.opening.to_dict(),
            "sentences": [step.to_dict() for step in self.steps],
            "finish": self.ending.to_dict(),
        }


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
    state, opening = await _open(stages, request)
    yield opening
    rules = _Rules(stop or StopConfig(), state.topic)
    ended: tuple[Reason, str] | None = None
    number = 0
    while ended is None and number < request.sentences:
        if request.seconds is not None and time.perf_counter() - began > request.seconds:
            ended = ("time", f"{request.seconds:g} s were given")
            break
        made = await _make(stages, request, state, number + 1)
        ended = rules.repeats(made)
        if ended is None:
            number += 1
            yield made.step
            ended = rules.drifts(made)
            state.add(made, request.feedback)
    reason, detail = ended or ("length", f"{number} of {request.sentences} sentences")
    yield Ending(reason=reason, detail=detail, sentences=number, milliseconds=_since(began))


async def complete(stages: Stages, request: ContinuationRequest, stop: StopConfig | None = None) -> Continuation:
    """All of `continue_text` at once."""
    events = [event async for event in continue_text(stages, request, stop)]
    opening, *steps, ending = events
    assert isinstance(opening, Opening), "a continuation begins with its opening"
    assert isinstance(ending, Ending), "a continuation ends with its ending"
    return Continuation(opening=opening, steps=tuple(s for s in steps if isinstance(s, Step)), ending=ending)


class _Times(dict[str, float]):
    """Milliseconds by stage."""

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self[stage] = self.get(stage, 0.0) + _since(began)


@dataclass(slots=True)
class _State:
    """The context as it grows: a text for each vector, and all that must not be said again."""

    vectors: np.ndarray
    texts: list[str]
    topic: np.ndarray
    window: int
    rows: set[int] = field(default_factory=set)
    said: set[str] = field(default_factory=set)

    def add(self, made: _Made, feedback: Feedback) -> None:
        fed_back = made.vector if feedback == "vector" else made.sentence_vector
        self.vectors = np.concatenate([self.vectors, fed_back[None]])[-self.window :]
        self.texts = [*self.texts, made.step.decoded.text][-self.window :]
        self.said.add(same_text(made.step.decoded.text))
        if made.step.decoded.row is not None:
            self.rows.add(made.step.decoded.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A step with its vectors (D,): the prediction, what was decoded, and the sentence's own; `repeated` is a text that
    was there already."""

    step: Step
    prediction: np.ndarray
    vector: np.ndarray
    sentence_vector: np.ndarray
    context_mean: np.ndarray
    repeated: bool


async def _open(stages: Stages, request: ContinuationRequest) -> tuple[_State, Opening]:
    times = _Times()
    with times.measure("chunk"):
        chunks = await stages.chunk(request.text)
    used = chunks[-stages.window :]
    with times.measure("encode"):
        own = await stages.encode(used)
    vectors, texts, rows, empty = own, used, (), max(0, (stages.slots or 0) - len(used))
    if request.fill and empty:
        with times.measure("fill"):
            filled = await stages.fill(own)
        vectors, texts, empty = filled.context.vectors, [*filled.texts, *used], filled.context.empty
        rows = tuple(filled.context.rows.tolist())
    said = {same_text(text) for text in [*texts, *chunks]}
    state = _State(vectors, texts, unit(own.mean(axis=0)), stages.window, set(rows), said)
    left_out = len(chunks) - len(used)
    return state, Opening(
        chunks=tuple(texts), rows=rows, own=len(used), left_out=left_out, empty=empty, times=dict(times)
    )


async def _make(stages: Stages, request: ContinuationRequest, state: _State, number: int) -> _Made:
    times = _Times()
    with times.measure("predict"):
        prediction = await stages.predict(state.vectors)
    context_mean = state.vectors.mean(axis=0)
    vector, snapped = prediction, None
    if request.snap:
        query = SnapQuery(
            prediction=prediction, query=state.topic, context_mean=context_mean, excluded=tuple(sorted(state.rows))
        )
        with times.measure("snap"):
            snapped = await stages.snap(query)
        vector = snapped.snapped.vector
    asked = DecodeQuery(
        vector=vector,
        sources=tuple(state.texts),
        seen_rows=frozenset(state.rows),
        seen_texts=frozenset(state.said),
        decoder=request.decoder,
        steps=request.steps,
    )
    with times.measure("decode"):
        sentence = await stages.decode(asked)
    sentence_vector = sentence.vector
    if sentence_vector is None:
        with times.measure("encode"):
            sentence_vector = (await stages.encode([sentence.decoded.text]))[0]
    step = Step(
        number=number,
        decoded=sentence.decoded,
        document=sentence.document,
        title=sentence.title,
        context_cosines=tuple((state.vectors @ prediction).tolist()),
        topic_cosine=float(sentence_vector @ state.topic),
        neighbours=_neighbours(snapped),
        snap=_report(snapped),
        times=dict(times),
    )
    return _Made(
        step=step,
        prediction=prediction,
        vector=vector,
        sentence_vector=sentence_vector,
        context_mean=unit(context_mean),
        repeated=same_text(sentence.decoded.text) in state.said,
    )


class _Rules:
    """The stop rules, and what they remember."""

    def __init__(self, config: StopConfig, topic: np.ndarray) -> None:
        self._config, self._topic = config, topic
        self._sentences: list[np.ndarray] = []
        self._predictions: list[np.ndarray] = []
        self._drifting = 0

    def repeats(self, made: _Made) -> tuple[Reason, str] | None:
        """Why a sentence is not worth giving, if so."""
        config, text = self._config, made.step.decoded.text
        why = None
        if made.repeated:
            why = "the next sentence was there already"
        elif (share := bigram_share(text)) > DEFAULT.max_bigram_share:
            why = f"one word bigram makes up {share:.0%} of the next sentence"
        elif (cosine := _closest(made.sentence_vector, self._sentences)) > config.max_sentence_cosine:
            why = f"the next sentence has cosine {cosine:.2f} with an earlier one, over {config.max_sentence_cosine:g}"
        elif (cosine := _closest(made.prediction, self._predictions)) > config.max_vector_cosine:
            why = f"the prediction no longer moves: cosine {cosine:.4f} with an earlier one"
        self._sentences.append(made.sentence_vector)
        self._predictions.append(made.prediction)
        return None if why is None else ("repetition", why)

    def drifts(self, made: _Made) -> tuple[Reason, str] | None:
        """Why a sentence should be the last, if so."""
        config = self._config
        topic = float(made.sentence_vector @ self._topic)
        context = float(made.sentence_vector @ made.context_mean)
        away = topic < config.min_topic_cosine or context < config.min_context_cosine
        self._drifting = self._drifting + 1 if away else 0
        if self._drifting < config.patience:
            return None
        return (
            "drift",
            f"{self._drifting} sentences in a row left the topic: the last has cosine {topic:.2f} with the text and "
            f"{context:.2f} with its context",
        )


def _closest(vector: np.ndarray, others: Sequence[np.ndarray]) -> float:
    return float((np.stack(others) @ vector).max()) if others else -1.0


def _neighbours(result: SnapResult | None) -> tuple[Neighbour, ...]:
    if result is None:
        return ()
    return tuple(
        Neighbour(
            row=chunk.row,
            similarity=chunk.similarity,
            weight=float(weight),
            text=chunk.text,
            document=chunk.document,
            title=chunk.title,
        )
        for chunk, weight in zip(result.neighbours, result.snapped.weights, strict=False)
    )


def _report(result: SnapResult | None) -> SnapReport | None:
    if result is None:
        return None
    snapped: Snapped = result.snapped
    return SnapReport(
        moved=snapped.moved,
        distance=snapped.snap_distance,
        clamped=snapped.clamped,
        query_cosine=snapped.query_cosine,
        context_cosine=snapped.context_cosine,
    )


def _plain(record: Any) -> dict[str, Any]:
    """A flat dataclass as JSON-able values, floats to four decimals."""
    values = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return {name: _short(value) if isinstance(value, float) else value for name, value in values.items()}


def _short(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


def _rounded(times: dict[str, float]) -> dict[str, float]:
    return {stage: round(value, 2) for stage, value in times.items()}


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
