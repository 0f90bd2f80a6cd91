"""Fair comparison of evaluations: same documents, paired differences, best baselines chosen on validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from nextvec.errors import MismatchError, UsageError
from nextvec.evaluation.comparison import Comparison, Contrast, Role, Row
from nextvec.evaluation.evaluation import Column, Evaluation
from nextvec.evaluation.metric import Figure, figures
from nextvec.evaluation.seeds import seed_spreads
from nextvec.evaluation.statistics import (
    PERMUTATIONS,
    RESAMPLES,
    Difference,
    Interval,
    bootstrap_interval,
    holm,
    paired_difference,
    verdict,
)

HEADLINES = (
    "cosine",
    "cosine_centred",
    "recall@10[document]",
    "mrr[document]",
    "mrr[document+context]",
    "mrr[foreign-10k]",
)
_MEAN_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How uncertainty is drawn: bootstrap resamples, sign-flip permutations, and the seed of both."""

    resamples: int = RESAMPLES
    permutations: int = PERMUTATIONS
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Pair:
    """A difference still to be judged in its family."""

    figure: str
    role: Role
    left: str
    right: str
    difference: Difference


def compare(
    models: Sequence[Evaluation],
    baselines: Sequence[Evaluation] = (),
    *,
    validation: Sequence[Evaluation] = (),
    reference: str | None = None,
    headlines: Sequence[str] = HEADLINES,
    drawing: Drawing | None = None,
) -> Comparison:
    """Rows with intervals for everything, and for every model its paired differences in the `headlines`.

    A model is set against the best baseline, its own anchor, the same model of the generation before, `reference`
    (a name among those given), and itself on shuffled context. Baselines fitted on a model's own generation are
    preferred to others; the best is chosen by `validation`, evaluations of the baselines on validation documents.
    Holm's adjustment is over all differences of one figure. For claims about architectures rather than single training
    runs, give `seeds.averaged(models)` among the models.

    Raises MismatchError naming both sides when encoder, split or test set differ; UsageError for equal names, an
    unknown reference, or baselines without validation.
    """
    drawing = drawing or Drawing()
    everything = [*models, *baselines]
    require_comparable(everything)
    _require_validation(everything, baselines, validation)
    arena = _Arena(models, baselines, validation, drawing)
    rows = [arena.row(evaluation, "model") for evaluation in models]
    rows += [arena.row(evaluation, "baseline") for evaluation in baselines]
    known = [name for name in headlines if all(name in evaluation.columns for evaluation in everything)]
    pairs = [pair for name in known for pair in arena.pairs(name, reference)]
    first = everything[0]
    return Comparison(
        corpus=first.corpus,
        encoder=first.encoder,
        fingerprint=first.fingerprint,
        documents=first.documents,
        targets=int(first.targets.sum()),
        rows=tuple(sorted(rows, key=lambda row: -row.figures["cosine"].estimate if "cosine" in row.figures else 0.0)),
        contrasts=tuple(_judge([*pairs, *arena.shuffled_pairs()])),
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
    """The evaluation that is best in the figure; the first of equals. `figure` must have a direction."""
    sign = 1.0 if figure.higher_is_better else -1.0
    return max(validation, key=lambda evaluation: sign * evaluation.estimate(figure.name))


def skill(model: Column, baseline: Column, drawing: Drawing | None = None) -> Interval:
    """(cos_model - cos_baseline) / (1 - cos_baseline) with its interval, from cosine columns of the same documents.

    It is a ratio of sums over documents, sum(model - baseline) / sum(count - baseline), and resampled as such.
    """
    drawing = drawing or Drawing()
    gained, missing = model.sums - baseline.sums, np.maximum(baseline.counts - baseline.sums, 0.0)
    return bootstrap_interval(gained, missing, resamples=drawing.resamples, seed=drawing.seed)


class _Arena:
    """Who meets whom."""

    def __init__(
        self,
        models: Sequence[Evaluation],
        baselines: Sequence[Evaluation],
        validation: Sequence[Evaluation],
        drawing: Drawing,
    ) -> None:
        self._models = models
        self._baselines = {evaluation.name: evaluation for evaluation in baselines}
        self._validation = validation
        self._drawing = drawing
        self._figures = figures()

    def row(self, evaluation: Evaluation, kind: str) -> Row:
        rival = self._best_baseline(evaluation, "cosine") if "cosine" in evaluation.columns else None
        return Row(
            subject=evaluation.subject,
            kind="model" if kind == "model" else "baseline",
            figures={name: self._interval(column) for name, column in evaluation.columns.items()},
            chance={name: column.chance for name, column in evaluation.columns.items() if column.chance is not None},
            skill=skill(evaluation.column("cosine"), rival.column("cosine"), self._drawing) if rival else None,
            skill_over=rival.name if rival else None,
        )

    def pairs(self, figure: str, reference: str | None) -> Iterator[_Pair]:
        if self._figures[figure].higher_is_better is None:
            return
        for model in self._models:
            opponents = self._opponents(model, figure, reference)
            for role, other in opponents:
                yield self._pair(figure, role, model, other)

    def shuffled_pairs(self) -> Iterator[_Pair]:
        """Each model against itself on shuffled context, where both were measured."""
        for model in self._models:
            if {"ordered_context", "shuffled_context"} <= model.columns.keys():
                difference = self._difference(model.column("ordered_context"), model.column("shuffled_context"))
                yield _Pair(
                    "shuffled_context", "shuffled context", model.name, "itself on shuffled context", difference
                )

    def _opponents(self, model: Evaluation, figure: str, reference: str | None) -> Iterator[tuple[Role, Evaluation]]:
        best, anchor = self._best_baseline(model, figure), self._anchor(model)
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
        """Chosen on validation among the baselines of the model's generation, or among all when it has none."""
        if not self._baselines:
            return None
        rivals = {evaluation.name for evaluation in self._rivals(model)}
        candidates = [evaluation for evaluation in self._validation if evaluation.name in rivals]
        return self._baselines[best_of(candidates, self._figures[figure]).name]

    def _rivals(self, model: Evaluation) -> list[Evaluation]:
        same = [b for b in self._baselines.values() if b.subject.trained_on == model.subject.trained_on]
        return same or list(self._baselines.values())

    def _anchor(self, model: Evaluation) -> Evaluation | None:
        wanted = {"none": None, "mean": "context-mean"}.get(model.subject.anchor, model.subject.anchor)
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

    def _pair(self, figure: str, role: Role, left: Evaluation, right: Evaluation) -> _Pair:
        return _Pair(figure, role, left.name, right.name, self._difference(left.column(figure), right.column(figure)))

    def _difference(self, left: Column, right: Column) -> Difference:
        d = self._drawing
        return paired_difference(
            left.sums,
            left.counts,
            right.sums,
            right.counts,
            resamples=d.resamples,
            permutations=d.permutations,
            seed=d.seed,
        )

    def _interval(self, column: Column) -> Interval:
        d = self._drawing
        return bootstrap_interval(column.sums, column.counts, resamples=d.resamples, seed=d.seed)


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


def _judge(pairs: Sequence[_Pair]) -> Iterator[Contrast]:
    """Contrasts with p-values adjusted within each figure, in the order given."""
    known = figures()
    adjusted = [0.0] * len(pairs)
    for name in {pair.figure for pair in pairs}:
        places = [i for i, pair in enumerate(pairs) if pair.figure == name]
        for i, p in zip(places, holm([pairs[i].difference.p_value for i in places]), strict=True):
            adjusted[i] = p
    for pair, p in zip(pairs, adjusted, strict=True):
        up = known[pair.figure].higher_is_better is not False
        interval, raw = pair.difference.interval, pair.difference.p_value
        yield Contrast(
            figure=pair.figure,
            role=pair.role,
            left=pair.left,
            right=pair.right,
            difference=interval,
            p_value=raw,
            p_adjusted=p,
            verdict=verdict(interval, p, higher_is_better=up),
        )


def _rows(evaluation: Evaluation) -> int:
    return evaluation.subject.trained_rows or 0


def _but_generation(evaluation: Evaluation) -> str:
    return repr(replace(evaluation.subject, name="", trained_on=None, trained_rows=None))
