"""What a study searches, as the table [search] of its plan says it.

[search]
trials = 40
finalists = 1              # named beforehand: so many of the best on validation, and no others, see the test documents

[search.space]
lr = { low = 1e-4, high = 1e-3, log = true }
batch = [32, 64, 128]
point.loss = ["balanced", "mse"]
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from nextvec.config import Config, Seed
from nextvec.errors import UsageError

if TYPE_CHECKING:
    from optuna.trial import Trial

Options = dict[str, Any]


class Range(Config):
    """All numbers from `low` to `high`, whole ones where both are whole."""

    low: int | float
    high: int | float
    log: bool = False

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


class Search(Config):
    """How settings are searched. With sampler `grid` every combination of the space's lists is a trial."""

    space: dict[str, Any] = Field(min_length=1)
    trials: int | None = Field(None, ge=1, description="needed but for a grid")
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    seed: Seed = Field(0, description="of the sampler")
    prune: bool = Field(True, description="end a trial whose best epoch so far is below the median of the others'")
    finalists: int = Field(1, ge=1, description="trials that are judged on test documents: the best on validation")

    @property
    def planned(self) -> int:
        """Trials."""
        return self.trials if self.trials is not None else prod(len(values) for values in self.space.values())

    def grid(self) -> list[Options]:
        """Every combination, in the order of the space."""
        return [dict(zip(self.space, chosen, strict=True)) for chosen in product(*self.space.values())]


def check_search(search: Search, owner: str) -> None:
    """Raises UsageError for what is no space, a grid with a range, no number of trials, more finalists than trials, a
    value given twice."""
    for key, values in search.space.items():
        if isinstance(values, Mapping):
            _check_range(Range.parse(values, owner=f"{owner} {key}"), f"{owner} {key}")
        elif not isinstance(values, list) or not values:
            raise UsageError(
                f"{owner}: {key} = {values!r}: expected a list, or {{ low = ..., high = ..., log = true }}"
            )
        else:
            refuse_repetition(values, f"{owner}: {key}")
    if search.sampler == "grid":
        _check_grid(search, owner)
    elif search.trials is None:
        raise UsageError(f"{owner}: trials is missing; say how many there are to be: trials = 40")
    if search.finalists > search.planned:
        raise UsageError(f"{owner}: {search.finalists} finalists of {search.planned} trials; name fewer, or try more")


def _check_range(given: Range, owner: str) -> None:
    if not given.low < given.high or (given.log and given.low <= 0):
        raise UsageError(
            f"{owner}: low = {given.low}, high = {given.high}: expected low < high, above 0 with log = true"
        )


def _check_grid(search: Search, owner: str) -> None:
    ranges = [key for key, values in search.space.items() if isinstance(values, Mapping)]
    if ranges:
        raise UsageError(f"{owner}: {ranges[0]} is a range, and a grid has lists alone; list its values, or use tpe")
    if search.trials is not None:
        raise UsageError(f"{owner}: a grid has {len(search.grid())} trials, one a combination; leave out trials")


def example(search: Search) -> Options:
    """Some point of the space."""
    return {key: values["low"] if isinstance(values, Mapping) else values[0] for key, values in search.space.items()}


def corners(search: Search) -> Iterator[Options]:
    """Points of the space that differ from `example` in one value: each of a list, of a range its end and one within,
    which is no whole number where it draws others."""
    for key, values in search.space.items():
        for value in _within(Range.parse(values, owner=key)) if isinstance(values, Mapping) else values:
            yield {**example(search), key: value}


def _within(span: Range) -> list[int | float]:
    return [span.high] if span.whole else [span.high, span.low + (span.high - span.low) / math.pi]


def refuse_repetition(values: Sequence[Any], owner: str) -> None:
    """Raises UsageError for a value that is there twice."""
    if repeated := [value for i, value in enumerate(values) if value in values[:i]]:
        raise UsageError(f"{owner} has {repeated[0]!r} twice; give it once")


def suggest(trial: Trial, space: Mapping[str, Any]) -> Options:
    """The point of the space that a trial is to try; what it was given before it is given again."""
    return {key: _suggest(trial, key, values) for key, values in space.items()}


def _suggest(trial: Trial, key: str, values: Any) -> Any:
    if not isinstance(values, Mapping):
        return trial.suggest_categorical(key, values)
    span = Range.parse(values, owner=key)
    if span.whole:
        return trial.suggest_int(key, int(span.low), int(span.high), log=span.log)
    return trial.suggest_float(key, float(span.low), float(span.high), log=span.log)


def in_words(options: Mapping[str, Any]) -> str:
    """ "batch=64, lr=0.000312", as a run's variant has it; numbers to three figures."""
    return ", ".join(f"{key}={_short(options[key])}" for key in sorted(options))


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
