"""The sections of a report, each with its words, tables and plots; those without content are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nextvec.amounts import plural
from nextvec.evaluation.coherence import CoherenceReport
from nextvec.evaluation.comparison import Contrast, Row
from nextvec.evaluation.heldout import Structure
from nextvec.evaluation.report.abilities import abilities
from nextvec.evaluation.report.content import Answer, Example, ReportContent
from nextvec.evaluation.report.limits import limits
from nextvec.evaluation.report.markup import Html, element, join
from nextvec.evaluation.report.plots import (
    Plot,
    Styles,
    costs,
    curves,
    forest,
    generations,
    lag_curve,
    rank_histogram,
)
from nextvec.evaluation.report.tables import every_figure, leaderboard, plain_table, seed_table, source_table
from nextvec.evaluation.report.wording import MARKS, figure_title, number, signed, signed_span
from nextvec.evaluation.statistics import p_text
from nextvec.evaluation.worth import STRUCTURE, worth_sentence

_WORTHS: dict[Structure, str] = {
    "breaks": "What breaks are worth to each baseline",
    "headings": "What headings are worth to each baseline",
    "next": "What the next break is worth to baselines and models",
}
_EVIDENCE = ("Verdict", "Difference, 95 % interval", "p, adjusted", "Documents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`short` is its name in the navigation; `before` and `after` stand around the plots."""

    key: str
    short: str
    title: str
    lead: str = ""
    before: Sequence[Html] = ()
    plots: Sequence[Plot] = ()
    after: Sequence[Html] = ()


def sections(content: ReportContent) -> Iterator[Section]:
    styles = Styles([row.name for row in content.trained])
    if content.answers:
        yield _answers(content.answers)
    if content.models:
        yield _abilities(content)
    yield _leaderboard(content)
    drawn = [
        _differences(content),
        _calibration(content, styles),
        _costs(content, styles),
        _training(content, styles),
        _generations(content, styles),
    ]
    yield from (section for section in drawn if section is not None)
    if content.coherence is not None:
        yield _corpus(content.coherence)
    if content.examples:
        yield _examples(content.examples)
    if content.comparison.contrasts:
        yield _verdicts(content.comparison.contrasts, [row.name for row in content.comparison.rows])
    yield _limits(content)
    if content.provenance:
        yield _provenance(content)


def _answers(answers: Sequence[Answer]) -> Section:
    blocks = tuple(_answer(answer) for answer in answers)
    return Section(key="answers", short="Answers", title="What the study says", after=blocks)


def _answer(answer: Answer) -> Html:
    evidence = element("ul", *(element("li", sentence) for sentence in answer.evidence))
    return element(
        "div",
        element("h3", answer.question),
        element("p", answer.short),
        element("details", element("summary", "Evidence"), evidence) if answer.evidence else None,
        class_="prose",
    )


def _abilities(content: ReportContent) -> Section:
    lead = (
        "The same model may be a good mean and a bad query: what comes next as one vector (cosine), which of a "
        "document's chunks it is, or of those still to come (MRR, bits gained over guessing), and how likely "
        "everything that could come is (log density, energy score, and whether 90 % regions hold 90 %). Each against "
        "the best baseline for it."
    )
    table = (abilities(content),)
    return Section(key="abilities", short="Good for", title="What is each model good for?", lead=lead, before=table)


def _leaderboard(content: ReportContent) -> Section:
    seeds = seed_table(content)
    return Section(
        key="leaderboard",
        short="Leaderboard",
        title="Leaderboard",
        lead=(
            "Baselines are shaded: no network is trained for them. The best value of a column is marked; "
            "best does not mean reliably best, for that see the differences. Select a heading to sort. Targets are "
            "ranked in pools: document, all chunks of their document but the last of their context; ahead, those still "
            "to come, among which nothing is won by telling what was said before; foreign-10k, chunks of others, found "
            "by what the next one is expected to be about."
        ),
        before=(leaderboard(content),),
        after=(
            *((element("h3", "Spread over training seeds"), seeds) if seeds else ()),
            *((element("h3", "By source"), by_source) if (by_source := source_table(content)) else ()),
            *(part for each in STRUCTURE for part in _worth(content, each)),
            element("details", element("summary", "Every figure that was measured"), every_figure(content)),
        ),
    )


