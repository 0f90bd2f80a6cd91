"""What the structure of a text is worth: whatever reads it against itself, told of less of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nextvec.evaluation.compare import best_of
from nextvec.evaluation.comparison import Contrast, Role
from nextvec.evaluation.draws import Drawing, Draws
from nextvec.evaluation.evaluation import Evaluation
from nextvec.evaluation.heldout import Structure
from nextvec.evaluation.metric import figures
from nextvec.evaluation.pairs import Pair, basis, judge
from nextvec.evaluation.statistics import Measurements


@dataclass(frozen=True, slots=True)
class Told:
    """The `role` of a contrast with what is told more; how a sentence on it begins; and what is judged on then, as
    progress says it: "... on 83 test documents without their breaks"."""

    role: Role
    sentence: str
    told: str


STRUCTURE: dict[Structure, Told] = {
    "breaks": Told("without breaks", "Paragraph breaks are worth", " without their breaks"),
    "headings": Told("without headings", "Headings are worth", " without their headings"),
    "next": Told(
        "without the next break",
        "To know whether the next chunk begins a paragraph is worth",
        ", told of the next break",
    ),
}
"""What can be withheld, or told besides."""

WORTH = {
    "cosine": "cosine", "mrr[document]": "MRR", "mrr[ahead]": "MRR ahead", "log_density": "nats of log density",
}  # fmt: skip
"""The figures that something is said of, and what the sentence calls them."""
MEASURED_IN = ("cosine", "ranks", "density")
"""The metrics that they come from."""
MOST_MODELS = 3
"""Of which a sentence says what it is worth to them."""


def worth_of(
    structure: Structure,
    told: Sequence[Evaluation],
    untold: Sequence[Evaluation],
    validation: Sequence[Evaluation],
    drawing: Drawing | None = None,
) -> tuple[Contrast, ...]:
    """`untold` are evaluations of some of those `told`, on the same documents with less of that structure.

    Figure by figure of `WORTH`, as far as it was measured, that of the baseline first which is the best of them on
    validation. The differences of a figure are a family of their own: no verdict on a model depends on them.
    """
    less, draws = {each.name: each for each in untold}, Draws(drawing or Drawing())
    readers, known = ([each for each in given if each.name in less] for given in (told, validation))
    role = STRUCTURE[structure].role
    return tuple(c for figure in WORTH for c in _in_figure(figure, role, readers, less, known, draws))


def _in_figure(
    figure: str,
    role: Role,
    readers: Sequence[Evaluation],
    less: Mapping[str, Evaluation],
    validation: Sequence[Evaluation],
    draws: Draws,
) -> Sequence[Contrast]:
    told = {each.name: each.column(figure) for each in readers if figure in each.columns}
    if not told:
        return ()
    untold = {f"{name} {role}": less[name].column(figure) for name in told}
    pairs = [_pair(figure, role, each) for each in readers if each.name in told]
    found = judge(pairs, Measurements(told | untold, draws))
    best = best_of([each for each in validation if each.name in told], figures()[figure]).name
    return sorted(found, key=lambda contrast: contrast.left != best)


def _pair(figure: str, role: Role, side: Evaluation) -> Pair:
    name = side.name
    return Pair(
        figure=figure, role=role, left=name, right=f"itself {role}", keys=(name, f"{name} {role}"),
        basis=basis(figure, side),
    )  # fmt: skip


def worth_sentence(structure: Structure, contrasts: Sequence[Contrast]) -> str:
    """Of each figure the baseline that comes first, and a few models, where it changes anything: "Paragraph breaks are
    worth +0.0042 cosine [+0.0039, +0.0046] to ridge-mix, ..."; empty without contrasts."""
    trained = [contrast for contrast in contrasts if contrast.basis and _changes(contrast)]
    firsts = {contrast.figure: contrast for contrast in reversed(contrasts) if not contrast.basis}
    shown = [firsts[figure] for figure in WORTH if figure in firsts and _changes(firsts[figure])]
    worths, models = [_worth(first, f" to {first.left}") for first in shown], {each.left: None for each in trained}
    told = [_worth_to(name, trained) for name in models] if len(models) <= MOST_MODELS else []
    worths += told if worths else [each.removeprefix("and ") for each in told[:1]] + told[1:]
    return f"{STRUCTURE[structure].sentence} {', '.join(worths) or 'nothing here'}." if contrasts else ""


def _changes(contrast: Contrast) -> bool:
    return bool(contrast.difference.low or contrast.difference.high)


def _worth_to(model: str, contrasts: Sequence[Contrast]) -> str:
    own = (_worth(contrast) for contrast in contrasts if contrast.left == model)
    return f"and to {model} {', '.join(own)}"


def recorded_worths(comparison: Mapping[str, Any]) -> list[str]:
    """The sentences of a recorded comparison (`Comparison.to_dict`), none of what was not measured in it."""
    found = {each: [Contrast.from_dict(plain) for plain in comparison.get(each, ())] for each in STRUCTURE}
    return [worth_sentence(each, contrasts) for each, contrasts in found.items() if contrasts]


def _worth(contrast: Contrast, whom: str = "") -> str:
    d = contrast.difference
    doubt = " (cannot tell)" if contrast.verdict == "cannot tell" else ""
    return f"{d.estimate:+.4f} {WORTH[contrast.figure]} [{d.ends('+.4f')}]{whom}{doubt}"
