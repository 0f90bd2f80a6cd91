"""What a contest leaves behind: a record (JSON), a report (HTML), both in the workspace."""

from __future__ import annotations

import platform
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import torch

from nextvec import __version__
from nextvec.evaluation.coherence import CoherenceReport, check_coherence
from nextvec.evaluation.report import ReportContent, write_report
from nextvec.records import read_lines, write_json
from nextvec.store.generation import generation_label
from nextvec.studies.contest import Contest
from nextvec.studies.examples import find_examples
from nextvec.studies.record import COMPARISON, REPORT
from nextvec.training.runlog import RUN_LOG
from nextvec.workspace import Workspace

EXAMPLES = 6
SHOWN_MODELS = 4


def save_contest(contest: Contest, content: ReportContent, workspace: Workspace, path: Path | None = None) -> Path:
    """Write comparison.json and report.html into studies/compare-DATE-TIME; returns where the report is.

    `path` is where the report goes instead.
    """
    folder = workspace.study(f"compare-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
    record_contest(contest, content, folder)
    target = path or folder / REPORT
    write_report(target, content)
    return target


def record_contest(contest: Contest, content: ReportContent, folder: Path) -> None:
    """Write comparison.json: rows, contrasts, latencies by name, answers, and what all came from."""
    record = {
        "provenance": dict(content.provenance),
        **contest.comparison.to_dict(),
        "latencies": {name: latency.to_dict() for name, latency in contest.latencies.items()},
        "answers": [asdict(answer) for answer in content.answers],
    }
    write_json(folder / COMPARISON, record)


def report_content(contest: Contest, command: str) -> ReportContent:
    """Everything the report shows; `command` is what made it."""
    newest = contest.generations[-1]
    best_first = [row.name for row in contest.comparison.rows if row.name in contest.entrants]
    shown = {name: contest.entrants[name].predictor for name in best_first[:SHOWN_MODELS]}
    return ReportContent(
        title=f"Next-vector models on {contest.test.label}",
        comparison=contest.comparison,
        latencies=contest.latencies,
        curves={name: read_lines(entrant.folder / RUN_LOG) for name, entrant in contest.entrants.items()},
        best_baseline=_bars(contest),
        coherence=_coherence(contest),
        examples=find_examples(contest.test, contest.test_documents, shown, EXAMPLES),
        provenance=_provenance(contest, command),
        notes=[f"Leakage between the parts of {newest.label}: {line}" for line in newest.leakage.lines()],
    )


def _coherence(contest: Contest) -> CoherenceReport:
    tested = (g.coherence for g in contest.generations if g.snapshot is contest.test)
    return next(tested, None) or check_coherence(contest.test)


def _bars(contest: Contest) -> dict[str, float]:
    """The validation cosine of the best baseline, by its name and, where there are several, its generation."""
    bars = {}
    for entrant in contest.entrants.values():
        if "best_baseline" in entrant.metrics:
            label = f" ({generation_label(entrant.config['corpus'])})" if len(contest.generations) > 1 else ""
            bars[entrant.metrics["best_baseline"] + label] = entrant.metrics["best_baseline_cosine"]
    return bars


def _provenance(contest: Contest, command: str) -> dict[str, str]:
    split = contest.test.split
    generations = [
        f"{g.label}: {len(g.snapshot.documents):,} documents, {len(g.snapshot):,} chunks, "
        f"fingerprint {g.snapshot.fingerprint}"
        for g in contest.generations
    ]
    return {
        "command": command,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "trained on": "; ".join(generations),
        "tested on": f"{contest.comparison.documents} test documents of {contest.test.label}, "
        f"{contest.comparison.targets:,} targets, fingerprint {contest.comparison.fingerprint}",
        "encoder": contest.test.encoder.describe(),
        "split": f"by document hash: test below {split['test']}, validation below {split['validation']} of 1000, "
        f"salt '{split['salt']}'",
        "versions": f"nextvec {__version__}, torch {torch.__version__}, Python {platform.python_version()}",
        "hardware": f"{platform.machine()}, {torch.get_num_threads()} threads, {_accelerator()}",
    }


def _accelerator() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
