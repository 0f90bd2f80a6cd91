"""What the structure of a text is worth: each baseline that reads it against itself, told of no breaks or headings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nextvec.evaluation.compare import best_of
from nextvec.evaluation.comparison import Contrast, Role
from nextvec.evaluation.draws import Drawing, Draws
from nextvec.evaluation.evaluation import Evaluation
from nextvec.evaluation.heldout import Structure
from nextvec.evaluation.metric import figures
from nextvec.evaluation.pairs import Pair, judge
from nextvec.evaluation.statistics import Measurements

STRUCTURE: dict[Structure, tuple[Role, str]] = {
    "breaks": ("without breaks", "Paragraph breaks are worth"),
    "headings": ("without headings", "Headings are worth"),
}
"""What can be withheld: the role of such a contrast, and how a sentence on it begins."""

WORTH = {
    "cosine": "cosine", "mrr[document]": "MRR", "mrr[ahead]": "MRR ahead", "log_density": "nats of log density",
}  # fmt: skip
"""The figures that something is said of, and what the sentence calls them."""


def worth_of(
    structure: Structure,
    told: Sequence[Evaluation],
    untold: Sequence[Evaluation],
    validation: Sequence[Evaluation],
    drawing: Drawing | None = None,
) -> tuple[Contrast, ...]:
    """`untold` are evaluations of some of those `told`, on the same documents with all of that structure withheld.

    Figure by figure of `WORTH`, as far as it was measured, that of the baseline first which is the best of them on
    validation. The differences of a figure are a family of their own: no verdict on a model depends on them.
    """
    without, draws = {each.name: each for each in untold}, Draws(drawing or Drawing())
    readers, known = ([each for each in given if each.name in without] for given in (told, validation))
    role, _ = STRUCTURE[structure]
    return tuple(c for figure in WORTH for c in _in_figure(figure, role, readers, without, known, draws))


def _in_figure(
    figure: str,
    role: Role,
    readers: Sequence[Evaluation],
    without: Mapping[str, Evaluation],
    validation: Sequence[Evaluation],
    draws: Draws,
) -> Sequence[Contrast]:
    told = {each.name: each.column(figure) for each in readers if figure in each.columns}
    if not told:
        return ()
    untold = {f"{name} {role}": without[name].column(figure) for name in told}
    found = judge([_pair(figure, role, name) for name in told], Measurements(told | untold, draws))
    best = best_of([each for each in validation if each.name in told], figures()[figure]).name
    return sorted(found, key=lambda contrast: contrast.left != best)


def _pair(figure: str, role: Role, name: str) -> Pair:
    return Pair(figure=figure, role=role, left=name, right=f"itself {role}", keys=(name, f"{name} {role}"), basis="")


def worth_sentence(structure: Structure, contrasts: Sequence[Contrast]) -> str:
    """Of each figure the baseline that comes first: "Paragraph breaks are worth +0.0042 cosine [+0.0039, +0.0046]
    to ridge-mix, ..."; empty where there are none."""
    firsts = {contrast.figure: contrast for contrast in reversed(contrasts)}
    worths = [_worth(firsts[figure]) for figure in WORTH if figure in firsts]
    return f"{STRUCTURE[structure][1]} {', '.join(worths)}." if worths else ""


def recorded_worths(comparison: Mapping[str, Any]) -> list[str]:
    """The sentences of a recorded comparison (`Comparison.to_dict`), none of what was not measured in it."""
    found = {each: [Contrast.from_dict(plain) for plain in comparison.get(each, ())] for each in STRUCTURE}
    return [worth_sentence(each, contrasts) for each, contrasts in found.items() if contrasts]


def _worth(contrast: Contrast) -> str:
    d = contrast.difference
    doubt = " (cannot tell)" if contrast.verdict == "cannot tell" else ""
    return f"{d.estimate:+.4f} {WORTH[contrast.figure]} [{d.low:+.4f}, {d.high:+.4f}] to {contrast.left}{doubt}"
