"""What paragraph breaks are worth: each baseline that reads them against itself, told of none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nextvec.evaluation.compare import best_of
from nextvec.evaluation.comparison import Contrast
from nextvec.evaluation.draws import Drawing, Draws
from nextvec.evaluation.evaluation import Evaluation
from nextvec.evaluation.metric import figures
from nextvec.evaluation.pairs import Pair, judge
from nextvec.evaluation.statistics import Measurements

WORTH = ("cosine", "mrr[document]", "mrr[ahead]", "log_density")


def worth_of_breaks(
    told: Sequence[Evaluation],
    untold: Sequence[Evaluation],
    validation: Sequence[Evaluation],
    drawing: Drawing | None = None,
) -> tuple[Contrast, ...]:
    """`untold` are evaluations of some of those `told`, on the same documents with all their breaks withheld.

    Figure by figure of `WORTH`, as far as it was measured, that of the baseline first which is the best of them on
    validation. The differences of a figure are a family of their own: no verdict on a model depends on them.
    """
    without, draws = {each.name: each for each in untold}, Draws(drawing or Drawing())
    readers = [each for each in told if each.name in without]
    known = [each for each in validation if each.name in without]
    return tuple(c for figure in WORTH for c in _in_figure(figure, readers, without, known, draws))


def _in_figure(
    figure: str,
    readers: Sequence[Evaluation],
    without: dict[str, Evaluation],
    validation: Sequence[Evaluation],
    draws: Draws,
) -> Iterator[Contrast]:
    having = [each for each in readers if figure in each.columns and figure in without[each.name].columns]
    if not having:
        return
    pairs = [_pair(figure, each.name) for each in having]
    sides = ((each.column(figure), without[each.name].column(figure)) for each in having)
    columns = {key: c for pair, both in zip(pairs, sides, strict=True) for key, c in zip(pair.keys, both, strict=True)}
    first = best_of([each for each in validation if figure in each.columns], figures()[figure]).name
    yield from sorted(judge(pairs, Measurements(columns, draws)), key=lambda contrast: contrast.left != first)


def _pair(figure: str, name: str) -> Pair:
    keys = name, f"{name} without breaks"
    return Pair(figure=figure, role="without breaks", left=name, right="itself without breaks", keys=keys, basis="")


def worth_sentence(contrasts: Sequence[Contrast]) -> str:
    """Of each figure the baseline that comes first: "Paragraph breaks are worth +0.0042 [+0.0039, +0.0046] in cosine
    to ridge-mix, ..."; empty where there are none."""
    firsts = {contrast.figure: contrast for contrast in reversed(contrasts)}
    worths = [_worth(firsts[figure]) for figure in WORTH if figure in firsts]
    return f"Paragraph breaks are worth {', '.join(worths)}." if worths else ""


def _worth(contrast: Contrast) -> str:
    d = contrast.difference
    doubt = " (cannot tell)" if contrast.verdict == "cannot tell" else ""
    return f"{d.estimate:+.4f} [{d.low:+.4f}, {d.high:+.4f}] in {contrast.figure} to {contrast.left}{doubt}"