def _worth(content: ReportContent, structure: Structure) -> Iterator[Html]:
    found = content.comparison.structure.get(structure)
    if found:
        caption = _WORTHS[structure]
        rows = {row.name: row for row in content.comparison.rows}
        lines = [(c.left, figure_title(c.figure), *_both(c, rows[c.left]), *_evidence(c)) for c in found]
        table = plain_table(caption, ["Model", "Figure", "Without", "With", *_EVIDENCE], lines)
        yield element("p", worth_sentence(structure, found), class_="lead")
        yield element("details", element("summary", caption), table)


def _both(contrast: Contrast, row: Row) -> tuple[str, str]:
    """The figure without and with that structure; the leaderboard has it without the next break, with the others."""
    figure, gained = row.figures[contrast.figure].estimate, contrast.difference.estimate
    low, high = (figure, figure + gained) if contrast.role == "without the next break" else (figure - gained, figure)
    return f"{low:.4f}", f"{high:.4f}"


def _differences(content: ReportContent) -> Section | None:
    plot = forest(content, "forest", ("best baseline", "anchor", "reference", "shuffled context"), "Paired differences")
    if plot is None:
        return None
    lead = (
        "Each model against what it has to beat, document by document. The best baseline is chosen on validation "
        "documents, for each figure anew."
    )
    return Section(
        key="differences", short="Differences", title="Is it better, and how sure?", lead=lead, plots=(plot,)
    )


def _calibration(content: ReportContent, styles: Styles) -> Section | None:
    plot = rank_histogram(content, styles)
    lead = (
        "Samples are calibrated where the author's chunk lies among them like one more sample: in each tenth, from "
        "their centre outwards, a tenth of the targets."
    )
    title = "Does it know how sure it is?"
    return Section(key="calibration", short="Calibration", title=title, lead=lead, plots=(plot,)) if plot else None


def _costs(content: ReportContent, styles: Styles) -> Section | None:
    plots = costs(content, styles)
    lead = "Up and to the left is better. Baselines are open diamonds; what a point stands for is shown on hovering."
    return Section(key="cost", short="Cost", title="What does it cost?", lead=lead, plots=plots) if plots else None


def _training(content: ReportContent, styles: Styles) -> Section | None:
    plot = curves(content, styles)
    return Section(key="training", short="Training", title="How did training go?", plots=(plot,)) if plot else None


def _generations(content: ReportContent, styles: Styles) -> Section | None:
    plots = [generations(content, styles), forest(content, "gains", ("earlier generation",), "Later minus earlier")]
    found = [plot for plot in plots if plot is not None]
    if not found:
        return None
    title = "Does more data help?"
    lead = "The same architecture trained on generations of the corpus, compared on the same documents."
    return Section(key="data", short="Generations", title=title, lead=lead, plots=found)


def _corpus(report: CoherenceReport) -> Section:
    plot = lag_curve(report)
    verdict = element("strong", report.verdict, class_="better" if report.passed else "worse")
    words = element("p", f"{report.label} is ", verdict, _reasons(report), class_="lead")
    return Section(
        key="corpus",
        short="Corpus",
        title="Is the corpus in order?",
        before=(words,),
        plots=(plot,) if plot else (),
        after=(_definitions(dict(_coherence_facts(report))),),
    )


def _reasons(report: CoherenceReport) -> str:
    if report.passed:
        return ": neighbouring chunks are closer than chunks of the same document in random order."
    return f": {'; '.join(report.reasons)}."


def _coherence_facts(report: CoherenceReport) -> Iterator[tuple[str, str]]:
    yield (
        "Size",
        f"{plural(report.chunks, 'chunk')} in {plural(report.documents, 'document')}, {report.measured:,} measured",
    )
    if report.excess is not None:
        yield "Lag 1 above shuffled", f"{signed(report.excess.estimate, 3)} ({signed_span(report.excess, 3)})"
    if report.order is not None:
        yield "Next chunk closer than another", f"{report.order.estimate:.1%}, chance 50.0%"
    yield "Duplicate chunks", f"{report.duplicates:.1%}"
    yield "Documents too short", f"{report.too_short:.1%}, with {report.chunks_too_short:.1%} of the chunks"
    if report.list_likeness is not None:
        yield "Chunks like list entries", f"{report.list_likeness.total:.1%}"


