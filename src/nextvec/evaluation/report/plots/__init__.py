"""Plots of a report, as data for plotly's JavaScript."""

from nextvec.evaluation.report.plots.calibration import rank_histogram
from nextvec.evaluation.report.plots.corpora import generations, lag_curve
from nextvec.evaluation.report.plots.costs import costs
from nextvec.evaluation.report.plots.differences import forest
from nextvec.evaluation.report.plots.plot import Plot, Styles, View
from nextvec.evaluation.report.plots.training import curves

__all__ = ["Plot", "Styles", "View", "costs", "curves", "forest", "generations", "lag_curve", "rank_histogram"]
