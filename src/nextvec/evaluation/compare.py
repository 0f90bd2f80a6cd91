"""Fair comparison of evaluations: same documents, paired differences, best baselines chosen on validation."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np

from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.evaluation.column import Column
from nextvec.evaluation.comparison import Comparison, Contrast, Role, Row
from nextvec.evaluation.draws import Drawing, Draws
from nextvec.evaluation.evaluation import Evaluation
from nextvec.evaluation.metric import Figure, figures, limits, own_figures
from nextvec.evaluation.pairs import Pair, basis, judge, pair_of
from nextvec.evaluation.seeds import seed_spreads
from nextvec.evaluation.statistics import Interval, Measurements
from nextvec.models.predictor import MEANS

HEADLINES = (
    "cosine",
    "cosine_centred",
    "recall@10[document]",
    "mrr[document]",
    "mrr[ahead]",
    "mrr[document+context]",
    "mrr[foreign-10k]",
    "log_loss[document]",
    "log_loss[ahead]",
    "log_loss[foreign-10k]",
    "log_density",
    "energy_score",
)
_MEAN_TOLERANCE = 1e-3
_PERFECT = {"cosine": 1.0, "energy_score": 0.0}
"""What a forecast scores that is the target itself, in the figures that there is a skill in."""
_SKILLS = (-math.inf, 1.0)


def compare(
    models: Sequence[Evaluation],
    baselines: Sequence[Evaluation] = (),
    *,
    validation: Sequence[Evaluation] = (),
    reference: str | None = None,
    peers: Collection[str] = (),
    headlines: Sequence[str] | None = None,
    drawing: Drawing | None = None,
) -> Comparison:
    """Rows with intervals for everything, and for every model its paired differences in the `headlines`.

    A model is set against the best baseline, its own anchor, the same model of the generation before, `reference`
    (a name among those given), and itself on shuffled context; each two of the models named in `peers` meet, the one
    with the lower figure on the left. Baselines fitted on a model's own generation are preferred to others; the best is
    chosen by `validation`, evaluations of the baselines on validation documents. p-values are adjusted over all
    differences of one figure. For claims about architectures rather than single training runs, give
    `seeds.averaged(models)` among the models.

    headlines: figures that get verdicts; None for those of HEADLINES that were measured, and those of metrics of the
    user's own.

    Raises MismatchError naming both sides when encoder, split or test set differ, or when a headline was measured of
    some and not of others; UsageError for equal names, an unknown reference, or baselines without validation.
    """
    everything = [*models, *baselines]
    require_comparable(everything)
    _require_validation(everything, baselines, validation)
    known = _headlines(everything, headlines)
    pairing = _Pairing(models, baselines, validation, Draws(drawing or Drawing()))
    first = everything[0]
    return Comparison(
        corpus=first.corpus,
        encoder=first.encoder,
        fingerprint=first.fingerprint,
        documents=first.documents,
        targets=int(first.targets.sum()),
        rows=tuple(sorted(pairing.rows(), key=_by_cosine)),
        contrasts=(*pairing.contrasts(known, reference, peers), *pairing.shuffled()),
        seeds=tuple(seed_spreads(models, known)),
    )


def require_comparable(evaluations: Sequence[Evaluation]) -> None:
    """Raises MismatchError naming the first two that differ in encoder, split, test set or training mean, UsageError
    when there is none or two have one name."""
    if not evaluations:
        raise UsageError("nothing to compare: give at least one evaluation")
    first = evaluations[0]
    for other in evaluations[1:]:
        for what, attribute, remedy in (
            ("encoders", "encoder_fingerprint", "Only models of one encoder can be compared."),
            ("splits", "split_fingerprint", "One may have trained on the other's test documents."),
            ("test sets", "fingerprint", "Evaluate both on the same corpus generation (--on)."),
        ):
            left, right = getattr(first, attribute), getattr(other, attribute)
            if left != right:
                raise MismatchError(f"{first.name} and {other.name} have different {what}: {left}, {right}. {remedy}")
        if abs(first.train_mean_norm - other.train_mean_norm) > _MEAN_TOLERANCE:
            raise MismatchError(
                f"{first.name} and {other.name} were centred on different training means (norm "
                f"{first.train_mean_norm:.4f}, {other.train_mean_norm:.4f}). Use one mean for all."
            )
    names = sorted(evaluation.name for evaluation in evaluations)
    repeated = [name for name, following in pairwise(names) if name == following]
    if repeated:
        raise UsageError(f"two evaluations are named '{repeated[0]}': give each subject a name of its own")


def best_of(validation: Sequence[Evaluation], figure: Figure) -> Evaluation:
    """The evaluation that is best in the figure; of equals the one with the fewest fitted numbers, for gaussian has the
    point of ridge-mix. `figure` must have a direction."""
    sign = 1.0 if figure.higher_is_better else -1.0
    return max(validation, key=lambda each: (sign * each.estimate(figure.name), -each.subject.fitted))


def skill(model: Column, baseline: Column, drawing: Drawing | None = None) -> Interval:
    """(cos_model - cos_baseline) / (1 - cos_baseline) with its interval, from cosine columns of the same documents."""
    return Measurements({"": skill_column(model, baseline)}, Draws(drawing or Drawing())).interval("").within(*_SKILLS)


def skill_column(model: Column, baseline: Column, perfect: float = 1.0) -> Column:
    """Skill as a ratio of sums over documents: the share that is gone of what the baseline lacks to `perfect`."""
    towards = 1.0 if perfect else -1.0
    gained = towards * (model.sums - baseline.sums)
    missing = np.maximum(towards * (perfect * baseline.counts - baseline.sums), 0.0)
    runs = tuple(skill_column(run, baseline, perfect) for run in model.runs)
    return Column(gained, missing, runs=runs)


def _headlines(everything: Sequence[Evaluation], wanted: Sequence[str] | None) -> list[str]:
    """The figures to be judged. Raises MismatchError naming who has one and who lacks it, where all can have it."""
    known = figures()
    for name in HEADLINES if wanted is None else wanted:
        having, lacking = ([e.name for e in everything if (name in e.columns) == has] for has in (True, False))
        if lacking and ((having and not known[name].optional) or (wanted is not None and not having)):
            held = f"{having[0]} has it" if having else "nobody has it"
            raise MismatchError(
                f"'{name}' was not measured of {lacking[0]} ({held}): a verdict needs both sides. Evaluate all with "
                "the same metrics"
            )
    measured = {name for evaluation in everything for name in evaluation.columns}
    return [name for name in (_usual(everything) if wanted is None else wanted) if name in measured]


def _usual(everything: Sequence[Evaluation]) -> list[str]:
    """HEADLINES, and what metrics of the user's own have measured of everything."""
    return [*HEADLINES, *(name for name in own_figures() if all(name in each.columns for each in everything))]


