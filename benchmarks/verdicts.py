"""Claim: a comparison calls something better or worse that is not in 5 % of cases, and finds what theory says it finds.

    python benchmarks/verdicts.py [--runs 1000] [--documents 60]

Draws evaluations of models that are equal (2, 6 and 12 of them; with and without a shared anchor; trained once, or with
three seeds that differ by luck) and lets `compare`, and the answers of a study, judge them. Counted is a comparison in
which any verdict on equals is not "cannot tell". Then a difference of known size, which is found as often as the
paired test of textbooks would find it. The draws for each verdict are fewer than a report's, to save time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextvec.comparing.contest import Contest
from nextvec.evaluation.column import Column
from nextvec.evaluation.compare import compare
from nextvec.evaluation.comparison import Comparison
from nextvec.evaluation.draws import Drawing
from nextvec.evaluation.evaluation import Evaluation, Subject
from nextvec.evaluation.seeds import average
from nextvec.records.study import Run
from nextvec.studies.leaderboard import answers, make_claims
from record import Claim, leave_record, options_of

Floats = NDArray[np.float64]

LEVEL = 0.53
WEAK = 0.50
BASELINE, WEAKER = "ridge-mix", "ewma"
SEEDS = (0, 1, 2)
LUCK = (0.0, 0.0006, 0.003)
DRAWING = Drawing(resamples=200, permutations=999)
POWER = 0.8
LIMITS = [
    "Figures of documents are normal here; those of real documents are skewed, which sign flips allow for only where "
    "differences are as often above as below.",
    "Three seeds tell little about the luck of training: two architectures are judged somewhat too strictly where luck "
    "is small.",
    "Every verdict comes from 999 arrangements, a report's from 10,000.",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """k equal models on a test set.

    `own`: what a model does differently in a document, `chance`: what a training run does, `luck`: what a run does in
    all; standard deviations in cosine. A shared anchor makes models differ less from the baseline, and from each other.
    """

    models: int
    anchored: bool
    seeds: int
    luck: float = 0.0
    documents: int = 60
    gain: float = 0.0

    @property
    def own(self) -> float:
        return 0.002 if self.anchored else 0.02

    @property
    def chance(self) -> float:
        return self.own / 2

    @property
    def name(self) -> str:
        anchor = "one anchor" if self.anchored else "no anchor"
        seeds = "1 seed" if self.seeds == 1 else f"{self.seeds} seeds, luck {self.luck:g}"
        return f"{self.models} models, {anchor}, {seeds}"

    @property
    def error(self) -> float:
        """The standard error of a checkpoint's difference from the baseline."""
        return float(np.hypot(self.own, self.chance) / np.sqrt(self.documents))


@dataclass(frozen=True, slots=True)
class Draw:
    """Models by name, each with its runs, and the baselines on test and on validation."""

    groups: dict[str, list[Evaluation]]
    baselines: list[Evaluation]
    validation: list[Evaluation]


def draw(world: World, rng: np.random.Generator) -> Draw:
    difficulty = 0.1 * rng.standard_normal(world.documents)
    targets = rng.integers(20, 40, world.documents)
    groups = {f"m{i}": list(_runs(world, f"m{i}", i, difficulty, targets, rng)) for i in range(world.models)}
    baselines = [_baseline(name, level + difficulty, targets, "test") for name, level in _levels()]
    validation = [_baseline(name, level + difficulty, targets, "validation") for name, level in _levels()]
    return Draw(groups, baselines, validation)


def by_compare(world: World, rng: np.random.Generator) -> Comparison:
    """Checkpoints, or averages over seeds, against the best baseline, the anchor and a reference."""
    drawn = draw(world, rng)
    models = [average(group, name) if len(group) > 1 else group[0] for name, group in drawn.groups.items()]
    options: dict[str, Any] = {"validation": drawn.validation, "reference": WEAKER, "drawing": DRAWING}
    return compare(models, drawn.baselines, **options)


def by_study(world: World, rng: np.random.Generator) -> tuple[Comparison, list[str]]:
    """What a study claims, and its answers in short."""
    drawn = draw(world, rng)
    runs = [
        Run(architecture=name, corpus="c@all", variant="", seed=seed, fingerprint=one.name, model=one.name)
        for name, group in drawn.groups.items()
        for seed, one in enumerate(group)
    ]
    contest = Contest(
        comparison=None,  # type: ignore[arg-type]
        models=[one for group in drawn.groups.values() for one in group],
        baselines=drawn.baselines, validation=drawn.validation, entrants={}, generations=[],
        test=None, test_documents=None,  # type: ignore[arg-type]
    )  # fmt: skip
    return make_claims(contest, runs, DRAWING).comparison, [a.short for a in answers(contest, runs, DRAWING)]


def false_verdicts(comparison: Comparison) -> list[str]:
    """Verdicts on equals; all but the weaker baseline are."""
    return [c.sentence for c in comparison.contrasts if c.right != WEAKER and c.verdict != "cannot tell"]


def claims_of(shorts: Sequence[str]) -> list[str]:
    """Answers that say yes or no where nothing is to be said."""
    return [short for short in shorts if short.startswith(("Yes", "No:"))]


