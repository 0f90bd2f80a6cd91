"""The answer in plain words: which model is best, does it beat the best baseline, and how sure is that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nextvec.evaluation.comparison import Contrast, Row
from nextvec.evaluation.report.content import ReportContent
from nextvec.evaluation.report.wording import listed, number, percent, plural, signed, signed_span, span
from nextvec.evaluation.seeds import SEEDS_FOR_A_CLAIM
from nextvec.evaluation.statistics import few_documents, p_text

FIGURE = "cosine"
Tone = Literal["better", "worse", "cannot tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """`answer` is one sentence, `paragraphs` its evidence, `tone` decides the colour, `tiles` are (label, value, note)."""

    answer: str
    paragraphs: tuple[str, ...]
    tone: Tone
    tiles: tuple[tuple[str, str, str], ...]


def headline(content: ReportContent) -> Headline:
    rows = [row for row in content.models if FIGURE in row.figures]
    if not rows:
        return _without_models(content)
    best = rows[0]
    contrast = content.comparison.contrast(best.name, "best baseline", FIGURE)
    return Headline(
        answer=_answer(content, best, contrast),
        paragraphs=(_evidence(best, contrast), *_others(content, best), *_lead(content, rows), _trust(content)),
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
        leading = f"{best.name} was evaluated" if alone else f"{best.name} is the best of {len(content.models)} models"
        return f"{leading}, but without baselines nobody can say whether training it was worth anything."
    if contrast.verdict == "better":
        leading = f"{best.name} beats" if alone else f"{best.name} is the best model, and it beats"
        return f"{leading} everything that needs no training."
    if contrast.verdict == "worse":
        subject = best.name if alone else f"Even the best model, {best.name},"
        return f"{subject} is worse than {contrast.right}, which needs no training."
    subject = best.name if alone else f"The best model, {best.name},"
    return f"{subject} cannot be told from {contrast.right}, which needs no training."


def _evidence(best: Row, contrast: Contrast | None) -> str:
    own = best.figures[FIGURE]
    reached = f"{best.name} predicts the next chunk with a mean cosine of {number(own.estimate)} ({span(own)})"
    if contrast is None:
        return f"{reached}."
    d = contrast.difference
    skill = f" That is a skill of {percent(best.skill.estimate)}: " if best.skill else ""
    meaning = f"the share of {contrast.right}'s error that is gone." if best.skill else ""
    return (
        f"{reached}; the difference from {contrast.right}, the best baseline, is {signed(d.estimate)} on the same "
        f"documents ({signed_span(d)}, {p_text(contrast.p_adjusted)}).{skill}{meaning}"
    )


def _others(content: ReportContent, best: Row) -> Iterator[str]:
    """Where the other models stand against the best baseline."""
    others = [row.name for row in content.models if row is not best]
    found = [content.comparison.contrast(name, "best baseline", FIGURE) for name in others]
    words = {"better": "better than", "cannot tell": "not distinguishable from", "worse": "worse than"}
    groups = {word: [c.left for c in found if c and c.verdict == word] for word in words}
    parts = [
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} {words[word]} the best baseline"
        for word, names in groups.items()
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
    caution = "see the verdicts below" if tested else "this pair was not tested, so do not read an order into it"
    yield f"Its lead over {second.name}, the second, is {number(ahead)}; {caution}."


def _trust(content: ReportContent) -> str:
    comparison = content.comparison
    measured = (
        f"Measured on {plural(comparison.targets, 'target')} in {plural(comparison.documents, 'document')} of "
        f"{comparison.corpus} that no model was trained on; intervals are 95 % and resample whole documents."
    )
    few = few_documents(comparison.documents)
    return f"{measured} With {few} they are wide and should be expected to move." if few else measured


def _tiles(best: Row, contrast: Contrast | None) -> Iterator[tuple[str, str, str]]:
    yield _cosine_tile(best)
    if contrast is not None:
        d = contrast.difference
        yield f"Against {contrast.right}", signed(d.estimate), f"{signed_span(d)}, {p_text(contrast.p_adjusted)}"
    if best.skill is not None:
        low, high = percent(best.skill.low), percent(best.skill.high)
        yield "Skill", percent(best.skill.estimate), f"{low} to {high}; 0 is the best baseline"


def _cosine_tile(row: Row) -> tuple[str, str, str]:
    interval = row.figures[FIGURE]
    return f"Cosine of {row.name}", number(interval.estimate), span(interval)


def _size_tile(content: ReportContent) -> tuple[str, str, str]:
    comparison = content.comparison
    return "Test documents", f"{comparison.documents:,}", f"{comparison.targets:,} targets, unseen in training"


def limits(content: ReportContent) -> list[str]:
    """What the figures do not show, as far as the content itself tells; the content's own notes come last."""
    return [*_statistical_limits(content), *_scope_limits(content), *content.notes]


def _statistical_limits(content: ReportContent) -> Iterator[str]:
    few = few_documents(content.comparison.documents)
    if few:
        yield (
            f"{few.capitalize()}: another draw of test documents could change the order. Expect wide intervals, and "
            "doubt small differences."
        )
    spreads = {spread.seeds for spread in content.comparison.seeds}
    if content.models and (not spreads or min(spreads) < SEEDS_FOR_A_CLAIM):
        seeds = "one seed" if not spreads else f"{min(spreads)} seeds"
        yield (
            f"Models were trained with {seeds}. The intervals say how much the figures depend on the test documents, "
            f"not on the luck of training; a headline claim needs at least {SEEDS_FOR_A_CLAIM} seeds."
        )
    if not content.baselines:
        yield "No baseline was evaluated, so nothing here says whether training was worth its cost."


def _scope_limits(content: ReportContent) -> Iterator[str]:
    yield (
        f"One corpus ({content.comparison.corpus}) and one encoder. Other kinds of text may order the models "
        "differently, and cosines of different encoders cannot be compared."
    )
    yield (
        "A cosine between vectors is not the quality of a text: several continuations can be equally good, and only "
        "the author's counts as right."
    )
    if content.coherence is not None and not content.coherence.passed:
        yield (
            f"The corpus failed its coherence check: {'; '.join(content.coherence.reasons)}. What a model learns from it "
            "says little about ordered text."
        )
    if content.latencies:
        timed = next(iter(content.latencies.values()))
        yield (
            f"Latency was measured on {timed.device} with {plural(timed.threads, 'thread')} and a context of "
            f"{plural(timed.context, 'chunk')}; other machines differ, and encoding and decoding are not included."
        )
