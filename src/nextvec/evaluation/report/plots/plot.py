"""What a plot is, and what all plots share. Colours and fonts are CSS variables that the page's script looks up."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

SERIES = 8
"""Colours --series-0 .. --series-7 of the style sheet; more models than that repeat them with other dashes."""
OUTLYING = 4.0

_DASHES = ("solid", "dash", "dot", "dashdot")
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
    """`key` is its id in the page, `alt` what it shows for those who cannot see it, `height` is in pixels."""

    key: str
    title: str
    alt: str
    caption: str
    views: Sequence[View]
    height: int = 320


class Styles:
    """The look of each model, the same in every plot."""

    def __init__(self, names: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(names)}

    def colour(self, name: str) -> str:
        place = self._places.get(name)
        return "--baseline" if place is None else f"--series-{place % SERIES}"

    def dash(self, name: str) -> str:
        return _DASHES[self._places.get(name, 0) // SERIES % len(_DASHES)]


def plot_text(text: str) -> str:
    """Text that plotly shows as it is, though it reads a few HTML tags."""
    return html.escape(text, quote=False)


def reach(extents: Sequence[float]) -> float:
    """How far an axis should reach from its centre for most of the `extents` (distances, not negative) to be seen.

    Ends before the first extent that is over four times the one below it, where at least half are below.
    """
    ranked = sorted(extents)
    for number, (below, above) in enumerate(pairwise(ranked), start=1):
        if above > OUTLYING * below > 0 and 2 * number >= len(ranked):
            return below
    return ranked[-1]


def axis(title: str = "", **options: Any) -> dict[str, Any]:
    """A plotly axis; `options` replace what all have."""
    shared = {
        "title": {"text": title, "standoff": 10, "font": {"size": 12}},
        "automargin": True, "fixedrange": True, "zeroline": False, "gridcolor": "--grid", "zerolinecolor": "--muted",
        "zerolinewidth": 1.5, "linecolor": "--grid", "ticks": "",
    }  # fmt: skip
    return shared | options


def layout(x: dict[str, Any], y: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A plotly layout without zooming, so that a finger on a plot scrolls the page; `options` replace what all have."""
    shared = {
        "xaxis": x, "yaxis": y, "paper_bgcolor": _CLEAR, "plot_bgcolor": _CLEAR, "showlegend": False, "dragmode": False,
        "font": {"family": "--sans", "size": 12, "color": "--muted"}, "margin": {"l": 8, "r": 12, "t": 12, "b": 8},
        "hoverlabel": {"bgcolor": "--panel", "bordercolor": "--grid", "font": {"color": "--ink", "family": "--sans"}},
        "hovermode": "closest",
    }  # fmt: skip
    return shared | options


def legend() -> dict[str, Any]:
    """Options of a layout: its legend in a line above the plot."""
    place = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "font": {"color": "--ink"}}
    return {"showlegend": True, "legend": place | {"itemclick": False, "itemdoubleclick": False}}


def error_bars(low: Sequence[float], middle: Sequence[float], high: Sequence[float], colour: str) -> dict[str, Any]:
    """Asymmetric intervals around estimates; none around those whose ends are not known (infinite)."""
    return {
        "array": [_finite(h - m) for m, h in zip(middle, high, strict=True)],
        "arrayminus": [_finite(m - below) for below, m in zip(low, middle, strict=True)],
        "color": colour, "thickness": 1.5, "width": 4,
    }  # fmt: skip


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
