"""Where targets lie in what is drawn: the histogram of ranks of each model and baseline that samples."""

from __future__ import annotations

from nextvec.evaluation.comparison import Row
from nextvec.evaluation.metrics.calibration import BINS
from nextvec.evaluation.report.content import ReportContent
from nextvec.evaluation.report.plots.plot import Plot, Styles, View, axis, error_bars, layout, plot_text
from nextvec.evaluation.report.wording import number, span


def rank_histogram(content: ReportContent, styles: Styles) -> Plot | None:
    """A view for each row that was drawn from, models first; None without any."""
    drawn = sorted(
        (row for row in content.comparison.rows if "rank_bin@1" in row.figures), key=lambda row: row.kind != "model"
    )
    if not drawn:
        return None
    return Plot(
        key="ranks",
        title="Where the author's chunk lies in what is drawn",
        alt="; ".join(_words(row) for row in drawn),
        caption=(
            "Level at 0.1, the dotted line: calibrated. High on the right: too narrow, or beside the truth. High on "
            "the left: too wide."
        ),
        views=[_view(row, styles) for row in drawn],
        height=280,
    )


def _view(row: Row, styles: Styles) -> View:
    bins = [row.figures[f"rank_bin@{place}"] for place in range(1, BINS + 1)]
    middle = [interval.estimate for interval in bins]
    colour = styles.colour(row.name)
    bars = {
        "type": "bar", "x": list(range(1, BINS + 1)), "y": middle, "marker": {"color": colour}, "opacity": 0.85,
        "hovertext": [plot_text(f"tenth {i}: {number(b.estimate, 3)} ({span(b, 3)})") for i, b in enumerate(bins, 1)],
        "hoverinfo": "text",
        "error_y": error_bars([b.low for b in bins], middle, [b.high for b in bins], "--muted"),
    }  # fmt: skip
    level = {
        "type": "scatter", "mode": "lines", "x": [0.5, BINS + 0.5], "y": [1 / BINS, 1 / BINS], "hoverinfo": "skip",
        "line": {"color": "--ink", "width": 1.5, "dash": "dot"},
    }  # fmt: skip
    x = axis("from the centre of what is drawn (1) to its outside (10), in tenths", dtick=1, showgrid=False)
    y = axis("share of targets", tickformat=".2~f", rangemode="tozero")
    return View(label=plot_text(row.name), data=[bars, level], layout=layout(x, y, bargap=0.15))


def _words(row: Row) -> str:
    inside = (f"{number(100 * row.figures[f'coverage@{p}'].estimate, 1)} % in the central {p} %" for p in (50, 90))
    return f"{row.name}: {' and '.join(inside)} of what it draws"
