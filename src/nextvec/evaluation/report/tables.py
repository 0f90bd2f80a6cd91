"""Tables of a report: the leaderboard, every figure, the spread over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nextvec.evaluation.by_source import SHOWN
from nextvec.evaluation.comparison import Row
from nextvec.evaluation.metric import figures
from nextvec.evaluation.report.content import ReportContent
from nextvec.evaluation.report.markup import Html, element, join
from nextvec.evaluation.report.wording import (
    EN_DASH,
    count,
    figure_title,
    milliseconds,
    number,
    percent,
    percent_span,
    span,
    split_figure,
)
from nextvec.evaluation.statistics import Interval

LEADERBOARD = (
    "cosine",
    "cosine_centred",
    "mrr[document]",
    "mrr[ahead]",
    "bits_gained[document]",
    "recall@10[document]",
    "mrr[document+context]",
    "mrr[foreign-10k]",
    "bits_gained[foreign-10k]",
    "log_density",
    "energy_score",
    "coverage@90",
)

MISSING = EN_DASH


@dataclass(frozen=True, slots=True)
class Cell:
    """`value` is what sorting and the mark for the best go by, `note` stands below in small print."""

    value: float
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`higher_is_better` None: nothing is marked as best. `cells` has None where a row has no such value."""

    title: str
    note: str
    meaning: str
    higher_is_better: bool | None
    cells: Sequence[Cell | None]

    @property
    def best(self) -> float | None:
        values = [cell.value for cell in self.cells if cell is not None]
        if self.higher_is_better is None or len(values) < 2:
            return None
        return max(values) if self.higher_is_better else min(values)


def scrolling(table: Html, label: str) -> Html:
    """A box that a wide table scrolls in, reachable with the keyboard."""
    return element("div", table, class_="scroll", role="region", aria_label=label, tabindex="0")


def plain_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """The first cell of each row is its header."""
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    body = (
        element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in rest))
        for first, *rest in rows
    )
    title = element("caption", caption, class_="hidden")
    return scrolling(element("table", title, element("thead", head), element("tbody", *body)), caption)


def leaderboard(content: ReportContent) -> Html:
    rows = content.comparison.rows
    columns = _columns(content)
    first = "cosine" in rows[0].figures
    head = element("tr", _name_head(), *(_head(column, first and i == 0) for i, column in enumerate(columns)))
    body = (_line(row, [(column, column.cells[i]) for column in columns]) for i, row in enumerate(rows))
    caption = "Every model and baseline with its figures; 95 % intervals in small print"
    table = element(
        "table",
        element("caption", caption, class_="hidden"),
        element("thead", head),
        element("tbody", *body),
        class_="leaderboard",
    )
    return scrolling(table, "Leaderboard")


def _columns(content: ReportContent) -> list[Column]:
    rows = content.comparison.rows
    measured = [name for name in LEADERBOARD if any(name in row.figures for row in rows)]
    columns = [_figure_column(rows, name) for name in measured]
    if any(row.skill for row in rows):
        columns.insert(1 if measured[:1] == ["cosine"] else 0, _skill_column(rows))
    columns.append(_parameter_column(rows))
    if content.latencies:
        columns.append(_latency_column(content))
    return columns


def _figure_column(rows: Sequence[Row], figure: str) -> Column:
    title, _ = split_figure(figure)
    known = figures()[figure]
    return Column(
        title=title,
        note=_pool_note(rows, figure),
        meaning=known.meaning,
        higher_is_better=known.higher_is_better,
        cells=[_figure_cell(row.figures.get(figure), 4 if figure == "cosine" else 3) for row in rows],
    )


def _pool_note(rows: Sequence[Row], figure: str) -> str:
    """ "document+context pool of 84, chance 0.0612"."""
    _, pool = split_figure(figure)
    if not pool:
        return "95 % interval"
    sizes = [row.figures[size].estimate for row in rows if (size := f"pool_size[{pool}]") in row.figures]
    chances = [row.chance[figure] for row in rows if figure in row.chance]
    of = f" of {sizes[0]:,.0f}" if sizes else ""
    chance = f", chance {chances[0]:.2g}" if chances else ""
    return f"{pool} pool{of}{chance}"


def _skill_column(rows: Sequence[Row]) -> Column:
    over = sorted({row.skill_over for row in rows if row.skill_over})
    return Column(
        title="Skill",
        note=f"over {over[0]}" if len(over) == 1 else "over the best baseline",
        meaning="share of the best baseline's cosine error that is gone",
        higher_is_better=True,
        cells=[_skill_cell(row) for row in rows],
    )


def _figure_cell(interval: Interval | None, digits: int) -> Cell | None:
    if interval is None:
        return None
    return Cell(interval.estimate, number(interval.estimate, digits), span(interval, digits))


