"""Forest plots: paired differences with their intervals, and what they allow to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from nextvec.evaluation.comparison import Comparison, Contrast, Role
from nextvec.evaluation.metric import figures
from nextvec.evaluation.report.content import ReportContent
from nextvec.evaluation.report.plots.plot import Plot, Trace, View, axis, error_bars, layout, plot_text, reach
from nextvec.evaluation.report.wording import MARKS, figure_title, lowered, signed, signed_span
from nextvec.evaluation.statistics import Interval, Verdict, p_text

_SYMBOLS: dict[Verdict, str] = {"better": "triangle-up", "worse": "triangle-down", "cannot tell": "circle"}
_COLOURS: dict[Verdict, str] = {"better": "--better", "worse": "--worse", "cannot tell": "--unsure"}
_WORDS = 92
"""Pixels for the verdicts at the right."""
_EDGE = 0.97

Line = tuple[Contrast, int]
"""A contrast and its height in the plot."""


def forest(content: ReportContent, key: str, roles: Sequence[Role], title: str) -> Plot | None:
    """A view for each of the roles and figure; None when there are no such contrasts."""
    groups = _groups(content.comparison, roles)
    if not groups:
        return None
    return Plot(
        key=key,
        title=title,
        alt=". ".join(contrast.sentence for contrast in groups[0]),
        caption=(
            "Differences on the same documents with 95 % intervals. Right of zero is better; an interval that touches "
            "zero settles nothing. An arrow at the edge lies further out."
        ),
        views=[_view(group) for group in groups],
        height=110 + 44 * max(len(group) for group in groups),
    )


def _groups(comparison: Comparison, roles: Sequence[Role]) -> list[list[Contrast]]:
    """Contrasts of one role and figure together: roles as given, figures as they come, models as in the table."""
    found = [contrast for contrast in comparison.contrasts if contrast.role in roles]
    figures = list(dict.fromkeys(contrast.figure for contrast in found))
    names = [row.name for row in comparison.rows]
    found.sort(key=lambda c: (roles.index(c.role), figures.index(c.figure), names.index(c.left)))
    return [list(group) for _, group in groupby(found, key=lambda c: (c.role, c.figure))]


def _view(contrasts: Sequence[Contrast]) -> View:
    lines = [(contrast, len(contrasts) - 1 - i) for i, contrast in enumerate(contrasts)]
    rivals = sorted({contrast.right for contrast in contrasts})
    limit = 1.12 * reach([_extent(contrast.difference) for contrast in contrasts]) or 1.0
    against = rivals[0] if len(rivals) == 1 else f"the {contrasts[0].role}"
    names = [_name(contrast, with_rival=len(rivals) > 1) for contrast in contrasts]
    heights = [height for _, height in lines]
    y = axis(tickvals=heights, ticktext=names, range=[-0.6, len(lines) - 0.4], showgrid=False, zeroline=False)
    less = _less_is_better(contrasts[0])
    title = f"difference in {lowered(figure_title(contrasts[0].figure))} from {plot_text(against)}"
    title += " (less is better: the axis runs to the left)" if less else ""
    ends = _range(contrasts, limit)[:: -1 if less else 1]
    x = axis(title, zeroline=True, range=ends, nticks=5, tickangle=0, tickformat=".3~f")
    return View(
        label=_label(contrasts[0]),
        data=list(_traces(lines, limit)),
        layout=layout(x, y, annotations=[_words(line) for line in lines], margin={"l": 8, "r": _WORDS, "t": 8, "b": 8}),
    )


def _less_is_better(contrast: Contrast) -> bool:
    """Then the axis is turned round, so that better is on the right in every figure."""
    return figures()[contrast.figure].higher_is_better is False


def _extent(interval: Interval) -> float:
    return max(map(abs, _ends(interval)))


def _ends(interval: Interval) -> tuple[float, float]:
    return (interval.low, interval.high) if interval.has_ends else (interval.estimate, interval.estimate)


def _range(contrasts: Sequence[Contrast], limit: float) -> list[float]:
    """From the lowest to the highest end of an interval, but no further than the limit; zero always in it."""
    ends = [end for contrast in contrasts for end in _ends(contrast.difference)]
    lowest, highest = min(0.0, *ends), max(0.0, *ends)
    room = 0.15 * min(limit, max(-lowest, highest))
    return [max(-limit, lowest - room), min(limit, highest + room)]


def _label(contrast: Contrast) -> str:
    if contrast.role == "shuffled context":
        return "Cosine, against itself on shuffled context"
    rivals = {"anchor": "its own anchor", "reference": contrast.right}
    return f"{figure_title(contrast.figure)}, against {rivals.get(contrast.role, f'the {contrast.role}')}"


def _name(contrast: Contrast, *, with_rival: bool) -> str:
    name = plot_text(contrast.left)
    return f'{name}<br><span style="font-size:10px">{plot_text(contrast.right)}</span>' if with_rival else name


def _words(line: Line) -> dict[str, Any]:
    contrast, height = line
    text = f"{MARKS[contrast.verdict]} {contrast.verdict}<br>{signed(contrast.difference.estimate)}"
    return {
        "x": 1, "xref": "paper", "xanchor": "left", "xshift": 10, "y": height, "showarrow": False, "align": "left",
        "text": text, "font": {"color": _COLOURS[contrast.verdict], "size": 12},
    }  # fmt: skip


def _traces(lines: Sequence[Line], limit: float) -> Iterator[Trace]:
    inside = [line for line in lines if abs(line[0].difference.estimate) <= limit]
    for verdict in MARKS:
        points = [line for line in inside if line[0].verdict == verdict]
        if points:
            yield _inside_trace(points, verdict)
    for contrast, height in lines:
        if (contrast, height) not in inside:
            yield _outside_trace(contrast, height, limit)


def _inside_trace(points: Sequence[Line], verdict: Verdict) -> Trace:
    ds = [contrast.difference for contrast, _ in points]
    bars = error_bars([d.low for d in ds], [d.estimate for d in ds], [d.high for d in ds], _COLOURS[verdict])
    return _marks([d.estimate for d in ds], points, verdict, _SYMBOLS[verdict]) | {"error_x": bars | {"thickness": 2}}


def _outside_trace(contrast: Contrast, height: int, limit: float) -> Trace:
    """An arrow at the edge, for a difference that would squeeze all others together."""
    below = contrast.difference.estimate < 0
    left = below != _less_is_better(contrast)
    edge = _EDGE * limit * (-1 if below else 1)
    return _marks([edge], [(contrast, height)], contrast.verdict, "triangle-left" if left else "triangle-right")


def _marks(x: Sequence[float], points: Sequence[Line], verdict: Verdict, symbol: str) -> Trace:
    return {
        "type": "scatter", "mode": "markers", "showlegend": False, "hoverinfo": "text",
        "x": list(x), "y": [height for _, height in points],
        "hovertext": [plot_text(_difference_text(contrast)) for contrast, _ in points],
        "marker": {"color": _COLOURS[verdict], "size": 11, "symbol": symbol},
    }  # fmt: skip


def _difference_text(contrast: Contrast) -> str:
    d = contrast.difference
    return f"{contrast.left}: {signed(d.estimate)} ({signed_span(d)}), {p_text(contrast.p_adjusted)}"
