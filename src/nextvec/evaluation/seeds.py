"""Training by chance: what models that differ in their seed alone have in common, and how far they lie apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from nextvec.evaluation.column import Column
from nextvec.evaluation.evaluation import Evaluation, Subject

SEEDS_FOR_A_CLAIM = 3
_AVERAGE = re.compile(r" \(\d+ seeds\)$")
_SEED = re.compile(r"(?:[-_. ](?:s|seed)\d*)?[-_. ]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedSpread:
    """One figure over the seeds of one model: mean, lowest, highest, standard deviation between seeds."""

    architecture: str
    anchor: str
    variant: str
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
        for figure in (name for name in figures if all(name in evaluation.columns for evaluation in group)):
            values = np.array([evaluation.estimate(figure) for evaluation in group])
            yield SeedSpread(
                architecture=subject.architecture,
                anchor=subject.anchor,
                variant=subject.variant,
                trained_on=subject.trained_on,
                figure=figure,
                seeds=len(group),
                mean=float(values.mean()),
                low=float(values.min()),
                high=float(values.max()),
                deviation=float(values.std(ddof=1)),
            )


def averaged(models: Sequence[Evaluation]) -> list[Evaluation]:
    """One evaluation for every group of at least two seeds, named for what the names of the seeds have in common, or,
    where that tells no groups apart, for the architecture and its settings; with the number of seeds.

    Each document's parts are averaged over the seeds, so that comparing it says what one training run of the
    architecture is worth on average. Only evaluations of one test set may be averaged (`require_comparable`).
    """
    groups = seed_groups(models)
    names = [_common(group) for group in groups]
    if not all(names) or len(set(names)) < len(names):
        names = [_described(group) for group in groups]
    return [average(group, f"{name} ({len(group)} seeds)") for group, name in zip(groups, names, strict=True)]


def is_average(name: str) -> bool:
    """Whether it is a name that `averaged` gives."""
    return bool(_AVERAGE.search(name))


def seed_groups(models: Sequence[Evaluation]) -> list[list[Evaluation]]:
    """Models that differ in name and seed alone, where there are at least two seeds; those without one are left out,
    and so is another model of a seed that is there (a copy from the hub, say): it is no second training."""
    groups: dict[Subject, dict[int, Evaluation]] = {}
    for model in models:
        if model.subject.seed is not None:
            groups.setdefault(model.subject.but_seed, {}).setdefault(model.subject.seed, model)
    return [list(group.values()) for group in groups.values() if len(group) > 1]


def in_groups(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """The same, with one average in place of each group of at least two seeds, at the end."""
    grouped = {each.name for group in seed_groups(evaluations) for each in group}
    return [*(each for each in evaluations if each.name not in grouped), *averaged(evaluations)]


def average(group: Sequence[Evaluation], name: str) -> Evaluation:
    """One evaluation called `name` for a group that differs in the seed alone; its columns know their runs."""
    first = group[0]
    shared = [figure for figure in first.columns if all(figure in other.columns for other in group)]
    return replace(
        first,
        subject=replace(first.subject, name=name, seed=None),
        columns={figure: Column.mean([evaluation.column(figure) for evaluation in group]) for figure in shared},
        seconds=sum(evaluation.seconds for evaluation in group),
    )


def _common(group: Sequence[Evaluation]) -> str:
    """ "gru-wiki" of "gru-wiki", "gru-wiki-s1" and "gru-wiki-s2"; "" where names have nothing in common."""
    letters = zip(*(evaluation.name for evaluation in group), strict=False)
    return _SEED.sub("", "".join(same[0] for same in takewhile(lambda same: len(set(same)) == 1, letters)))


def _described(group: Sequence[Evaluation]) -> str:
    subject = group[0].subject
    where = f" on {subject.trained_on}" if subject.trained_on else ""
    anchor = f" anchored on {subject.anchor}" if subject.anchor != "none" else ""
    variant = f" with {subject.variant}" if subject.variant else ""
    return f"{subject.architecture}{anchor}{variant}{where}"