class _Pairing:
    """Who meets whom."""

    def __init__(
        self,
        models: Sequence[Evaluation],
        baselines: Sequence[Evaluation],
        validation: Sequence[Evaluation],
        draws: Draws,
    ) -> None:
        self._models = models
        self._baselines = {evaluation.name: evaluation for evaluation in baselines}
        self._everything = [*models, *baselines]
        self._validation = validation
        self._draws = draws
        self._figures = figures()
        self._measured: dict[str, Measurements[str]] = {}

    def rows(self) -> Iterator[Row]:
        skills, energy_skills = self._skills("cosine"), self._skills("energy_score")
        for evaluation in self._everything:
            skill, skill_over = skills.get(evaluation.name, (None, None))
            energy_skill, energy_skill_over = energy_skills.get(evaluation.name, (None, None))
            yield Row(
                subject=evaluation.subject,
                kind="baseline" if evaluation.name in self._baselines else "model",
                figures={name: self._interval(name, evaluation.name) for name in evaluation.columns},
                chance={
                    name: column.chance for name, column in evaluation.columns.items() if column.chance is not None
                },
                skill=skill,
                skill_over=skill_over,
                energy_skill=energy_skill,
                energy_skill_over=energy_skill_over,
                runs=max(len(column.runs) for column in evaluation.columns.values()) or 1,
            )

    def _skills(self, figure: str) -> dict[str, tuple[Interval, str]]:
        """Of everything that has the figure, by name: its skill in it, and the best baseline that it is against.
        Nothing where that lacks something in so few documents that a resample may have none of them."""
        having = _having(figure, self._everything)
        rivals = {e.name: rival for e in having if (rival := self._best_baseline(e, figure)) is not None}
        columns = {
            e.name: skill_column(e.column(figure), rivals[e.name].column(figure), _PERFECT[figure])
            for e in having
            if e.name in rivals
        }
        try:
            found = Measurements(columns, self._draws) if columns else None
            return (
                {name: (found.interval(name).within(*_SKILLS), rivals[name].name) for name in columns} if found else {}
            )
        except DataError:  # what is wrong with the figure itself is told where its own interval is asked for
            return {}

    def contrasts(self, headlines: Sequence[str], reference: str | None, peers: Collection[str]) -> Iterator[Contrast]:
        for figure in headlines:
            if self._figures[figure].higher_is_better is not None:
                pairs = [*self._pairs(figure, reference), *self._peer_pairs(figure, peers)]
                yield from judge(pairs, self._measurements(figure))

    def shuffled(self) -> Iterator[Contrast]:
        """Each model against itself on shuffled context, where both were measured: the difference against none."""
        pairs: list[Pair] = []
        columns: dict[str, Column] = {}
        for model in self._models:
            if {"ordered_context", "shuffled_context"} <= model.columns.keys():
                pair = Pair(
                    figure="shuffled_context", role="shuffled context", left=model.name,
                    right="itself on shuffled context", keys=(model.name, f"{model.name} on shuffled context"),
                    basis=basis("ordered_context", model),
                )  # fmt: skip
                gained = _gain(model.column("ordered_context"), model.column("shuffled_context"))
                columns |= dict(zip(pair.keys, (gained, Column(0.0 * gained.sums, gained.counts)), strict=True))
                pairs.append(pair)
        if pairs:
            yield from judge(pairs, Measurements(columns, self._draws))

    def _interval(self, figure: str, name: str) -> Interval:
        return self._measurements(figure).interval(name).within(*limits(figure))

    def _measurements(self, figure: str) -> Measurements[str]:
        if figure not in self._measured:
            columns = {e.name: e.column(figure) for e in self._everything if figure in e.columns}
            self._measured[figure] = Measurements(columns, self._draws)
        return self._measured[figure]

    def _pairs(self, figure: str, reference: str | None) -> Iterator[Pair]:
        for model in _having(figure, self._models):
            for role, other in self._opponents(model, figure, reference):
                if figure in other.columns:
                    yield pair_of(figure, role, model, other)

    def _peer_pairs(self, figure: str, peers: Collection[str]) -> Iterator[Pair]:
        named = [self._named(name) for name in peers]
        ranked = sorted(_having(figure, named), key=lambda peer: peer.estimate(figure))
        for left, right in combinations(ranked, 2):
            yield pair_of(figure, "peer", left, right)

    def _opponents(self, model: Evaluation, figure: str, reference: str | None) -> Iterator[tuple[Role, Evaluation]]:
        best, anchor = self._best_baseline(model, figure), self._anchor(model, figure)
        if best is not None:
            yield "best baseline", best
        if anchor is not None:
            yield "anchor", anchor
        earlier = self._earlier(model)
        if earlier is not None:
            yield "earlier generation", earlier
        if reference is not None and reference not in (model.name, best and best.name, anchor and anchor.name):
            yield "reference", self._named(reference)

    def _best_baseline(self, model: Evaluation, figure: str) -> Evaluation | None:
        """Chosen on validation among the baselines of the model's generation, or among all when it has none; None
        where no baseline has the figure."""
        rivals = {evaluation.name for evaluation in self._rivals(model)}
        candidates = [each for each in _having(figure, self._validation) if each.name in rivals]
        return self._baselines[best_of(candidates, self._figures[figure]).name] if candidates else None

    def _rivals(self, model: Evaluation) -> list[Evaluation]:
        same = [b for b in self._baselines.values() if b.subject.trained_on == model.subject.trained_on]
        return same or list(self._baselines.values())

    def _anchor(self, model: Evaluation, figure: str) -> Evaluation | None:
        """What the head starts at whose figure it is, the point's where that is a topic's, the query's where all
        candidates lie ahead; what the network starts at where its heads are not known."""
        starts, anchor = dict(model.subject.starts), model.subject.anchor
        usual = {"none": None, "mean": "context-mean"}.get(anchor, anchor)
        judges = self._figures[figure].judges
        wanted = starts.get({"topic": "point", "ahead": "query"}.get(judges, judges)) if starts else usual
        return next((b for b in self._rivals(model) if b.subject.architecture == wanted), None)

    def _earlier(self, model: Evaluation) -> Evaluation | None:
        """The same model trained on the largest generation that is smaller than its own."""
        alike = [m for m in self._models if _but_generation(m) == _but_generation(model)]
        smaller = [m for m in alike if _rows(m) < _rows(model)]
        return max(smaller, key=_rows, default=None)

    def _named(self, name: str) -> Evaluation:
        known = {evaluation.name: evaluation for evaluation in [*self._models, *self._baselines.values()]}
        if name not in known:
            raise UsageError.unknown("reference", name, known)
        return known[name]


