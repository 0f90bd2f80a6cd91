"""What the text allows: the lag curve of a corpus, and what models gained from more of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nextvec.amounts import plural
from nextvec.evaluation.coherence import CoherenceReport
from nextvec.evaluation.comparison import Contrast, Row
from nextvec.evaluation.report.content import ReportContent
from nextvec.evaluation.report.plots.plot import Plot, Styles, Trace, View, axis, error_bars, layout, legend, plot_text
from nextvec.evaluation.report.wording import number, span

_SPREAD = 0.06
"""Distance between the points of different architectures at one generation, which is 1 wide."""


def lag_curve(report: CoherenceReport) -> Plot | None:
    """Mean cosine by distance, in order and shuffled, and across documents; None without lags."""
    if not report.lags:
        return None
    lags = [point.lag for point in report.lags]
    series: dict[str, tuple[list[float], str, str]] = {
        "in order": ([point.ordered for point in report.lags], "--series-0", "solid"),
        "shuffled within documents": ([point.shuffled for point in report.lags], "--series-1", "dash"),
    }
    if report.across is not None:
        series["across documents"] = ([report.across] * len(lags), "--baseline", "dot")
    data = [_lag_trace(name, lags, *look) for name, look in series.items()]
    x, y = axis("lag: how many chunks apart", tickvals=lags), axis("mean cosine", tickformat=".2~f")
    return Plot(
        key="lags",
        title=f"Lag curve of {report.label}",
        alt="Mean cosine by lag: " + "; ".join(_lag_words(name, lags, values) for name, (values, *_) in series.items()),
        caption="Where neighbours are closer than the same chunks in random order, the order can be learnt.",
        views=[View(label="Lags", data=data, layout=layout(x, y, **legend()))],
    )


def _lag_trace(name: str, lags: Sequence[int], values: Sequence[float], colour: str, dash: str) -> Trace:
    return {
        "type": "scatter", "mode": "lines+markers", "name": name, "x": list(lags), "y": list(values),
        "hovertext": [f"{name}, lag {lag}: {number(value, 3)}" for lag, value in zip(lags, values, strict=True)],
        "hoverinfo": "text", "line": {"color": colour, "width": 2, "dash": dash},
        "marker": {"color": colour, "size": 7},
    }  # fmt: skip


def _lag_words(name: str, lags: Sequence[int], values: Sequence[float]) -> str:
    return f"{name} " + ", ".join(f"{number(value, 3)} at {lag}" for lag, value in zip(lags, values, strict=True))


def generations(content: ReportContent, styles: Styles) -> Plot | None:
    """Cosine of the same architecture on growing generations; None unless a model has an earlier self."""
    newer = [c for c in content.comparison.contrasts if (c.role, c.figure) == ("earlier generation", "cosine")]
    chains = _chains(newer, {row.name: row for row in content.comparison.rows})
    if not chains:
        return None
    sizes = {_trained_on(row): row.subject.trained_rows or 0 for chain in chains for row in chain}
    order = sorted(sizes, key=sizes.__getitem__)
    names = [f"{plot_text(name)}<br>{plural(sizes[name], 'chunk')}" for name in order]
    x = axis(tickvals=list(range(len(order))), ticktext=names, range=[-0.4, len(order) - 0.6], showgrid=False)
    return Plot(
        key="generations",
        title="Cosine by generation",
        alt="; ".join(_chain_words(chain) for chain in chains),
        caption="Intervals of single figures are wider than those of the differences, which are what counts.",
        views=[
            View(
                label="Generations",
                data=list(_generation_traces(chains, order, styles)),
                layout=layout(x, axis("cosine", tickformat=".3~f"), **legend()),
            )
        ],
    )


def _chains(newer: Sequence[Contrast], rows: Mapping[str, Row]) -> list[list[Row]]:
    """Each architecture's rows from the oldest generation to the newest, linked by their contrasts."""
    earlier = {contrast.left: contrast.right for contrast in newer}
    newest = [name for name in earlier if name not in earlier.values()]
    return [[rows[name] for name in reversed(list(_links(name, earlier)))] for name in newest]


def _links(name: str, earlier: Mapping[str, str]) -> Iterator[str]:
    yield name
    if name in earlier:
        yield from _links(earlier[name], earlier)


def _trained_on(row: Row) -> str:
    return row.subject.trained_on or "unknown"


def _chain_words(chain: Sequence[Row]) -> str:
    return " then ".join(f"{row.name} {number(row.figures['cosine'].estimate)}" for row in chain)


def _row_words(row: Row) -> str:
    interval = row.figures["cosine"]
    return f"{row.name} {number(interval.estimate)} ({span(interval)})"


def _generation_traces(chains: Sequence[Sequence[Row]], order: Sequence[str], styles: Styles) -> Iterator[Trace]:
    for place, chain in enumerate(chains):
        shift = (place - (len(chains) - 1) / 2) * _SPREAD
        colour = styles.colour(chain[-1].name)
        found = [row.figures["cosine"] for row in chain]
        middle = [interval.estimate for interval in found]
        yield {
            "type": "scatter", "mode": "lines+markers", "name": plot_text(chain[-1].subject.architecture),
            "x": [order.index(_trained_on(row)) + shift for row in chain], "y": middle,
            "hovertext": [plot_text(_row_words(row)) for row in chain],
            "hoverinfo": "text", "showlegend": True, "line": {"color": colour, "width": 2},
            "marker": {"color": colour, "size": 8},
            "error_y": error_bars([i.low for i in found], middle, [i.high for i in found], colour),
        }  # fmt: skip
