"""Training curves, from run logs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nextvec.evaluation.report.content import Event, ReportContent
from nextvec.evaluation.report.plots.plot import Plot, Styles, Trace, View, axis, layout, legend, plot_text, reach
from nextvec.evaluation.report.wording import listed, number

MOST_POINTS = 400

Points = Sequence[tuple[float, float]]


def curves(content: ReportContent, styles: Styles) -> Plot | None:
    """Validation cosine by epoch with the best baselines; None without an epoch in any log."""
    logs = content.curves
    epochs = _present({name: read_points(events, "epoch", "validation_cosine") for name, events in logs.items()})
    losses = _present({name: read_points(events, "step", "loss") for name, events in logs.items()})
    if not epochs:
        return None
    best = {name: max(points, key=lambda point: point[1]) for name, points in epochs.items()}
    ends = [f"{name} is best after epoch {epoch:.0f} with {number(cosine)}" for name, (epoch, cosine) in best.items()]
    known = [f"the best baseline, {name}, has {number(value)}" for name, value in content.best_baseline.items()]
    return Plot(
        key="curves",
        title="Training",
        alt=f"Validation cosine by epoch: {'; '.join([*ends, *known])}",
        caption=_caption(epochs, content.best_baseline),
        views=[*_validation_views(epochs, content.best_baseline, styles), *_loss_views(losses, styles)],
        height=380,
    )


def read_points(events: Sequence[Event], kind: str, figure: str) -> Points:
    """(epoch or step, figure) of the events of that kind, thinned to a bearable number."""
    found = [(float(event[kind]), float(event[figure])) for event in events if _has(event, kind, figure)]
    step = math.ceil(len(found) / MOST_POINTS) or 1
    return [*found[:-1:step], *found[-1:]]


def _has(event: Event, kind: str, figure: str) -> bool:
    value = event.get(figure)
    return event.get("event") == kind and kind in event and value is not None and math.isfinite(value)


def _present(curves: Mapping[str, Points]) -> dict[str, Points]:
    return {name: points for name, points in curves.items() if points}


def _caption(epochs: Mapping[str, Points], best_baseline: Mapping[str, float]) -> str:
    start = "Epoch 0 is the untrained network: an anchored one begins at its anchor."
    close = _close_range(epochs, best_baseline)
    below = [name for name, points in epochs.items() if close and max(y for _, y in points) < close[0]]
    if not below:
        return start
    return f"{start} {listed(below)} {'stays' if len(below) == 1 else 'stay'} below what the first view shows."


def _validation_views(
    epochs: Mapping[str, Points], best_baseline: Mapping[str, float], styles: Styles
) -> Iterator[View]:
    close = _close_range(epochs, best_baseline)
    if close:
        yield _validation_view("Around the best baseline", epochs, best_baseline, styles, range=close)
    yield _validation_view("Cosine on validation documents", epochs, best_baseline, styles)


def _close_range(epochs: Mapping[str, Points], best_baseline: Mapping[str, float]) -> list[float] | None:
    """A range of cosine in which the curves near the best baseline can be told apart, when the whole is far wider."""
    if not best_baseline:
        return None
    centre = max(best_baseline.values())
    limit = 1.5 * reach([abs(max(y for _, y in points) - centre) for points in epochs.values()])
    lowest = min(y for points in epochs.values() for _, y in points)
    return [centre - 2 * limit, centre + limit] if 0 < 2.5 * limit < centre - lowest else None


def _validation_view(
    label: str, epochs: Mapping[str, Points], best_baseline: Mapping[str, float], styles: Styles, **scale: Any
) -> View:
    return View(
        label=label,
        data=[
            *(_line(name, points, styles) for name, points in epochs.items()),
            *(_baseline_line(name, value, epochs) for name, value in best_baseline.items()),
        ],
        layout=layout(
            axis("epoch", rangemode="tozero", nticks=12),
            axis("cosine", tickformat=".3~f", **scale),
            **legend(),
        ),
    )


def _loss_views(losses: Mapping[str, Points], styles: Styles) -> Iterator[View]:
    if losses:
        data = [_line(name, points, styles, mode="lines") for name, points in losses.items()]
        yield View(
            label="Training loss",
            data=data,
            layout=layout(axis("step", rangemode="tozero"), axis("training loss"), **legend()),
        )


def _line(name: str, points: Points, styles: Styles, mode: str = "lines+markers") -> Trace:
    colour = styles.colour(name)
    return {
        "type": "scatter", "mode": mode, "name": plot_text(name), "showlegend": True, "hoverinfo": "text",
        "x": [x for x, _ in points], "y": [y for _, y in points],
        "hovertext": [plot_text(f"{name}, {x:g}: {number(y)}") for x, y in points],
        "line": {"color": colour, "width": 2, "dash": styles.dash(name)}, "marker": {"color": colour, "size": 5},
    }  # fmt: skip


def _baseline_line(name: str, value: float, epochs: Mapping[str, Points]) -> Trace:
    """The bar to clear, over as many epochs as any model was trained."""
    last = max(x for points in epochs.values() for x, _ in points)
    text = plot_text(f"best baseline, {name}: {number(value)}")
    return {
        "type": "scatter", "mode": "lines", "name": text, "showlegend": True, "hoverinfo": "text",
        "x": [0, max(last, 1)], "y": [value, value], "hovertext": [text, text],
        "line": {"color": "--muted", "width": 1.5, "dash": "dash"},
    }  # fmt: skip
