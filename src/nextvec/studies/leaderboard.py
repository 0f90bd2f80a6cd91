"""What a study answers, in words: gains from data, size, speed, and how much is the luck of training.

Every claim is about an architecture with its settings on one generation, its seeds averaged document by document, or,
where it was trained once, about that checkpoint. All differences are paired over the same documents, carry the spread
between seeds, and are adjusted together. Each two models of the newest generation are in that family: which of them is
the best is read off the test documents, and a test chosen by its result counts as all that might have been chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from nextvec.amounts import plural
from nextvec.comparing.contest import Contest
from nextvec.evaluation.compare import Drawing, compare
from nextvec.evaluation.comparison import Comparison, Contrast, Row
from nextvec.evaluation.evaluation import Evaluation
from nextvec.evaluation.report import Answer
from nextvec.evaluation.report.wording import count, listed, number, signed, signed_span
from nextvec.evaluation.seeds import SEEDS_FOR_A_CLAIM, SeedSpread, average, seed_groups, seed_spreads
from nextvec.evaluation.statistics import Verdict, p_text
from nextvec.records.study import Run

FIGURE = "cosine"
COLLAPSED = 0.02
"""Of the targets' variance: a model whose predictions have less says nearly the same everywhere."""
_GAINS: dict[Verdict, tuple[str, str]] = {
    "better": ("gains", "gain"),
    "worse": ("loses", "lose"),
    "cannot tell": ("cannot be told", "cannot be told"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The comparison of seed averages, and what a prediction of each costs in milliseconds, by name.

    `newest` are the rows of the newest generation, best first, and each two of them are peers.
    """

    comparison: Comparison
    newest: Sequence[Row]
    milliseconds: Mapping[str, float]

    @property
    def best(self) -> Row:
        return self.newest[0]


def answers(contest: Contest, runs: Sequence[Run], drawing: Drawing | None = None) -> list[Answer]:
    """The answers that the models of the contest allow, `runs` being those they were trained in."""
    ranking = {name for name, entrant in contest.entrants.items() if not entrant.tells_mean}
    with_mean = [model for model in contest.models if model.name not in ranking]
    found = _in_cosine(make_claims(replace(contest, models=with_mean), runs, drawing)) if with_mean else []
    told = [_with_caution(answer, with_mean) for answer in found]
    if ranking:
        told.append(_without_mean([run.label for run in runs if run.model in ranking]))
    luck = _luck(_as_planned(contest.models, runs))
    return [*told, *(answer for answer in (_collapse(contest, runs), luck) if answer)]


def _in_cosine(claims: Claims) -> list[Answer]:
    found = (_training(claims), _data(claims), _settings(claims), _size(claims), _speed(claims))
    return [answer for answer in found if answer is not None]


def _without_mean(labels: Sequence[str]) -> Answer:
    """Which models no answer in cosine is about."""
    names = list(dict.fromkeys(labels))
    has = "has" if len(names) == 1 else "have"
    return Answer(
        question="Which models predict no mean?",
        short=f"{listed(names)} {has} no head that does, and no part in answers about cosine: what only ranks is "
        "judged by MRR, log loss and bits in the table.",
        evidence=(),
    )


def make_claims(contest: Contest, runs: Sequence[Run], drawing: Drawing | None = None) -> Claims:
    labels = {run.model: run.label for run in runs}
    groups: dict[str, list[Evaluation]] = {}
    for evaluation in contest.models:
        groups.setdefault(labels[evaluation.name], []).append(evaluation)
    averaged = [_one(label, group) for label, group in groups.items()]
    trained_on = max(averaged, key=lambda one: one.subject.trained_rows or 0).subject.trained_on
    newest = [one for one in averaged if one.subject.trained_on == trained_on]
    names = {one.name for one in newest}
    comparison = compare(
        averaged,
        contest.baselines,
        validation=contest.validation,
        peers=names,
        headlines=(FIGURE,),
        drawing=drawing,
    )
    return Claims(
        comparison=comparison,
        newest=[row for row in comparison.rows if row.name in names],
        milliseconds={_one(label, group).name: _mean_ms(contest, group) for label, group in groups.items()}
        if contest.latencies
        else {},
    )


def _as_planned(models: Sequence[Evaluation], runs: Sequence[Run]) -> list[Evaluation]:
    """Named as in the plan: by its architecture, with nothing but the settings that the study varies."""
    planned = {run.model: run for run in runs}
    return [_named(model, planned[model.name]) for model in models]


def _named(model: Evaluation, run: Run) -> Evaluation:
    return replace(model, subject=replace(model.subject, architecture=run.architecture, variant=run.variant))


def _with_caution(answer: Answer, models: Sequence[Evaluation]) -> Answer:
    """The answer, which says so where it rests on models that were trained once."""
    groups = seed_groups(models)
    if sum(map(len, groups)) == len(models):
        return answer
    caution = "What was trained once is a checkpoint, not its architecture: another seed may answer otherwise."
    return replace(answer, short=f"{answer.short} {caution}")


def _one(label: str, group: Sequence[Evaluation]) -> Evaluation:
    if len(group) > 1:
        return average(group, f"{label}, {len(group)} seeds")
    (only,) = group
    return replace(only, subject=replace(only.subject, name=label, seed=None))


def _mean_ms(contest: Contest, group: Sequence[Evaluation]) -> float:
    return mean(contest.latencies[evaluation.name].single_ms for evaluation in group)


def _training(claims: Claims) -> Answer | None:
    question = "Is training worth it?"
    against = claims.comparison.contrast(claims.best.name, "best baseline", FIGURE)
    if against is None:
        return None
    standings = (claims.comparison.contrast(row.name, "best baseline", FIGURE) for row in claims.newest)
    better = [standing for standing in standings if standing and standing.verdict == "better"]
    short = {
        "better": "",
        "cannot tell": f"Not proven: even {claims.best.name}, the best, cannot be told from {against.right}.",
        "worse": f"No: even {claims.best.name}, the best, is worse than {against.right}.",
    }[against.verdict]
    evidence = dict.fromkeys([against, *better]) if against.verdict != "better" else [against]
    return Answer(
        question=question, short=_beating(better, against) or short, evidence=tuple(each.sentence for each in evidence)
    )


def _beating(better: Sequence[Contrast], highest: Contrast) -> str:
    """Who beats the best baseline; the one of the `highest` cosine need not, where its runs differ more."""
    if not better:
        return ""
    beat = f"Yes: {listed([each.left for each in better])} {'beats' if len(better) == 1 else 'beat'}"
    doubt = f"; {highest.left}, whose cosine is the highest, cannot be told from {highest.right}"
    return f"{beat} what needs no training{'' if highest in better else doubt}."


def _data(claims: Claims) -> Answer | None:
    """For every step from one generation to the next: who gains, who loses, who cannot be told."""
    steps: dict[str, list[Contrast]] = {}
    trained_on = {row.name: row.subject.trained_on for row in claims.comparison.rows}
    for contrast in claims.comparison.contrasts:
        if contrast.role == "earlier generation":
            step = f"From {trained_on[contrast.right]} to {trained_on[contrast.left]}"
            steps.setdefault(step, []).append(contrast)
    if not steps:
        return None
    return Answer(
        question="Which architecture gains from more data?",
        short=" ".join(f"{step}: {'; '.join(_gains(contrasts))}." for step, contrasts in steps.items()),
        evidence=tuple(contrast.sentence for contrasts in steps.values() for contrast in contrasts),
    )


def _gains(contrasts: Sequence[Contrast]) -> Iterator[str]:
    """E.g. "gru and lstm gain", by verdict; the largest gain first."""
    ranked = sorted(contrasts, key=lambda contrast: -contrast.difference.estimate)
    for verdict, (one, several) in _GAINS.items():
        names = [f"{_short(c.left)} ({signed(c.difference.estimate)})" for c in ranked if c.verdict == verdict]
        if names:
            yield f"{listed(names)} {one if len(names) == 1 else several}"


def _settings(claims: Claims) -> Answer | None:
    """Where one architecture was trained with several settings: which is best, and which are worse than it."""
    architecture, _, variant = _short(claims.best.name).partition(" (")
    others = claims.newest[1:]
    if not variant or not others or any(_short(row.name).partition(" (")[0] != architecture for row in others):
        return None
    against = {_setting(row): _against_best(claims, row) for row in others}
    worse = [name for name, found in against.items() if found and found.verdict == "worse"]
    alike = [name for name in against if name not in worse]
    told = [f"worse {'is' if len(worse) == 1 else 'are'} {listed(worse)}"] * bool(worse)
    told += [f"{listed(alike)} cannot be told from it"] * bool(alike)
    return Answer(
        question="Which setting has the highest cosine?",
        short=f"{_setting(claims.best)}; {', '.join(told)}.",
        evidence=tuple(found.sentence for found in against.values() if found),
    )


def _setting(row: Row) -> str:
    """ "layers=2 (0.5400)"."""
    return f"{_short(row.name).partition(' (')[2].removesuffix(')')} ({_cosine(row)})"


def _size(claims: Claims) -> Answer | None:
    """The smallest model that cannot be told from the best, and how size and cosine go together."""
    if len({row.subject.parameters for row in claims.newest}) < 2:
        return None
    best, smaller = claims.best, [r for r in claims.newest if r.subject.parameters < claims.best.subject.parameters]
    as_good = [row for row in smaller if (found := _against_best(claims, row)) is None or found.verdict != "worse"]
    sized = f"{_short(best.name)} ({_parameters(best)})"
    if not smaller:
        short = f"Not proven: {sized}, the smallest, has the highest cosine, {_cosine(best)}."
    elif as_good:
        least = min(as_good, key=lambda row: row.subject.parameters)
        short = (
            f"Not proven: {_short(least.name)} with {_parameters(least)} parameters cannot be told from {sized}, the "
            f"best ({_cosine(least)} and {_cosine(best)})."
        )
    else:
        short = f"Yes: every model smaller than {sized}, the best, is worse than it."
    ranked = sorted(claims.newest, key=lambda row: row.subject.parameters)
    line = ", ".join(f"{_short(row.name)} {_parameters(row)}: {_cosine(row)}" for row in ranked)
    return Answer(
        question="Does size pay off?",
        short=short,
        evidence=(
            f"By size on {best.subject.trained_on}: {line}.",
            *(found.sentence for row in smaller if (found := _against_best(claims, row))),
        ),
    )


def _against_best(claims: Claims, row: Row) -> Contrast | None:
    return claims.comparison.contrast(row.name, "peer", FIGURE, claims.best.name)


def _speed(claims: Claims) -> Answer | None:
    timed = [row for row in claims.newest if row.name in claims.milliseconds]
    if not timed:
        return None
    ranked = sorted(timed, key=lambda row: -_per_ms(claims, row))
    first = ranked[0]
    ms = claims.milliseconds[first.name]
    short = (
        f"{_short(first.name)}: cosine {_cosine(first)} in {ms:.2f} ms a prediction, "
        f"{_per_ms(claims, first):.3g} a millisecond."
    )
    if first is not claims.best and (against := _against_best(claims, first)):
        d = against.difference
        short += (
            f" Against {_short(claims.best.name)}, the best, its cosine is {signed(d.estimate)} ({signed_span(d)}, "
            f"{p_text(against.p_adjusted)})."
        )
    line = ", ".join(f"{_short(row.name)} {claims.milliseconds[row.name]:.2f} ms" for row in ranked)
    return Answer(
        question="Which is best per millisecond?", short=short, evidence=(f"One prediction at a time: {line}.",)
    )


def _collapse(contest: Contest, runs: Sequence[Run]) -> Answer | None:
    """Which runs end near one point: by their predictions on test documents, or by the alarm on validation."""
    spreads = {one.name: one.estimate("spread") for one in contest.models if "spread" in one.columns}
    shown = [run for run in runs if run.model in spreads]
    if not shown:
        return None
    alarmed = {name for name, entrant in contest.entrants.items() if entrant.metrics.get("collapsed")}
    fallen = [run for run in shown if run.model in alarmed or spreads[run.model] < COLLAPSED]
    groups: dict[str, list[str]] = {}
    for run in shown:
        groups.setdefault(run.label, []).append(number(spreads[run.model], 3))
    each = [f"{label}: {', '.join(group)}" for label, group in groups.items()]
    return Answer(
        question="Does training collapse?",
        short=_fallen(fallen, shown) if fallen else _standing(shown, spreads),
        evidence=(
            f"A run has collapsed where its predictions have less than {COLLAPSED:g} of the variance of the targets, "
            "or where it is no better on validation than always saying the mean.",
            f"Variances, a run each: {'; '.join(each)}.",
        ),
    )


def _fallen(fallen: Sequence[Run], shown: Sequence[Run]) -> str:
    times = Counter(run.label for run in fallen)
    told = (f"{label}, {plural(seeds, 'seed')}" for label, seeds in times.items())
    return f"Yes: {len(fallen)} of {plural(len(shown), 'run')} say nearly the same everywhere: {'; '.join(told)}."


def _standing(shown: Sequence[Run], spreads: Mapping[str, float]) -> str:
    least = min(shown, key=lambda run: spreads[run.model])
    return (
        f"No: what each of {plural(len(shown), 'run')} predicts is spread out, least that of {least.model}, which has "
        f"{number(spreads[least.model], 3)} of the variance of the targets."
    )


def _luck(models: Sequence[Evaluation]) -> Answer | None:
    spreads = list(seed_spreads(models, [FIGURE]))
    if not spreads:
        return None
    widest = max(spreads, key=lambda spread: spread.deviation)
    short = (
        f"The widest spread over seeds is that of {_seeded(widest)}: "
        f"{number(widest.low)} to {number(widest.high)}, standard deviation {number(widest.deviation)}."
    )
    if min(spread.seeds for spread in spreads) < SEEDS_FOR_A_CLAIM:
        short += f" Fewer than {SEEDS_FOR_A_CLAIM} seeds allow no claim about architectures."
    lines = (
        f"{_seeded(s)}: mean {number(s.mean)} of "
        f"{s.seeds} seeds, {number(s.low)} to {number(s.high)}, deviation {number(s.deviation)}"
        for s in spreads
    )
    return Answer(question="How much is the luck of training?", short=short, evidence=tuple(lines))


def _seeded(spread: SeedSpread) -> str:
    variant = f" ({spread.variant})" if spread.variant else ""
    return f"{spread.architecture}{variant} on {spread.trained_on}"


def _short(name: str) -> str:
    """ "gru (layers=2)" of "gru (layers=2) on wiki@small, 3 seeds"."""
    return name.rpartition(" on ")[0]


def _per_ms(claims: Claims, row: Row) -> float:
    return row.figures[FIGURE].estimate / claims.milliseconds[row.name]


def _cosine(row: Row) -> str:
    return number(row.figures[FIGURE].estimate)


def _parameters(row: Row) -> str:
    return count(row.subject.parameters)
