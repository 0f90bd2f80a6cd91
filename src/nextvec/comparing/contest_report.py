"""What a contest leaves behind: a record (JSON), a report (HTML), both in the workspace."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import torch

from nextvec import __version__
from nextvec.amounts import extent, plural
from nextvec.applied import applied_defaults
from nextvec.comparing.contest import Contest
from nextvec.comparing.examples import find_examples
from nextvec.device import hardware
from nextvec.evaluation.coherence import CoherenceReport, check_coherence
from nextvec.evaluation.report import Answer, ReportContent, write_report
from nextvec.records import read_lines, write_json
from nextvec.records.names import COMPARISON, REPORT, RUN_LOG
from nextvec.store.generation import generation_label
from nextvec.training.tracker import Say, open_tracking
from nextvec.workspace import Workspace

EXAMPLES = 6
SHOWN_MODELS = 4


def save_contest(
    contest: Contest,
    content: ReportContent,
    workspace: Workspace,
    path: Path | None = None,
    *,
    track: Sequence[str] = (),
    say: Say | None = None,
) -> Path:
    """Write comparison.json and report.html into studies/compare-DATE-TIME; returns where the report is.

    `path` is where the report goes instead; `track` who else is told of all figures and given both files, and `say` is
    told which of them has failed.
    """
    folder = workspace.study(f"compare-{_now():%Y%m%d-%H%M%S-%f}")
    target = path or folder / REPORT
    with open_tracking(track, folder, say) as tracking:
        tracking.start({"comparison": dict(content.provenance)})
        write_report(target, content)
        record_contest(contest, content, folder)
        tracking.log("comparison", 0, estimates(contest))
        for written in (target, folder / COMPARISON):
            tracking.artefact(written)
    return target


def estimates(contest: Contest) -> dict[str, dict[str, float]]:
    """By model or baseline, by figure."""
    rows = contest.comparison.rows
    return {row.name: {name: each.estimate for name, each in row.figures.items()} for row in rows}


def record_contest(contest: Contest, content: ReportContent, folder: Path) -> None:
    """Write comparison.json: a warning where there is one, what all came from, rows, contrasts, whether test documents
    were judged or all, which weights every row is of, what was seen in training, latencies by name, and answers."""
    _write_record(contest, folder, content.provenance, content.answers)


def save_evaluations(contest: Contest, command: str, workspace: Workspace) -> Path:
    """Write comparison.json of models that were evaluated into studies/evaluate-DATE-TIME, without a report; returns
    the folder. What was evaluated can then be asked for by gates."""
    folder = workspace.study(f"evaluate-{_now():%Y%m%d-%H%M%S-%f}")
    _write_record(contest, folder, _provenance(contest, command), ())
    return folder


def _write_record(contest: Contest, folder: Path, provenance: Mapping[str, str], answers: Sequence[Answer]) -> None:
    evaluations = [*contest.models, *contest.baselines]
    record = {
        "warning": contest.warning,
        "provenance": dict(provenance),
        **contest.comparison.to_dict(),
        "judged": "all" if contest.foreign else "test",
        "weights": {evaluation.name: evaluation.weights for evaluation in evaluations},
        "leakage": contest.leakage.to_dict(),
        "latencies": {name: latency.to_dict() for name, latency in contest.latencies.items()},
        "answers": [asdict(answer) for answer in answers],
    }
    write_json(folder / COMPARISON, record)


def _now() -> datetime:
    return datetime.now(UTC)


def report_content(contest: Contest, command: str) -> ReportContent:
    """Everything the report shows; `command` is what made it."""
    everyone = contest.everyone
    best_first = [row.name for row in contest.comparison.rows if row.name in everyone]
    shown = {name: everyone[name].predictor for name in best_first[:SHOWN_MODELS]}
    return ReportContent(
        title=f"Next-vector models on {contest.test.label}",
        comparison=contest.comparison,
        warning=contest.warning,
        latencies=contest.latencies,
        curves={name: read_lines(entrant.folder / RUN_LOG) for name, entrant in contest.entrants.items()},
        best_baseline=_bars(contest),
        coherence=_coherence(contest),
        examples=find_examples(contest.test, contest.test_documents, shown, EXAMPLES),
        provenance=_provenance(contest, command),
        notes=[f"Leakage, {line}" for line in contest.leakage.lines()],
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
        f"{g.label}: {extent(len(g.snapshot.documents), len(g.snapshot))}, fingerprint {g.snapshot.fingerprint}"
        for g in contest.generations
    ]
    defaults = applied_defaults().get("defaults")
    return {
        "command": command,
        **({"defaults": f"{defaults['file']}, fingerprint {defaults['fingerprint']}"} if defaults else {}),
        "date": f"{_now():%Y-%m-%d %H:%M} UTC",
        "trained on": "; ".join(generations),
        "tested on": f"{contest.comparison.documents} {_part(contest)} of {contest.test.label}, "
        f"{plural(contest.comparison.targets, 'target')}, fingerprint {contest.comparison.fingerprint}",
        "encoder": contest.test.encoder.describe(),
        "split": "none: nothing of the corpus was trained on, all of it is judged"
        if contest.foreign
        else f"by document hash: test below {split['test']}, validation below {split['validation']} of 1000, "
        f"salt '{split['salt']}'",
        "versions": f"nextvec {__version__}, torch {torch.__version__}, Python {platform.python_version()}",
        "hardware": hardware(),
    }


def _part(contest: Contest) -> str:
    return "documents, which are all," if contest.foreign else "test documents"