def _skill_cell(row: Row) -> Cell | None:
    if row.skill is None:
        return None
    if row.name == row.skill_over:
        return Cell(0.0, percent(0.0), "by definition")
    return Cell(row.skill.estimate, percent(row.skill.estimate), percent_span(row.skill))


def _parameter_column(rows: Sequence[Row]) -> Column:
    return Column(
        title="Parameters",
        note="trained; fitted below",
        meaning="trained numbers; below them those fitted in closed form, of a baseline or an anchor",
        higher_is_better=None,
        cells=[_parameter_cell(row) for row in rows],
    )


def _parameter_cell(row: Row) -> Cell:
    subject = row.subject
    fitted = f"{count(subject.fitted)} fitted" if subject.fitted else ""
    return Cell(subject.parameters + subject.fitted, count(subject.parameters), fitted)


def _latency_column(content: ReportContent) -> Column:
    timed = (content.latencies.get(row.name) for row in content.comparison.rows)
    device = next(iter(content.latencies.values())).device
    return Column(
        title="Latency",
        note=f"median, one at a time, {device}",
        meaning="milliseconds for one prediction at the smallest batch, median over calls",
        higher_is_better=False,
        cells=[
            None if latency is None else Cell(latency.single_ms, milliseconds(latency.single_ms)) for latency in timed
        ],
    )


def _name_head() -> Html:
    return element("th", element("button", "Model", type="button"), scope="col")


def _head(column: Column, sorted_by: bool) -> Html:
    arrow = {True: " ↑", False: " ↓", None: ""}[column.higher_is_better]
    words = {True: "higher is better", False: "lower is better", None: ""}[column.higher_is_better]
    label = element("span", arrow, title=words, class_="direction", aria_hidden="true") if arrow else None
    return element(
        "th",
        element("button", column.title, label, type="button", title=f"{column.meaning}. Sort by this column."),
        element("small", column.note),
        scope="col",
        class_="number",
        data_first="ascending" if column.higher_is_better is False else "descending",
        aria_sort="descending" if sorted_by else None,
    )


def _line(row: Row, cells: Iterable[tuple[Column, Cell | None]]) -> Html:
    subject = row.subject
    details = [row.kind if subject.architecture == row.name else f"{row.kind}, {subject.architecture}"]
    details += [f"anchor {subject.anchor}"] if subject.anchor != "none" else []
    details += [subject.variant] if subject.variant else []
    details += [f"context {subject.context}"] if subject.context is not None and row.kind == "model" else []
    name = element("th", row.name, element("small", ", ".join(details)), scope="row")
    return element("tr", name, *(_cell(column, cell) for column, cell in cells), class_=row.kind)


def _cell(column: Column, cell: Cell | None) -> Html:
    if cell is None:
        return element("td", MISSING, class_="number missing")
    best = cell.value == column.best
    shown = element("strong", cell.text, element("span", " (best)", class_="hidden")) if best else cell.text
    note = element("small", cell.note) if cell.note else None
    return element("td", shown, note, class_="number best" if best else "number", data_value=repr(float(cell.value)))


def every_figure(content: ReportContent) -> Html:
    """A line for each figure that was measured, with its meaning; a column for each row of the leaderboard."""
    rows = content.comparison.rows
    known = figures()
    measured = [name for name in known if any(name in row.figures for row in rows)]
    lines = (
        [join([figure_title(name), element("small", known[name].meaning)])]
        + [number(row.figures[name].estimate) if name in row.figures else MISSING for row in rows]
        for name in measured
    )
    return plain_table("Every figure that was measured", ["Figure", *(row.name for row in rows)], lines)


def seed_table(content: ReportContent) -> Html | None:
    """The spread over training seeds; None when no model has two."""
    spreads = content.comparison.seeds
    lines = [
        (
            f"{s.architecture}{f' ({s.variant})' if s.variant else ''}{f' on {s.trained_on}' if s.trained_on else ''}",
            figure_title(s.figure),
            str(s.seeds),
            number(s.mean),
            number(s.low),
            number(s.high),
            number(s.deviation),
            s.note or "",
        )
        for s in spreads
    ]
    heads = ["Model", "Figure", "Seeds", "Mean", "Lowest", "Highest", "Deviation", "Note"]
    return plain_table("Spread over training seeds", heads, lines) if lines else None


def source_table(content: ReportContent) -> Html | None:
    """Models and the best baseline on each part of a mixture; None for a corpus that is none."""
    found = content.comparison.by_source
    measured = [name for name in SHOWN if any(name in each.figures for each in found)]
    lines = [
        (each.source, each.name, f"{each.documents:,}", *(_with_span(each.figures.get(name)) for name in measured))
        for each in found
    ]
    heads = ["Source", "Model", "Documents", *map(figure_title, measured)]
    return plain_table("Figures by source", heads, lines) if lines else None


def _with_span(interval: Interval | None) -> str:
    return MISSING if interval is None else f"{number(interval.estimate)} ({span(interval)})"
