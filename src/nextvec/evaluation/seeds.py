"""Training by chance: what models that differ in their seed alone have in common, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from nextvec.evaluation.evaluation import Column, Evaluation

SEEDS_FOR_A_CLAIM = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedSpread:
    """One figure over the seeds of one model: mean, lowest, highest, standard deviation between seeds."""

    architecture: str
    anchor: str
    trained_on: str | None
    figure: str
    seeds: int
    mean: float
    low: float
    high: float
    deviation: float

    @property
    def note(self) -> str | None:
        """The caution that belongs beside fewer than three seeds."""
        return None if self.seeds >= SEEDS_FOR_A_CLAIM else f"only {self.seeds} seeds: no headline claim"


def seed_spreads(models: Sequence[Evaluation], figures: Sequence[str]) -> Iterator[SeedSpread]:
    """For every group of at least two seeds, its spread in each figure."""
    for group in seed_groups(models):
        subject = group[0].subject
        for figure in figures:
            values = np.array([evaluation.estimate(figure) for evaluation in group])
            yield SeedSpread(
                architecture=subject.architecture,
                anchor=subject.anchor,
                trained_on=subject.trained_on,
                figure=figure,
                seeds=len(group),
                mean=float(values.mean()),
                low=float(values.min()),
                high=float(values.max()),
                deviation=float(values.std(ddof=1)),
            )


def averaged(models: Sequence[Evaluation]) -> list[Evaluation]:
    """One evaluation for every group of at least two seeds, named for the architecture and the number of seeds.

    Each document's parts are averaged over the seeds, so that comparing it says what one training run of the
    architecture is worth on average. Only evaluations of one test set may be averaged (`require_comparable`).
    """
    return [_average(group) for group in seed_groups(models)]


def seed_groups(models: Sequence[Evaluation]) -> list[list[Evaluation]]:
    """Models that differ in name and seed alone, where there are at least two; those without a seed are left out."""
    seeded = sorted((m for m in models if m.subject.seed is not None), key=_but_seed)
    groups = [list(group) for _, group in groupby(seeded, key=_but_seed)]
    return [group for group in groups if len(group) > 1]


def _average(group: Sequence[Evaluation]) -> Evaluation:
    first = group[0]
    shared = [name for name in first.columns if all(name in other.columns for other in group)]
    where = f" on {first.subject.trained_on}" if first.subject.trained_on else ""
    anchor = f" anchored on {first.subject.anchor}" if first.subject.anchor != "none" else ""
    name = f"{first.subject.architecture}{anchor}{where} ({len(group)} seeds)"
    return replace(
        first,
        subject=replace(first.subject, name=name, seed=None),
        columns={name: _average_column([evaluation.column(name) for evaluation in group]) for name in shared},
        seconds=sum(evaluation.seconds for evaluation in group),
    )


def _average_column(columns: Sequence[Column]) -> Column:
    sums, counts = (np.mean([getattr(c, side) for c in columns], axis=0) for side in ("sums", "counts"))
    return Column(sums, counts, columns[0].chance)


def _but_seed(evaluation: Evaluation) -> str:
    return repr(replace(evaluation.subject, name="", seed=None))