def _examples(examples: Sequence[Example]) -> Section:
    lead = (
        "What stood in held-out documents, what came next, and the stored chunks nearest to each prediction. A "
        "prediction is a vector: these texts only show where it points."
    )
    shown = tuple(_example(example, place) for place, example in enumerate(examples, start=1))
    return Section(key="examples", short="Examples", title="What do predictions look like?", lead=lead, after=shown)


def _example(example: Example, place: int) -> Html:
    title = f"Example {place}" + (f": {example.title}" if example.title else "")
    context = element("ol", *(element("li", text, dir="auto") for text in example.context), class_="context")
    truth = element("blockquote", element("p", example.truth, dir="auto"))
    cards = (_card(name, near, example.cosines.get(name)) for name, near in example.nearest.items())
    return element(
        "article",
        element("h3", title),
        element("div", element("h4", "Context"), context, element("h4", "What came next"), truth, class_="passage"),
        element("div", *cards, class_="cards"),
        class_="example",
    )


def _card(name: str, nearest: Sequence[tuple[str, float]], cosine: float | None) -> Html:
    known = element("small", f"cosine to the truth {number(cosine, 3)}") if cosine is not None else None
    chunks = (
        element("li", element("span", number(similarity, 3), class_="similarity"), element("span", text, dir="auto"))
        for text, similarity in nearest
    )
    return element("div", element("h4", name, known), element("ol", *chunks), class_="card")


def _verdicts(contrasts: Sequence[Contrast], order: Sequence[str]) -> Section:
    names = list(dict.fromkeys(contrast.figure for contrast in contrasts))
    blocks = (
        _verdict_block(name, [c for c in contrasts if c.figure == name], order, i == 0) for i, name in enumerate(names)
    )
    lead = (
        "Better or worse is said only when the 95 % interval and the p-value (sign flips by document, adjusted over "
        "all differences of the figure) both exclude zero. A verdict on one checkpoint is about that checkpoint: what "
        "another seed would give is not in it. A verdict on several seeds carries their spread."
    )
    return Section(key="verdicts", short="Verdicts", title="Every verdict in words", lead=lead, after=tuple(blocks))


def _verdict_block(figure: str, contrasts: Sequence[Contrast], order: Sequence[str], opened: bool) -> Html:
    ranked = sorted(contrasts, key=lambda contrast: order.index(contrast.left))
    lines = [
        (c.left, f"{c.right} ({c.role})" if c.role != "shuffled context" else c.right, *_evidence(c)) for c in ranked
    ]
    table = plain_table(f"Verdicts in {figure_title(figure)}", ["Model", "Against", *_EVIDENCE], lines)
    return element("details", element("summary", figure_title(figure)), table, open=opened)


def _evidence(contrast: Contrast) -> tuple[str, ...]:
    verdict, difference = contrast.verdict, contrast.difference
    return (
        element("span", f"{MARKS[verdict]} {verdict}", class_=verdict.replace(" ", "-")),
        f"{signed(difference.estimate)} ({signed_span(difference)})",
        p_text(contrast.p_adjusted),
        f"{difference.documents:,}",
    )


def _limits(content: ReportContent) -> Section:
    items = element("ul", *(element("li", text) for text in limits(content)), class_="prose")
    return Section(key="limits", short="Limits", title="What the figures do not show", after=(items,))


def _provenance(content: ReportContent) -> Section:
    return Section(
        key="provenance",
        short="Provenance",
        title="Where this comes from",
        after=(_definitions(content.provenance),),
    )


def _definitions(facts: Mapping[str, str]) -> Html:
    return element(
        "dl", *(join([element("dt", name), element("dd", value)]) for name, value in facts.items()), class_="facts"
    )
