"""The answer in plain words: which model is best, does it beat the best baseline, and how sure is that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nextvec.amounts import plural
from nextvec.evaluation.comparison import Comparison, Contrast, Row
from nextvec.evaluation.report.content import ReportContent
from nextvec.evaluation.report.wording import (
    figure_title,
    listed,
    lowered,
    number,
    percent,
    percent_span,
    signed,
    signed_span,
    span,
)
from nextvec.evaluation.statistics import Verdict, few_documents, p_text

FIGURE = "cosine"
_WORDS: dict[Verdict, str] = {
    "better": "better than",
    "cannot tell": "not distinguishable from",
    "worse": "worse than",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """`answer` is one sentence, `paragraphs` its evidence, `tone` its colour, `tiles` are (label, value, note)."""

    answer: str
    paragraphs: tuple[str, ...]
    tone: Verdict
    tiles: tuple[tuple[str, str, str], ...]


def headline(content: ReportContent) -> Headline:
    rows = [row for row in content.models if FIGURE in row.figures]
    if not rows:
        return _without_models(content)
    best = rows[0]
    contrast = content.comparison.contrast(best.name, "best baseline", FIGURE)
    return Headline(
        answer=_answer(content, best, contrast),
        paragraphs=(
            _evidence(best, contrast),
            *_other_figures(content, best),
            *_other_models(content, best),
            *_lead(content, rows),
            _trust(content),
        ),
        tone=contrast.verdict if contrast else "cannot tell",
        tiles=(*_tiles(best, contrast), _size_tile(content)),
    )


def _without_models(content: ReportContent) -> Headline:
    rows = [row for row in content.comparison.rows if FIGURE in row.figures]
    shown = f"{rows[0].name} is the best baseline" if rows else "Nothing was measured in cosine"
    return Headline(
        answer=f"{shown}; no trained model was compared.",
        paragraphs=(_trust(content),),
        tone="cannot tell",
        tiles=(*((_cosine_tile(rows[0]),) if rows else ()), _size_tile(content)),
    )


def _answer(content: ReportContent, best: Row, contrast: Contrast | None) -> str:
    alone = len(content.models) == 1
    if contrast is None:
        leading = (
            f"{best.name} was evaluated" if alone else f"{best.name} scores highest of {len(content.models)} models"
        )
        return f"{leading}, but without baselines nobody can say whether training it was worth anything."
    if contrast.verdict == "better":
        leading = f"{best.name} beats" if alone else f"{best.name} scores highest, and it beats"
        return f"{leading} {contrast.right}, the best baseline."
    if contrast.verdict == "worse":
        subject = best.name if alone else f"Even {best.name}, the highest-scoring model,"
        return f"{subject} is worse than {contrast.right}, the best baseline."
    subject = best.name if alone else f"{best.name}, the highest-scoring model,"
    return f"{subject} cannot be told from {contrast.right}, the best baseline."


def _evidence(best: Row, contrast: Contrast | None) -> str:
    own = best.figures[FIGURE]
    reached = f"{best.name} predicts the next chunk with a mean cosine of {number(own.estimate)} ({span(own)})"
    if contrast is None:
        return f"{reached}."
    d = contrast.difference
    return (
        f"{reached}; the difference from {contrast.right}, the best baseline, is {signed(d.estimate)} on the same "
        f"documents ({signed_span(d)}, {p_text(contrast.p_adjusted)}).{_skill(best, contrast.right)}"
    )


def _skill(best: Row, rival: str) -> str:
    if best.skill is None or best.skill.estimate <= 0:
        return ""
    return f" That is a skill of {percent(best.skill.estimate)}: the share of the error of {rival} that is gone."


def _other_figures(content: ReportContent, best: Row) -> Iterator[str]:
    """The same model in the other figures, where another baseline may be the best."""
    if found := in_other_figures(content.comparison, best.name):
        yield f"In other figures the best baseline may be another one: {found}"


def in_other_figures(comparison: Comparison, name: str, *, better: bool = False) -> str:
    """Where a model stands against the best baseline of every figure but the cosine, one sentence; "" where it was
    judged in none, or with `better` where it is better in none."""
    groups: dict[tuple[Verdict, str], list[str]] = {}
    for c in comparison.contrasts:
        if (c.left, c.role) == (name, "best baseline") and c.figure != FIGURE:
            groups.setdefault((c.verdict, c.right), []).append(lowered(figure_title(c.figure)))
    if not groups or (better and all(verdict != "better" for verdict, _ in groups)):
        return ""
    parts = [f"{_WORDS[verdict]} {rival} in {listed(names)}" for (verdict, rival), names in groups.items()]
    return f"{name} is {'; '.join(parts)}."


def _other_models(content: ReportContent, best: Row) -> Iterator[str]:
    """Where the other models stand against the best baseline."""
    others = [row.name for row in content.models if row is not best]
    found = [content.comparison.contrast(name, "best baseline", FIGURE) for name in others]
    groups = {verdict: [c.left for c in found if c and c.verdict == verdict] for verdict in _WORDS}
    parts = [
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} {_WORDS[verdict]} the best baseline"
        for verdict, names in groups.items()
        if names
    ]
    if parts:
        yield f"Of the other models, {'; '.join(parts)}."


def _lead(content: ReportContent, rows: list[Row]) -> Iterator[str]:
    """How far the best model is ahead of the second, and that nobody has tested it."""
    if len(rows) < 2:
        return
    best, second = rows[:2]
    ahead = best.figures[FIGURE].estimate - second.figures[FIGURE].estimate
    tested = any(
        {c.left, c.right} == {best.name, second.name} and c.figure == FIGURE for c in content.comparison.contrasts
    )
    untested = (
        "see what the study says" if content.answers else "this pair was not tested, so do not read an order into it"
    )
    caution = "see the verdicts below" if tested else untested
    yield f"Its lead over {second.name}, the second, is {number(ahead)}; {caution}."


def _trust(content: ReportContent) -> str:
    comparison = content.comparison
    seen = "some of which were seen in training" if content.warning else "that no model was trained on"
    measured = (
        f"Measured on {plural(comparison.targets, 'target')} in {plural(comparison.documents, 'document')} of "
        f"{comparison.corpus} {seen}; intervals are 95 % and resample whole documents."
    )
    few = few_documents(comparison.documents)
    if comparison.documents == 1:
        return f"{measured} Of one document none can be told."
    return f"{measured} With {few} they are wide and should be expected to move." if few else measured


def _tiles(best: Row, contrast: Contrast | None) -> Iterator[tuple[str, str, str]]:
    yield _cosine_tile(best)
    if contrast is not None:
        d = contrast.difference
        yield f"Against {contrast.right}", signed(d.estimate), f"{signed_span(d)}, {p_text(contrast.p_adjusted)}"
    if best.skill is not None:
        yield "Skill", percent(best.skill.estimate), f"{percent_span(best.skill)}; 0 is the best baseline"


def _cosine_tile(row: Row) -> tuple[str, str, str]:
    interval = row.figures[FIGURE]
    return f"Cosine of {row.name}", number(interval.estimate), span(interval)


def _size_tile(content: ReportContent) -> tuple[str, str, str]:
    comparison = content.comparison
    seen = "some seen in training" if content.warning else "unseen in training"
    what = "Documents, which are all" if comparison.whole else "Test documents"
    return what, f"{comparison.documents:,}", f"{comparison.targets:,} targets, {seen}"
