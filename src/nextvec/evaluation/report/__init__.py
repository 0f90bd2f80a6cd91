"""The report: one HTML file that answers which model is best, shows why, and opens without a network."""

from nextvec.evaluation.report.content import Answer, Example, ReportContent
from nextvec.evaluation.report.page import render_report, write_report

__all__ = ["Answer", "Example", "ReportContent", "render_report", "write_report"]
