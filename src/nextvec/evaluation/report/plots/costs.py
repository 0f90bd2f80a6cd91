"""What a model is worth against what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from nextvec.evaluation.comparison import Row
from nextvec.evaluation.report.content import ReportContent
from nextvec.evaluation.report.plots.labels import padded, place_labels
from nextvec.evaluation.report.plots.plot import Plot, Styles, Trace, View, axis, layout, plot_text
from nextvec.evaluation.report.wording import count, milliseconds, number, span

_FIGURES = {"cosine": "Cosine", "mrr[document]": "MRR in the document"}
_MANY = 6
"""Rows from which the better half deserves a view of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """`values` by row name, all above zero."""

    name: str
    unit: str
    values: Mapping[str, float]

    def text(self, row: Row) -> str:
        value = self.values[row.name]
        return milliseconds(value) if self.name == "latency" else count(value)


def costs(content: ReportContent, styles: Styles) -> list[Plot]:
    """Cosine and rank against latency and parameters, as far as they were measured."""
    rows = content.comparison.rows
    sizes = {row.name: max(1, row.subject.parameters + row.subject.fitted) for row in rows}
    measured = [_Cost(name="parameters", unit="numbers trained or fitted, at least 1", values=sizes)]
    if content.latencies:
        times = {name: latency.single_ms for name, latency in content.latencies.items()}
        measured.insert(0, _Cost(name="latency", unit="milliseconds a prediction", values=times))
    plots = (_plot(rows, styles, figure, cost) for figure in _FIGURES for cost in measured)
    return [plot for plot in plots if plot is not None]


def _plot(rows: Sequence[Row], styles: Styles, figure: str, cost: _Cost) -> Plot | None:
    shown = [row for row in rows if figure in row.figures and row.name in cost.values]
    shown.sort(key=lambda row: row.kind == "baseline")
    if not shown:
        return None
    middle = median(row.figures[figure].estimate for row in shown)
    better = [row for row in shown if row.figures[figure].estimate >= middle]
    views = [_view("All", shown, figure, cost, styles)]
    if len(shown) >= _MANY:
        views.insert(0, _view("The better half", better, figure, cost, styles))
    texts = (f"{row.name} {number(row.figures[figure].estimate)} at {cost.text(row)}" for row in shown)
    title = f"{_FIGURES[figure]} against {cost.name}"
    return Plot(
        key=f"{figure.partition('[')[0]}-{cost.name}",
        title=title,
        alt=f"{title}: {'; '.join(texts)}",
        caption="",
        views=views,
    )


def _view(label: str, rows: Sequence[Row], figure: str, cost: _Cost, styles: Styles) -> View:
    x = [math.log10(cost.values[row.name]) for row in rows]
    y = [row.figures[figure].estimate for row in rows]
    across = axis(
        f"{cost.unit} (log scale)",
        type="log",
        range=padded(x),
        dtick=_tick_step(max(x) - min(x)),
        tickangle=0,
        tickformat="~s" if cost.name == "parameters" else "~r",
    )
    up = axis(range=padded(y), tickformat=".3~f", nticks=7)
    return View(label=label, data=list(_traces(rows, x, y, figure, cost, styles)), layout=layout(across, up))


def _tick_step(decades: float) -> int | str:
    """Plotly's step of a logarithmic axis: every second decade, every decade, or 1, 2 and 5 of each."""
    if decades > 4.5:
        return 2
    return 1 if decades > 1.5 else "D2"


def _traces(
    rows: Sequence[Row], x: Sequence[float], y: Sequence[float], figure: str, cost: _Cost, styles: Styles
) -> Iterator[Trace]:
    positions = place_labels(x, y, [row.name for row in rows])
    for row, height, position in zip(rows, y, positions, strict=True):
        model, interval = row.kind == "model", row.figures[figure]
        yield {
            "type": "scatter", "mode": "markers+text", "showlegend": False, "hoverinfo": "text", "cliponaxis": False,
            "x": [cost.values[row.name]], "y": [height],
            "hovertext": [plot_text(f"{row.name}: {number(height)} ({span(interval)}) at {cost.text(row)}")],
            "text": [plot_text(row.name) if position else ""], "textposition": position or "top center",
            "textfont": {"size": 11, "color": "--ink" if model else "--muted"},
            "marker": {
                "color": styles.colour(row.name), "size": 11 if model else 8,
                "symbol": "circle" if model else "diamond-open",
            },
        }  # fmt: skip
