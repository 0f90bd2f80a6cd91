"""What a report is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nextvec.evaluation.coherence import CoherenceReport
from nextvec.evaluation.comparison import Comparison, Row
from nextvec.evaluation.latency import Latency

Event = Mapping[str, Any]
"""A line of a run log: "event" is its kind; an "epoch" has epoch, loss, validation_cosine and skill, a "step" has step,
loss and lr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A passage of a held-out document.

    `context` are its chunks before the target, `truth` the target's text; by model name, `nearest` are stored chunks
    near the prediction with their cosine to it, best first, and `cosines` the prediction's cosine to the true vector.
    """

    context: Sequence[str]
    truth: str
    nearest: Mapping[str, Sequence[tuple[str, float]]]
    cosines: Mapping[str, float] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`short` answers the question; `evidence` are the findings that it rests on, one sentence each."""

    question: str
    short: str
    evidence: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """Everything a report shows; only `title` and `comparison` are needed, sections without content are left out.

    warning: what the reader has to know before anything else; the first line of the page.
    answers: to what was asked of all models together, in the order to be shown.
    latencies: by subject name, as in the comparison's rows.
    curves: the events of each model's run log, by model name.
    best_baseline: cosine on validation documents of the baselines that training was measured against, by name.
    provenance: what the figures came from and how to get them again, in the order to be shown.
    notes: further sentences on what the figures do not show.
    """

    title: str
    comparison: Comparison
    warning: str = ""
    answers: Sequence[Answer] = ()
    latencies: Mapping[str, Latency] = field(default_factory=dict)
    curves: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    best_baseline: Mapping[str, float] = field(default_factory=dict)
    coherence: CoherenceReport | None = None
    examples: Sequence[Example] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def models(self) -> list[Row]:
        """Rows of trained models, from the best cosine to the worst; of several seeds, their mean alone."""
        averaged = {row.subject.but_seed for row in self.trained if row.runs > 1}
        return [row for row in self.trained if row.runs > 1 or row.subject.but_seed not in averaged]

    @property
    def trained(self) -> list[Row]:
        """Rows of trained models, every seed and their means, from the best cosine to the worst."""
        return [row for row in self.comparison.rows if row.kind == "model"]

    @property
    def baselines(self) -> list[Row]:
        return [row for row in self.comparison.rows if row.kind == "baseline"]
