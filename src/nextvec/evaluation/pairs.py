"""Two sides and the figure that they differ in, and what may be said of the difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nextvec.evaluation.column import Column
from nextvec.evaluation.comparison import Contrast, Role
from nextvec.evaluation.evaluation import Evaluation
from nextvec.evaluation.metric import figures
from nextvec.evaluation.statistics import Difference, Measurements, verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A difference still to be judged in its family: `right` is what sentences call the right side, `keys` are those of
    both sides among the family's measurements, `basis` says how often what is compared was trained."""

    figure: str
    role: Role
    left: str
    right: str
    keys: tuple[str, str]
    basis: str


def pair_of(figure: str, role: Role, left: Evaluation, right: Evaluation) -> Pair:
    names = left.name, right.name
    trained = basis(figure, left, right)
    return Pair(figure=figure, role=role, left=left.name, right=right.name, keys=names, basis=trained)


def judge(pairs: Sequence[Pair], measurements: Measurements[str]) -> Iterator[Contrast]:
    """Of all pairs together, which are one family."""
    found = measurements.judge([pair.keys for pair in pairs])
    return (_contrast(pair, difference) for pair, difference in zip(pairs, found, strict=True))


def basis(figure: str, *sides: Evaluation) -> str:
    """How often what is compared was trained: "one checkpoint", "3 seeds each", "" where nothing was."""
    told = [_training(side.column(figure)) for side in sides if side.subject.parameters]
    if len(told) == 2:
        return f"{told[0]} each" if told[0] == told[1] else f"{told[0]} against {told[1]}"
    return told[0] if told else ""


def _training(column: Column) -> str:
    return f"{len(column.runs)} seeds" if column.runs else "one checkpoint"


def _contrast(pair: Pair, difference: Difference) -> Contrast:
    interval, adjusted = difference.interval, difference.p_adjusted
    higher_is_better = figures()[pair.figure].higher_is_better is not False
    return Contrast(
        figure=pair.figure,
        role=pair.role,
        left=pair.left,
        right=pair.right,
        basis=pair.basis,
        difference=interval,
        p_value=difference.p_value,
        p_adjusted=adjusted,
        verdict=verdict(interval, adjusted, higher_is_better=higher_is_better, scale=difference.scale),
    )
