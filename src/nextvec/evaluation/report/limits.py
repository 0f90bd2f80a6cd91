"""What the figures of a report do not show."""

from __future__ import annotations

from collections.abc import Iterator

from nextvec.amounts import plural
from nextvec.evaluation.report.content import ReportContent
from nextvec.evaluation.seeds import SEEDS_FOR_A_CLAIM
from nextvec.evaluation.statistics import few_documents


def limits(content: ReportContent) -> list[str]:
    """As far as the content itself tells; its own notes come last."""
    return [*_statistical_limits(content), *_scope_limits(content), *content.notes]


def _statistical_limits(content: ReportContent) -> Iterator[str]:
    few = few_documents(content.comparison.documents)
    if content.comparison.documents == 1:
        yield "Only 1 document: it says nothing of how documents differ, so that no interval can be told."
    elif few:
        yield (
            f"{few.capitalize()}: another draw of test documents could change the order. Expect wide intervals, and "
            "doubt small differences."
        )
    runs = {row.runs for row in content.models if row.runs > 1 or row.subject.seed is not None}
    if runs and min(runs) < SEEDS_FOR_A_CLAIM:
        who = "Models" if len(runs) == 1 else "Some models"
        seeds = "one seed" if min(runs) == 1 else f"{min(runs)} seeds"
        yield (
            f"{who} were trained with {seeds}. The intervals of single checkpoints say how much figures depend on the "
            f"test documents, not on the luck of training; a headline claim needs at least {SEEDS_FOR_A_CLAIM} seeds."
        )
    if not content.baselines:
        yield "No baseline was evaluated, so nothing here says whether training was worth its cost."


def _scope_limits(content: ReportContent) -> Iterator[str]:
    yield (
        f"One corpus ({content.comparison.corpus}) and one encoder. Other kinds of text may order the models "
        "differently, and cosines of different encoders cannot be compared."
    )
    yield (
        "A cosine between vectors is not the quality of a text: several continuations can be equally good, and only "
        "the author's counts as right."
    )
    if content.coherence is not None and not content.coherence.passed:
        yield (
            f"The corpus failed its coherence check: {'; '.join(content.coherence.reasons)}. What a model learns "
            "from it says little about ordered text."
        )
    if content.latencies:
        timed = next(iter(content.latencies.values()))
        yield (
            f"Latency was measured on {timed.device} with {plural(timed.threads, 'thread')} and a context of "
            f"{plural(timed.context, 'chunk')}; other machines differ, and encoding and decoding are not included."
        )
