"""Plots as data for plotly's JavaScript. Colours and fonts are CSS variables, which the page's script looks up."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nextvec.evaluation.coherence import CoherenceReport
from nextvec.evaluation.comparison import Contrast, Role, Row
from nextvec.evaluation.report.content import Event, ReportContent
from nextvec.evaluation.report.labels import place_labels
from nextvec.evaluation.report.wording import (
    MARKS,
    count,
    figure_title,
    listed,
    milliseconds,
    number,
    plural,
    signed,
    signed_span,
    span,
)
from nextvec.evaluation.statistics import Verdict, p_text

SERIES = 8
"""Colours --series-0 .. --series-7 of the style sheet; more models than that repeat them with other dashes."""
MOST_POINTS = 400

_DASHES = ("solid", "dash", "dot", "dashdot")
_SYMBOLS: dict[Verdict, str] = {"better": "triangle-up", "worse": "triangle-down", "cannot tell": "circle"}
_COLOURS: dict[Verdict, str] = {"better": "--better", "worse": "--worse", "cannot tell": "--unsure"}
_CLEAR = "rgba(0,0,0,0)"

Trace = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a plot shows; a plot with several views has a list to choose from."""

    label: str
    data: Sequence[Trace]
    layout: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {"data": list(self.data), "layout": dict(self.layout)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """`key` is its id in the page, `alt` what it shows for those who cannot see it."""

    key: str
    title: str
    alt: str
    caption: str
    views: Sequence[View]
    height: int = 320


@dataclass(frozen=True, slots=True)
class Styles:
    """The look of each model, the same in every plot."""

    names: Sequence[str]
    _places: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._places.update({name: place for place, name in enumerate(self.names)})

    def colour(self, name: str) -> str:
        place = self._places.get(name)
        return "--baseline" if place is None else f"--series-{place % SERIES}"

    def dash(self, name: str) -> str:
        return _DASHES[self._places.get(name, 0) // SERIES % len(_DASHES)]


def plot_text(text: str) -> str:
    """Text that plotly shows as it is, though it reads a few HTML tags."""
    return html.escape(text, quote=False)


def forest(content: ReportContent, key: str, roles: Sequence[Role], title: str) -> Plot | None:
    """Paired differences with intervals, a view for each role and figure; None when there are none."""
    found = content.comparison.contrasts
    groups = {(c.role, c.figure): [d for d in found if (d.role, d.figure) == (c.role, c.figure)] for c in found}
    chosen = [contrasts for (role, _), contrasts in groups.items() if role in roles]
    chosen.sort(key=lambda contrasts: roles.index(contrasts[0].role))
    if not chosen:
        return None
    return Plot(
        key=key,
        title=title,
        alt=". ".join(contrast.sentence for contrast in chosen[0]),
        caption=(
            "Differences on the same documents with 95 % intervals. Right of zero is better; an interval that "
            "touches zero settles nothing."
        ),
        views=[_forest_view(contrasts) for contrasts in chosen],
        height=110 + 46 * max(len(contrasts) for contrasts in chosen),
    )


def _forest_view(contrasts: Sequence[Contrast]) -> View:
    rivals = sorted({c.right for c in contrasts})
    places = range(len(contrasts) - 1, -1, -1)
    named = [_forest_label(c, len(rivals) > 1) for c in contrasts]
    against = rivals[0] if len(rivals) == 1 else f"the {contrasts[0].role}"
    title = figure_title(contrasts[0].figure)
    words = [
        {
            "x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "y": place, "showarrow": False,
            "text": f"{MARKS[c.verdict]} {c.verdict}", "font": {"color": _COLOURS[c.verdict], "size": 12},
        }
        for c, place in zip(contrasts, places, strict=True)
    ]  # fmt: skip
    y = _axis(tickvals=list(places), ticktext=named, range=[-0.6, len(contrasts) - 0.4], showgrid=False)
    x = _axis(f"difference in {_lower(title)} from {plot_text(against)}", zeroline=True, tickformat="+.3~f", nticks=6)
    layout = _layout(x, y, annotations=words, margin={"l": 8, "r": 92, "t": 8, "b": 8})
    return View(label=_forest_name(contrasts[0]), data=list(_forest_traces(contrasts, places)), layout=layout)


def _forest_name(contrast: Contrast) -> str:
    rival = {"shuffled context": "itself", "reference": contrast.right}.get(contrast.role, f"the {contrast.role}")
    if contrast.role == "anchor":
        rival = "its own anchor"
    if contrast.role == "shuffled context":
        return "Cosine, against itself on shuffled context"
    return f"{figure_title(contrast.figure)}, against {rival}"


def _forest_label(contrast: Contrast, with_rival: bool) -> str:
    name = plot_text(contrast.left)
    return f'{name}<br><span style="font-size:10px">{plot_text(contrast.right)}</span>' if with_rival else name


def _forest_traces(contrasts: Sequence[Contrast], places: Sequence[int]) -> Iterator[Trace]:
    for verdict in MARKS:
        points = [(c, place) for c, place in zip(contrasts, places, strict=True) if c.verdict == verdict]
        if not points:
            continue
        colour = _COLOURS[verdict]
        ds = [c.difference for c, _ in points]
        yield {
            "type": "scatter", "mode": "markers", "showlegend": False, "hoverinfo": "text",
            "x": [d.estimate for d in ds], "y": [place for _, place in points],
            "hovertext": [plot_text(_difference_text(c)) for c, _ in points],
            "marker": {"color": colour, "size": 11, "symbol": _SYMBOLS[verdict]},
            "error_x": {
                "array": [d.high - d.estimate for d in ds], "arrayminus": [d.estimate - d.low for d in ds],
                "color": colour, "thickness": 2, "width": 5,
            },
        }  # fmt: skip


def _difference_text(contrast: Contrast) -> str:
    d = contrast.difference
    return f"{contrast.left}: {signed(d.estimate)} ({signed_span(d)}), {p_text(contrast.p_adjusted)}"


def costs(content: ReportContent, styles: Styles) -> list[Plot]:
    """Cosine and rank against latency and parameters, as far as they were measured."""
    plots = []
    for figure, short in (("cosine", "Cosine"), ("mrr[document]", "MRR in the document")):
        latency = {name: timed.single_ms for name, timed in content.latencies.items()}
        size = {row.name: max(1, row.subject.parameters + row.subject.fitted) for row in content.comparison.rows}
        key = figure.partition("[")[0]
        if latency:
            plots.append(_cost_plot(content, styles, f"{key}-latency", figure, (short, "latency"), latency))
        plots.append(_cost_plot(content, styles, f"{key}-size", figure, (short, "parameters"), size))
    return [plot for plot in plots if plot is not None]


def _cost_plot(
    content: ReportContent, styles: Styles, key: str, figure: str, words: tuple[str, str], cost: Mapping[str, float]
) -> Plot | None:
    rows = [row for row in content.comparison.rows if figure in row.figures and row.name in cost]
    rows.sort(key=lambda row: row.kind == "baseline")
    if not rows:
        return None
    short, against = words
    shown = milliseconds if against == "latency" else count
    texts = [f"{row.name} {number(row.figures[figure].estimate)} at {shown(cost[row.name])}" for row in rows]
    unit = "milliseconds a prediction" if against == "latency" else "numbers trained or fitted (none is drawn as 1)"
    y = _axis(figure_title(figure), tickformat=".3~f")
    layout = _layout(_axis(f"{unit}, logarithmic", type="log", exponentformat="none"), y)
    return Plot(
        key=key,
        title=f"{short} against {against}",
        alt=f"{short} against {against}: " + "; ".join(texts),
        caption="",
        views=[View(label=short, data=list(_cost_traces(rows, figure, cost, styles, texts)), layout=layout)],
    )


def _cost_traces(
    rows: Sequence[Row], figure: str, cost: Mapping[str, float], styles: Styles, texts: Sequence[str]
) -> Iterator[Trace]:
    intervals = [row.figures[figure] for row in rows]
    x, y = [cost[row.name] for row in rows], [interval.estimate for interval in intervals]
    positions = place_labels([math.log10(value) for value in x], y, [row.name for row in rows])
    for place, row in enumerate(rows):
        model, colour = row.kind == "model", styles.colour(row.name)
        yield {
            "type": "scatter", "mode": "markers+text", "showlegend": False, "hoverinfo": "text", "cliponaxis": False,
            "x": [x[place]], "y": [y[place]], "hovertext": [plot_text(f"{texts[place]} ({span(intervals[place])})")],
            "text": [plot_text(row.name) if positions[place] else ""],
            "textposition": positions[place] or "top center",
            "textfont": {"size": 11, "color": "--ink" if model else "--muted"},
            "marker": {"color": colour, "size": 11 if model else 8, "symbol": "circle" if model else "diamond-open"},
        }  # fmt: skip


def curves(content: ReportContent, styles: Styles) -> Plot | None:
    """Validation cosine by epoch with the best baselines; the loss by step is another view."""
    epochs = {name: _points(events, "epoch", "epoch", "validation_cosine") for name, events in content.curves.items()}
    losses = {name: _points(events, "step", "step", "loss") for name, events in content.curves.items()}
    epochs = {name: points for name, points in epochs.items() if points}
    losses = {name: points for name, points in losses.items() if points}
    if not epochs:
        return None
    views = [_validation_view(epochs, content.best_baseline, styles)]
    if losses:
        views.append(_loss_view(losses, styles))
    last = [
        f"{name} ends at {number(points[-1][1])} after epoch {points[-1][0]:.0f}" for name, points in epochs.items()
    ]
    known = [f"the best baseline, {name}, has {number(value)}" for name, value in content.best_baseline.items()]
    return Plot(
        key="curves",
        title="Training",
        alt="Validation cosine by epoch: " + "; ".join([*last, *known]),
        caption="Epoch 0 is the untrained network: an anchored one begins at its anchor. Points below the axis are cut off.",
        views=views,
        height=380,
    )


def _points(events: Sequence[Event], kind: str, x: str, y: str) -> list[tuple[float, float]]:
    """(x, y) of the events of that kind that have both, thinned to a bearable number."""
    found = [(float(e[x]), float(e[y])) for e in events if e.get("event") == kind and x in e and y in e]
    found = [point for point in found if all(math.isfinite(value) for value in point)]
    step = math.ceil(len(found) / MOST_POINTS) or 1
    return [*found[:-1:step], *found[-1:]]


def _validation_view(
    epochs: Mapping[str, Sequence[tuple[float, float]]], best_baseline: Mapping[str, float], styles: Styles
) -> View:
    data = [_line(name, points, styles) for name, points in epochs.items()]
    trained = [y for points in epochs.values() for x, y in points if x >= 1] or [
        y for points in epochs.values() for _, y in points
    ]
    values = [*trained, *best_baseline.values()]
    pad = 0.08 * (max(values) - min(values)) or 0.01
    y = _axis("cosine on validation documents", range=[min(values) - pad, max(values) + pad], tickformat=".3~f")
    layout = _layout(
        _axis("epoch", rangemode="tozero", nticks=12),
        y,
        shapes=[_level(value) for value in best_baseline.values()],
        annotations=[_level_name(f"best baseline: {name}", value) for name, value in best_baseline.items()],
        **_legend(),
    )
    return View(label="Cosine on validation documents", data=data, layout=layout)


def _loss_view(losses: Mapping[str, Sequence[tuple[float, float]]], styles: Styles) -> View:
    data = [_line(name, points, styles, mode="lines") for name, points in losses.items()]
    layout = _layout(_axis("step", rangemode="tozero"), _axis("training loss"), **_legend())
    return View(label="Training loss", data=data, layout=layout)


def _line(name: str, points: Sequence[tuple[float, float]], styles: Styles, mode: str = "lines+markers") -> Trace:
    colour = styles.colour(name)
    return {
        "type": "scatter", "mode": mode, "name": plot_text(name), "showlegend": True, "hoverinfo": "text",
        "x": [x for x, _ in points], "y": [y for _, y in points],
        "hovertext": [plot_text(f"{name}, {x:g}: {number(y)}") for x, y in points],
        "line": {"color": colour, "width": 2, "dash": styles.dash(name)}, "marker": {"color": colour, "size": 5},
    }  # fmt: skip


def lag_curve(report: CoherenceReport) -> Plot | None:
    """Mean cosine by distance, in order and shuffled, and across documents."""
    if not report.lags:
        return None
    lags = [point.lag for point in report.lags]
    series = {
        "in order": ([point.ordered for point in report.lags], "--series-0", "solid"),
        "shuffled within documents": ([point.shuffled for point in report.lags], "--series-1", "dash"),
    }
    if report.across is not None:
        series["across documents"] = ([report.across] * len(lags), "--baseline", "dot")
    data = [
        {
            "type": "scatter", "mode": "lines+markers", "name": name, "x": lags, "y": values, "hoverinfo": "text",
            "hovertext": [f"{name}, lag {lag}: {number(value, 3)}" for lag, value in zip(lags, values, strict=True)],
            "line": {"color": colour, "width": 2, "dash": dash}, "marker": {"color": colour, "size": 7},
        }
        for name, (values, colour, dash) in series.items()
    ]  # fmt: skip
    x = _axis("lag: how many chunks apart", tickvals=lags)
    return Plot(
        key="lags",
        title=f"Lag curve of {report.label}",
        alt="Mean cosine by lag: "
        + "; ".join(
            f"{name} " + ", ".join(f"{number(value, 3)} at {lag}" for lag, value in zip(lags, values, strict=True))
            for name, (values, _, _) in series.items()
        ),
        caption="Where neighbours are closer than the same chunks in random order, the order can be learnt.",
        views=[View(label="lags", data=data, layout=_layout(x, _axis("mean cosine", tickformat=".2~f"), **_legend()))],
    )


def generations(content: ReportContent, styles: Styles) -> Plot | None:
    """The same architecture on generations of a corpus, by their size; None unless a model has an earlier self."""
    newer = [c for c in content.comparison.contrasts if (c.role, c.figure) == ("earlier generation", "cosine")]
    rows = {row.name: row for row in content.comparison.rows if "cosine" in row.figures}
    chains = _chains(newer, rows)
    if not chains:
        return None
    sizes = {row.subject.trained_on or "?": row.subject.trained_rows or 0 for chain in chains for row in chain}
    order = sorted(sizes, key=sizes.__getitem__)
    data = list(_generation_traces(chains, order, styles))
    texts = [f"{plot_text(name)}<br>{plural(sizes[name], 'chunk')}" for name in order]
    x = _axis(tickvals=list(range(len(order))), ticktext=texts, range=[-0.4, len(order) - 0.6], showgrid=False)
    return Plot(
        key="generations",
        title="Cosine by generation",
        alt="; ".join(
            " then ".join(f"{row.name} {number(row.figures['cosine'].estimate)}" for row in chain) for chain in chains
        ),
        caption=(
            f"{listed(order)}, on the test documents of the oldest. Intervals of the single figures are wider than those "
            "of the differences, which are what counts."
        ),
        views=[
            View(label="generations", data=data, layout=_layout(x, _axis("cosine", tickformat=".3~f"), **_legend()))
        ],
    )


def _chains(newer: Sequence[Contrast], rows: Mapping[str, Row]) -> list[list[Row]]:
    """Each architecture's rows from the oldest generation to the newest, linked by their contrasts."""
    earlier = {c.left: c.right for c in newer}
    newest = [name for name in earlier if name not in earlier.values()]
    chains = []
    for name in newest:
        chain = [name]
        while chain[-1] in earlier:
            chain.append(earlier[chain[-1]])
        chains.append([rows[link] for link in reversed(chain)])
    return chains


def _generation_traces(chains: Sequence[Sequence[Row]], order: Sequence[str], styles: Styles) -> Iterator[Trace]:
    for place, chain in enumerate(chains):
        shift = (place - (len(chains) - 1) / 2) * 0.06
        colour = styles.colour(chain[-1].name)
        intervals = [row.figures["cosine"] for row in chain]
        yield {
            "type": "scatter", "mode": "lines+markers", "name": plot_text(chain[-1].subject.architecture),
            "x": [order.index(row.subject.trained_on or "?") + shift for row in chain],
            "y": [i.estimate for i in intervals], "hoverinfo": "text", "showlegend": True,
            "hovertext": [plot_text(f"{r.name} {number(i.estimate)} ({span(i)})") for r, i in zip(chain, intervals, strict=True)],
            "line": {"color": colour, "width": 2}, "marker": {"color": colour, "size": 8},
            "error_y": {
                "array": [i.high - i.estimate for i in intervals], "arrayminus": [i.estimate - i.low for i in intervals],
                "color": colour, "thickness": 1.2, "width": 4,
            },
        }  # fmt: skip


def _axis(title: str = "", **options: Any) -> dict[str, Any]:
    return {
        "title": {"text": title, "standoff": 10, "font": {"size": 12}},
        "automargin": True, "fixedrange": True, "zeroline": False, "gridcolor": "--grid", "zerolinecolor": "--muted",
        "zerolinewidth": 1.5, "linecolor": "--grid", "ticks": "",
    } | options  # fmt: skip


def _layout(x: dict[str, Any], y: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {
        "xaxis": x, "yaxis": y, "paper_bgcolor": _CLEAR, "plot_bgcolor": _CLEAR, "showlegend": False, "dragmode": False,
        "font": {"family": "--sans", "size": 12, "color": "--muted"}, "margin": {"l": 8, "r": 12, "t": 12, "b": 8},
        "hoverlabel": {"bgcolor": "--panel", "bordercolor": "--grid", "font": {"color": "--ink", "family": "--sans"}},
        "hovermode": "closest",
    } | options  # fmt: skip


def _legend() -> dict[str, Any]:
    place = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "font": {"color": "--ink"}}
    return {"showlegend": True, "legend": place | {"itemclick": False, "itemdoubleclick": False}}


def _level(value: float) -> dict[str, Any]:
    line = {"color": "--muted", "width": 1.5, "dash": "dash"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value, "line": line}


def _level_name(text: str, value: float) -> dict[str, Any]:
    return {
        "xref": "paper", "x": 1, "xanchor": "right", "y": value, "yanchor": "bottom", "showarrow": False,
        "text": plot_text(text), "font": {"size": 11, "color": "--muted"},
    }  # fmt: skip


def _lower(title: str) -> str:
    return title if title[:2].isupper() else title[0].lower() + title[1:]