def false_rates(world: World, runs: int, seed: int) -> tuple[float, float]:
    """The share of comparisons, and of studies, with a false verdict."""
    rng = np.random.default_rng([seed, world.models, world.seeds, world.anchored, round(1e6 * world.luck)])
    compared = studied = 0
    for _ in range(runs):
        compared += bool(false_verdicts(by_compare(world, rng)))
        comparison, shorts = by_study(world, rng)
        studied += bool(false_verdicts(comparison) or claims_of(shorts))
    return compared / runs, studied / runs


def power(runs: int, documents: int, seed: int) -> tuple[float, float]:
    """How often a model that is better by so much is called better, and how often theory says it is."""
    error = World(models=1, anchored=False, seeds=1, documents=documents).error
    size = (NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(POWER)) * error
    world = World(models=1, anchored=False, seeds=1, documents=documents, gain=size)
    rng = np.random.default_rng([seed, 99])
    found = [by_compare(world, rng).contrast("m0", "best baseline") for _ in range(runs)]
    return float(np.mean([c is not None and c.verdict == "better" for c in found])), _paired_power(
        size / error, documents
    )


def worlds(documents: int) -> Iterator[World]:
    for models, anchored in product((2, 6, 12), (False, True)):
        yield World(models=models, anchored=anchored, seeds=1, documents=documents)
        for luck in LUCK:
            yield World(models=models, anchored=anchored, seeds=len(SEEDS), luck=luck, documents=documents)


def main() -> int:
    options = _options()
    rates: dict[str, dict[str, float]] = {}
    for world in worlds(options.documents):
        compared, studied = false_rates(world, options.runs, options.seed)
        rates[world.name] = {"compare": compared, "study": studied}
        print(f"{world.name:<42} compare {compared:.3f}  study {studied:.3f}", flush=True)
    found, theory = power(options.runs, options.documents, options.seed)
    leave_record(
        options,
        dataset=f"{options.runs} simulated comparisons and studies for each of {len(rates)} settings, "
        f"{options.documents} documents",
        claims=list(_claims(rates, found, theory, options.runs)),
        limits=LIMITS,
        measured={"runs": options.runs, "documents": options.documents, "false_verdicts": rates},
    )
    return 0


def _claims(rates: dict[str, dict[str, float]], found: float, theory: float, runs: int) -> Iterator[Claim]:
    """Bounds are those of Monte Carlo: three standard errors above 5 %."""
    allowed = 0.05 + 3 * float(np.sqrt(0.05 * 0.95 / runs))
    for how in ("compare", "study"):
        shares = [rate[how] for rate in rates.values()]
        for what, figure, bound in (("highest", max(shares), allowed), ("mean", float(np.mean(shares)), 0.05)):
            yield Claim(
                what=f"Equal models, {how}: {what} share of runs with a false verdict over {len(rates)} settings",
                figure=figure, unit="of runs", reference="0.05 promised", at_most=bound,
            )  # fmt: skip
    yield Claim(
        what=f"A real difference, found in {found:.3f} of runs", figure=found / theory,
        reference=f"the paired t-test's {theory:.3f}", at_least=0.95, at_most=1.05,
    )  # fmt: skip


def _options() -> argparse.Namespace:
    parser = options_of("verdicts", __doc__)
    parser.add_argument("--runs", type=int, default=1000, help="simulated comparisons a setting")
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _levels() -> tuple[tuple[str, float], ...]:
    return (BASELINE, LEVEL), (WEAKER, WEAK)


def _runs(
    world: World, name: str, number: int, difficulty: Floats, targets: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[Evaluation]:
    own = LEVEL + world.gain + difficulty + world.own * rng.standard_normal(world.documents)
    for seed in SEEDS[: world.seeds]:
        values = own + world.luck * rng.standard_normal() + world.chance * rng.standard_normal(world.documents)
        subject = Subject(
            name=f"{name}-s{seed}" if world.seeds > 1 else name, architecture=name, seed=seed,
            anchor=BASELINE if world.anchored else "none", parameters=1000 * (number + 1), trained_on="c@all",
            trained_rows=1,
        )  # fmt: skip
        yield _evaluation(subject, values, targets, "test")


def _baseline(name: str, values: Floats, targets: NDArray[np.int64], part: str) -> Evaluation:
    return _evaluation(Subject(name=name, architecture=name, trained_on="c@all", trained_rows=1), values, targets, part)


def _evaluation(subject: Subject, values: Floats, targets: NDArray[np.int64], part: str) -> Evaluation:
    return Evaluation(
        subject=subject, corpus="c@all", encoder="e", encoder_fingerprint="e", split_fingerprint="s", fingerprint=part,
        min_context=5, seed=0, doc_ids=tuple(map(str, range(len(targets)))), targets=targets,
        columns={"cosine": Column(values * targets, targets.astype(float))}, train_mean_norm=0.4, seconds=1.0,
    )  # fmt: skip


def _paired_power(effect: float, documents: int) -> float:
    """Of the two-sided paired t-test at 5 % for an effect in standard errors, by drawing."""
    rng = np.random.default_rng(0)
    freedom = documents - 1
    spread = np.sqrt(rng.chisquare(freedom, 400_000) / freedom)
    null, real = rng.standard_normal(400_000) / spread, (rng.standard_normal(400_000) + effect) / spread
    return float((np.abs(real) > np.quantile(np.abs(null), 0.95)).mean())


if __name__ == "__main__":
    sys.exit(main())
