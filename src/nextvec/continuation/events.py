"""What a continuation tells as it goes on: an opening, a step a sentence, an ending; and all of them together."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from nextvec.continuation.familiarity import Familiarity
from nextvec.decoding.decoder import Decoded

Reason = Literal["length", "repetition", "drift", "time", "exhausted"]
Draws = Literal["samples", "candidates"]
"""What a model draws from: its own samples, or the stored chunks nearest to its point."""
Tells = Literal["density", "candidates"]
"""What a likelihood is, see `Likelihood`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The context that predictions start from, in reading order: retrieved chunks, then the user's own.

    Attributes:
        chunks: texts.
        breaks: for each of them, whether it begins a paragraph: 1, 0, or -1 where that is not known.
        following: the same of the sentence that comes next.
        heading: that it comes under, where the text ends with one; else empty.
        rows: stored rows of the retrieved ones.
        own: how many are the user's.
        left_out: chunks of the user's text before those, more than the model looks at.
        empty: slots that nothing filled.
        familiarity: how near the corpus is to the text; None where it has too few held-out documents to say.
        times: milliseconds of chunk, encode, recognise and fill.
    """

    chunks: tuple[str, ...]
    breaks: tuple[int, ...]
    following: int
    heading: str
    rows: tuple[int, ...]
    own: int
    left_out: int
    empty: int
    familiarity: Familiarity | None
    times: dict[str, float]

    @property
    def filled(self) -> int:
        return len(self.rows)

    def to_dict(self) -> dict[str, Any]:
        return _plain(self) | {"filled": self.filled}


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A stored chunk that drew a prediction: `similarity` is its cosine with it, `weight` its share of the snap."""

    row: int
    similarity: float
    weight: float
    text: str
    document: str
    title: str

    def to_dict(self) -> dict[str, Any]:
        return _plain(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapReport:
    """What snap and anchor did to a prediction: `moved` in all and `distance` to the snap alone, Euclidean, 0..2;
    `clamped` for drift; cosines of the snap with the text and with the mean of the context."""

    moved: float
    distance: float
    clamped: bool
    query_cosine: float
    context_cosine: float

    def to_dict(self) -> dict[str, Any]:
        return _plain(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A stored chunk that might have come: `value` as that of the `Likelihood`."""

    text: str
    value: float

    def to_dict(self) -> dict[str, Any]:
        return _plain(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihood:
    """How likely the model held a sentence before it came, whatever the temperature that it was drawn at.

    Attributes:
        kind: "density": `value` is the log density of its vector, nats against the uniform distribution on the sphere,
            above 0 for what is likelier than by chance; "candidates": its log probability, nats, 0 or less, if what
            comes is the sentence or one of the stored chunks nearest to the prediction.
        alternatives: the likeliest of the others, as many as were asked for.
    """

    kind: Tells
    value: float
    alternatives: tuple[Alternative, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return _plain(self)


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
        snap: None without one, and of a stored chunk that was drawn.
        likelihood: None unless it was asked for.
        times: milliseconds of predict, draw, snap, decode, encode where a generated text was encoded again, and weigh.
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
    likelihood: Likelihood | None = None

    def to_dict(self) -> dict[str, Any]:
        """Flat: `decoded` becomes text, passed, reasons, degraded, steps, row and round_trip; `likelihood` only where
        there is one."""
        decoded, plain = self.decoded, _plain(self)
        del plain["decoded"]
        if self.likelihood is None:
            del plain["likelihood"]
        return {
            "number": plain.pop("number"),
            "text": decoded.text,
            "passed": decoded.verdict.passed,
            "reasons": list(decoded.verdict.reasons),
            "degraded": decoded.degraded,
            "steps": decoded.steps,
            "row": decoded.row,
            "round_trip": _value(decoded.cosine),
            **plain,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why a continuation ended: `detail` in words; `milliseconds` since the request began."""

    reason: Reason
    detail: str
    sentences: int
    milliseconds: float

    def to_dict(self) -> dict[str, Any]:
        return _plain(self)


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


_Told = Neighbour | SnapReport | Likelihood | Alternative | Familiarity


def _plain(record: Any) -> dict[str, Any]:
    return {field.name: _value(getattr(record, field.name)) for field in fields(record)}


def _value(value: Any) -> Any:
    """JSON-able; floats to four decimals."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _value(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_value(part) for part in value]
    return value.to_dict() if isinstance(value, _Told) else value
