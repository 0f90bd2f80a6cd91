"""What a metric is, what it is given, and the registry of all of them.

A metric sees one document at a time and gives, for each of its figures, a numerator and a denominator. A figure is the
ratio of their sums over documents, so that everything can be resampled by document afterwards (statistics.py).

Shapes: N rows of a document, M targets (rows min_context..N-1), D embedding size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from nextvec.errors import UsageError
from nextvec.evaluation.drawn import Drawn
from nextvec.evaluation.pools import ForeignPool, Pools
from nextvec.models.predictor import Predictor
from nextvec.registry import Registry

SHOWN = 80
"""Characters of a wrong answer that an error repeats."""
_PACKAGE = "nextvec."


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that a metric reports.

    `higher_is_better` is None for a description that is neither good nor bad; `low` and `high` bound its values, where
    they are bounded, and intervals are cut there;
    `optional` is one that some predictors cannot have: those without samples, or without a density; `judges` is the
    part of a forecast that it is a figure of.
    """

    name: str
    meaning: str
    higher_is_better: bool | None = True
    low: float = -math.inf
    high: float = math.inf
    optional: bool = False
    judges: Literal["point", "query", "ahead", "topic", "samples", "density"] = "point"


@dataclass(frozen=True, slots=True)
class Part:
    """One document's share of a figure: numerator, denominator, and the numerator that chance would give."""

    total: float
    count: float
    chance: float | None = None

    @classmethod
    def of(cls, values: npt.ArrayLike | Tensor) -> Part:
        """Of a mean over targets, from (M,) values; summed on the CPU, as not every accelerator has float64."""
        numbers = (values if isinstance(values, Tensor) else torch.as_tensor(values, device="cpu")).cpu().double()
        return cls(float(numbers.sum()), float(numbers.numel()))


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What holds for a whole evaluation.

    `train_mean_D` is the mean training vector (not normalised); `context` is how many last vectors the predictor sees
    (None: all so far); `predictor` is asked by metrics that change its input, or read on where a document ends;
    `temperatures` are what its scores are divided by to be log odds, by pool.
    """

    min_context: int
    seed: int
    train_mean_D: Tensor
    foreign: ForeignPool
    context: int | None
    predictor: Predictor
    temperatures: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def pools(self) -> Pools:
        """What targets are found among, shared by all metrics."""
        return Pools(self.foreign, self.min_context)


@dataclass(frozen=True, kw_only=True)
class Passage:
    """One document with its predictions. Vectors and predictions have unit norm.

    `number` identifies the document within the evaluation; predicted_MD[j] is the prediction of
    vectors_ND[first + j] from the rows before it, query_MD[j] what its document's candidates for it are ranked by,
    ahead_MD[j] those that all lie ahead, and topic_MD[j] those of other documents: the prediction, where the predictor
    has none of its own; `ahead_MD` is None where it is the query. `density` gives (M,) log densities of the targets in
    nats, `draw` unit samples (K, M, D); None for a predictor that cannot.
    """

    number: int
    doc_id: str
    vectors_ND: Tensor
    predicted_MD: Tensor
    query_MD: Tensor
    topic_MD: Tensor
    ahead_MD: Tensor | None = None
    density: Callable[[], Tensor] | None = None
    draw: Callable[[], Tensor] | None = None

    @property
    def first(self) -> int:
        return len(self.vectors_ND) - len(self.predicted_MD)

    @property
    def target_MD(self) -> Tensor:
        return self.vectors_ND[self.first :]

    @cached_property
    def drawn(self) -> Drawn | None:
        """What is drawn, once for all metrics."""
        return None if self.draw is None else Drawn.of(self.draw(), self.target_MD, self.predicted_MD)


class Metric(Protocol):
    """Built anew for every evaluation as `metric(setting)`. A `costly` one is measured on request only.

    `version` is raised when the values of a figure change: what an older version measured is then measured again.
    """

    figures: ClassVar[tuple[Figure, ...]]
    costly: ClassVar[bool]
    version: ClassVar[int]

    def __init__(self, setting: Setting) -> None: ...

    def measure(self, passage: Passage) -> dict[str, Part]:
        """Parts by figure name; a figure that this document cannot have is left out."""
        ...


@runtime_checkable
class Settling(Metric, Protocol):
    """A metric that knows its parts only when it has seen every document."""

    def settle(self) -> dict[str, list[Part]]:
        """Parts by figure name, one for each document measured, in that order."""
        ...


def _require_metric(name: str, metric: type[Metric], known: Mapping[str, type[Metric]]) -> None:
    """Raises UsageError for what is none, and for a figure that another metric has."""
    if lacks := [
        f"{part}, {what}" for part, (what, holds) in EXPECTED.items() if not holds(getattr(metric, part, None))
    ]:
        raise UsageError(f"metric '{name}' ({getattr(metric, '__qualname__', metric)}): expected {'; '.join(lacks)}")
    for other, theirs in known.items():
        taken = _names(metric) & _names(theirs)
        if taken and other != name:
            raise UsageError(
                f"metric '{name}' has a figure '{min(taken)}', which is one of metric '{other}'. Choose another name "
                "for the figure"
            )


def _are_figures(value: object) -> bool:
    return isinstance(value, tuple | list) and len(value) > 0 and all(isinstance(each, Figure) for each in value)


def _names(metric: Metric | type[Metric]) -> set[str]:
    return {figure.name for figure in metric.figures}


EXPECTED: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "figures": ("a tuple of one Figure or more", _are_figures),
    "costly": ("True or False: whether it is measured on request alone", lambda value: isinstance(value, bool)),
    "version": ("a whole number", lambda value: isinstance(value, int)),
    "measure": ("a method that gives a Part for each figure's name", callable),
}
"""What a metric must have."""

METRICS: Registry[type[Metric]] = Registry("metrics", "nextvec.evaluation.metrics", check=_require_metric)


def figures() -> dict[str, Figure]:
    """Every figure of every registered metric, by name."""
    return {figure.name: figure for name in METRICS for figure in METRICS.get(name).figures}


def limits(figure: str) -> tuple[float, float]:
    """Least and greatest value of a figure; infinite for one that no metric here has."""
    known = figures().get(figure)
    return (known.low, known.high) if known else (-math.inf, math.inf)


def own_figures() -> list[str]:
    """Names of the figures of metrics that somebody has registered beside those of this package."""
    metrics = (METRICS.get(name) for name in METRICS)
    own = (metric for metric in metrics if not _is_ours(metric))
    return [figure.name for metric in own for figure in metric.figures]


def _is_ours(metric: type) -> bool:
    return metric.__module__.startswith(_PACKAGE)


def default_metrics() -> tuple[str, ...]:
    """Names of the metrics that are measured unless others are asked for."""
    return tuple(name for name in METRICS if not METRICS.get(name).costly)


def metric_versions(names: Iterable[str]) -> dict[str, int]:
    """Versions by name of the metrics called `names`."""
    return {name: METRICS.get(name).version for name in names}


def measured(name: str, metric: Metric, passage: Passage) -> Mapping[str, Part]:
    """Parts by figure. Raises UsageError when the metric called `name` gives anything else, or a figure that it did not
    declare."""
    parts: object = _measure(name, metric, passage)
    if not isinstance(parts, Mapping) or not all(isinstance(part, Part) for part in parts.values()):
        raise UsageError(f"metric '{name}': measure gave {_short(parts)}; {_expected(metric)}")
    _require_declared(name, metric, parts)
    for figure, part in parts.items():
        _require_finite(name, figure, part)
    return parts


def _measure(name: str, metric: Metric, passage: Passage) -> object:
    """What one of somebody else gives, which is told if it has changed what the others will be given."""
    if _is_ours(type(metric)):
        return metric.measure(passage)
    shared = (passage.vectors_ND, passage.predicted_MD, passage.query_MD, passage.topic_MD)
    before = [tensor.clone() for tensor in shared]
    parts = metric.measure(passage)
    if not all(map(torch.equal, shared, before)):
        raise UsageError(f"metric '{name}' changes the vectors of the passage; let it work on a copy of them")
    return parts


def settled(name: str, metric: Settling, documents: int) -> Mapping[str, list[Part]]:
    """Parts by figure, one for each of the documents measured. Raises as `measured`."""
    parts = metric.settle()
    _require_declared(name, metric, parts)
    for figure, each in parts.items():
        if len(each) != documents:
            raise UsageError(
                f"metric '{name}': settle gave {len(each)} parts of '{figure}'; expected one for each of the "
                f"{documents} documents measured"
            )
    return parts


def _require_declared(name: str, metric: Metric, parts: Mapping[str, object]) -> None:
    if unknown := parts.keys() - _names(metric):
        raise UsageError(
            f"metric '{name}' gave {_short(min(unknown, key=str))}, which is none of its figures; {_expected(metric)}"
        )


def _require_finite(name: str, figure: str, part: Part) -> None:
    if not (_is_finite(part.total) and _is_finite(part.count) and part.count >= 0):
        raise UsageError(
            f"metric '{name}': '{figure}' of a document is {part.total} / {part.count}; expected finite numbers, and "
            "Part(0.0, 0.0) for a document that says nothing"
        )


def _is_finite(number: object) -> bool:
    """Whether it is one number, of whatever library, and finite."""
    try:
        return math.isfinite(number)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        return False


def _expected(metric: Metric) -> str:
    return f"expected a dictionary of a Part for each figure's name: {', '.join(sorted(_names(metric)))}"


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."


def row_cosines(left_MD: Tensor, right_MD: Tensor) -> Tensor:
    """(M,) cosines of unit vectors, row by row, limited to [-1, 1] against rounding."""
    return (left_MD * right_MD).sum(dim=-1).clamp(-1.0, 1.0)


def unit_rows(x: Tensor) -> Tensor:
    """`x` scaled to norm 1 over its last axis, in float32; a zero vector stays zero."""
    return F.normalize(x.float(), dim=-1, eps=1e-12)


def document_rng(seed: int, doc_id: str) -> np.random.Generator:
    """What is random in this document, whatever the others are."""
    return np.random.default_rng([seed, *doc_id.encode()])


def sample_targets(seed: int, doc_id: str, low: int, high: int, size: int) -> np.ndarray:
    """At most `size` positions of low..high-1, ascending, drawn for this document whatever the others are."""
    rng = document_rng(seed, doc_id)
    positions = np.arange(low, max(low, high))
    return np.sort(rng.choice(positions, size=min(size, len(positions)), replace=False))


@torch.no_grad()
def predict_last(predictor: Predictor, sequences: Sequence[Tensor]) -> Tensor:
    """(B, D) predictions after the last vector of each sequence (T_b, D), which are read side by side, each to its end:
    nothing is predicted where nobody asks, and a recurrent network takes one step for all of them."""
    longest_first = sorted(range(len(sequences)), key=lambda place: -len(sequences[place]))
    x_BTD = torch.nn.utils.rnn.pad_sequence([sequences[place] for place in longest_first], batch_first=True)
    lengths = [len(sequences[place]) for place in longest_first]
    memory, read, found = predictor.start(len(sequences)), 0, []
    for end in sorted(set(lengths)):
        x_BTD, staying = x_BTD[: memory.documents], sum(length > end for length in lengths)
        found.append(predictor.read(x_BTD[staying:, read:end], memory[staying:])[0].point[:, 0])
        if staying:
            memory, read = predictor.read(x_BTD[:staying, read:end], memory[:staying])[1], end
    return torch.cat(found[::-1])[np.argsort(longest_first)]
