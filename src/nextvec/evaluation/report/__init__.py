"""The report: one HTML file that answers which model is best, shows why, and opens without a network."""

from nextvec.evaluation.report.content import Example, ReportContent
from nextvec.evaluation.report.page import render_report, write_report

__all__ = ["Example", "ReportContent", "render_report", "write_report"]