def _require_validation(
    everything: Sequence[Evaluation], baselines: Sequence[Evaluation], validation: Sequence[Evaluation]
) -> None:
    missing = sorted({b.name for b in baselines} - {v.name for v in validation})
    if missing:
        raise UsageError(
            f"baseline '{missing[0]}' was not evaluated on validation documents: the best baseline is chosen there, "
            "never on test. Give its validation evaluation."
        )
    if validation:
        require_comparable(validation)
        if validation[0].fingerprint == everything[0].fingerprint:
            raise MismatchError(
                f"the best baseline would be chosen on the test documents ({everything[0].fingerprint}): "
                "evaluate the baselines on validation documents for that"
            )


def _having(figure: str, evaluations: Iterable[Evaluation]) -> list[Evaluation]:
    return [evaluation for evaluation in evaluations if figure in evaluation.columns]


def _gain(left: Column, right: Column) -> Column:
    """Left minus right of one subject, run by run, where both have the same counts."""
    runs = tuple(_gain(*pair) for pair in zip(left.runs, right.runs, strict=True))
    return Column(left.sums - right.sums, left.counts, runs=runs)


def _by_cosine(row: Row) -> float:
    """Best first. Records keep nine digits: what is equal in them keeps its order."""
    return -round(row.figures["cosine"].estimate, 9) if "cosine" in row.figures else 0.0


def _rows(evaluation: Evaluation) -> int:
    return evaluation.subject.trained_rows or 0


def _but_generation(evaluation: Evaluation) -> str:
    """What it has in common with its predecessors; how many numbers were fitted depends on the text, and so may which
    of the best means it starts at."""
    subject = evaluation.subject
    anchor = MEANS[0] if subject.anchor in MEANS else subject.anchor
    return repr(replace(subject, name="", trained_on=None, trained_rows=None, fitted=0, anchor=anchor, starts=()))
