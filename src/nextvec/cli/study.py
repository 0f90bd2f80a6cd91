"""`nextvec study`: many models from one plan, their comparison, and answers in words."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextvec.cli import INTERRUPTED, completing
from nextvec.cli.on_ray import again_on_ray
from nextvec.cli.options import JsonOption, LeakageOption, RayOption, TrackOption, WorkersOption, WorkspaceOption
from nextvec.cli.output import emit, print_table, remaining, wrapped
from nextvec.cli.tracked import again_tracked
from nextvec.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nextvec.api import Workspace
    from nextvec.evaluation.report import Answer
    from nextvec.records.study_status import RunStatus, StudyStatus
    from nextvec.studies.runner import Outcome

SHOWN = 10
"""Trials of a search."""

app = typer.Typer(no_args_is_help=True, help="Studies: many models from one plan, one answer.")
UnorderedOption = Annotated[
    bool, typer.Option("--allow-unordered", help="Train although a corpus is not sequential text.")
]
StudyArgument = Annotated[
    str,
    typer.Argument(metavar="ID", help="The name of a study: its plan says it.", autocompletion=completing.studies),
]


@app.command("run")
def run_command(
    path: Annotated[Path, typer.Argument(metavar="PLAN.toml", help="What to train: examples/reference-study.toml.")],
    allow_unordered: UnorderedOption = False,
    allow_leakage: LeakageOption = False,
    ray: RayOption = None,
    workers: WorkersOption = None,
    track: TrackOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train every architecture on every generation with every setting and seed, comparing each as it finishes.

    A run that fails is recorded, and the rest goes on. Ctrl-C stops it; the same command goes on where it was, and
    trains nothing twice. With --ray, runs are trained side by side, each by one worker, and one whose worker is lost
    goes on from its checkpoint on another; every node must see the workspace under the same path. The trials of a
    search are done here, one after another, its finalists where --ray says.
    """
    from nextvec.api import open
    from nextvec.cli.training_progress import training_progress

    place = open(workspace)
    again = ["run", str(path), *_again(allow_unordered, allow_leakage, ray, workers, track, workspace)]
    with _stopping(again):
        outcome = place.run_study(
            path, watch=training_progress, allow_unordered=allow_unordered, allow_leakage=allow_leakage, say=_say,
            ray=ray, workers=workers, track=track or [],
        )  # fmt: skip
    _end(place, outcome, as_json)


@app.command("update")
def update_command(
    study: StudyArgument,
    corpus: Annotated[
        str,
        typer.Option("--corpus", metavar="NAME@TAG", help="The newer generation.", autocompletion=completing.corpora),
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="Of the new study.", show_default="STUDY-CORPUS-TAG")
    ] = None,
    allow_unordered: UnorderedOption = False,
    allow_leakage: LeakageOption = False,
    ray: RayOption = None,
    workers: WorkersOption = None,
    track: TrackOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the models of a study on a newer generation, each against its predecessor on documents neither has seen.

    It is a study of its own, with a report of its own. Ctrl-C stops it; the same command goes on where it was.
    """
    from nextvec.api import open
    from nextvec.cli.training_progress import training_progress

    place = open(workspace)
    again = ["update", study, "--corpus", corpus, *(["--name", name] if name else [])]
    with _stopping([*again, *_again(allow_unordered, allow_leakage, ray, workers, track, workspace)]):
        outcome = place.update_study(
            study, corpus, name=name, watch=training_progress, allow_unordered=allow_unordered,
            allow_leakage=allow_leakage, say=_say, ray=ray, workers=workers, track=track or [],
        )  # fmt: skip
    _end(place, outcome, as_json)


def _again(
    allow_unordered: bool,
    allow_leakage: bool,
    ray: str | None,
    workers: int | None,
    track: Sequence[str] | None,
    workspace: str | None,
) -> list[str]:
    """The options of a command that goes on."""
    return [
        *(["--allow-unordered"] if allow_unordered else []),
        *(["--allow-leakage"] if allow_leakage else []),
        *again_on_ray(ray, workers),
        *again_tracked(track),
        *(["--workspace", str(workspace)] if workspace else []),
    ]


@contextmanager
def _stopping(again: Sequence[str]) -> Iterator[None]:
    """Ctrl-C inside says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"Stopped. Go on with: {shlex.join(['nextvec', 'study', *again])}", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _end(place: Workspace, outcome: Outcome, as_json: bool) -> None:
    _show(place, outcome.name, outcome, as_json)
    if outcome.failed:
        first, reason = next(iter(outcome.failed.items()))
        raise TrainingError(
            f"{len(outcome.failed)} of {len(outcome.runs)} runs failed; {first}: {reason}. "
            f"All of them: nextvec study status {outcome.name}"
        )


@app.command("status")
def status_command(study: StudyArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Every run and how far it is, also while the study runs."""
    from nextvec.api import open

    status = open(workspace).study_status(study)
    if as_json:
        emit(status.to_dict(), [], as_json)
        return
    typer.echo(wrapped(_summary(status)))
    if status.trials:
        _print_trials(status)
    if status.runs:
        _print_runs(status.runs)
    for run in status.runs:
        if run.note:
            typer.echo(wrapped(_noted(run)))
    if status.report:
        typer.echo(f"report: {status.report}")


@app.command("watch")
def watch_command(study: StudyArgument, workspace: WorkspaceOption = None) -> None:
    """Follow a study until it ends: runs, trials, epochs, validation, and about how long it will take.

    On a terminal a table, elsewhere a line every few seconds. Ctrl-C stops watching; the study goes on.
    """
    from nextvec.api import open
    from nextvec.cli.study_watch import follow

    try:
        status = follow(open(workspace).watch_study(study))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if status.report:
        typer.echo(f"report: {status.report}")


@app.command("report")
def report_command(
    study: StudyArgument,
    allow_leakage: LeakageOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare what has finished, print leaderboard and answers, and write the HTML report anew."""
    from nextvec.api import open

    place = open(workspace)
    outcome = place.study_report(study, allow_leakage=allow_leakage, say=_say)
    _show(place, study, outcome, as_json)


def _say(line: str) -> None:
    typer.echo(wrapped(line), err=True)


def _show(place: Workspace, name: str, outcome: Outcome, as_json: bool) -> None:
    from dataclasses import asdict

    from nextvec.cli.evaluate import print_leaderboard, print_warning

    status = place.study_status(name)
    if as_json:
        warning = outcome.contest.warning if outcome.contest else ""
        told = {"warning": warning, **status.to_dict(), "answers": [asdict(answer) for answer in outcome.answers]}
        emit(told, [], as_json)
        return
    if outcome.contest is not None:
        print_warning(outcome.contest)
        print_leaderboard(outcome.contest.comparison)
    _print_answers(outcome.answers)
    typer.echo(f"\n{wrapped(_summary(status))}")
    typer.echo(f"report: {status.report}" if status.report else "report: none before a run has finished")


def _print_answers(answers: Sequence[Answer]) -> None:
    for answer in answers:
        typer.echo(wrapped(f"* {answer.question} {answer.short}"))


def _summary(status: StudyStatus) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in status.counts.items() if count)
    counts = "; ".join(part for part in (_searched(status), counts) if part)
    looks = f"; test documents looked at for {status.looks} model{'s' * (status.looks != 1)}"
    now = f"; comparing {status.compared}" if status.compared else "" if status.running else "; not running"
    return f"study {status.name}: {counts}{looks}{now}"


def _searched(status: StudyStatus) -> str:
    """How far the search is, where there is one."""
    over = sum(trial.state in ("done", "pruned", "failed") for trial in status.trials)
    return f"{over} of {status.planned} trials" if status.planned else ""


def _print_trials(status: StudyStatus) -> None:
    """The best first, then those that are not over."""
    ranked = sorted(status.trials, key=lambda trial: (trial.state != "done", -(trial.validation or 0.0)))
    rows = [
        (str(trial.trial + 1), trial.state, _figure(trial.validation), str(trial.epochs or ""), _options(trial.options))
        for trial in ranked[:SHOWN]
    ]
    print_table(("trial", "state", "val.", "epochs", "settings"), rows, right={"trial", "val.", "epochs"})
    if len(ranked) > SHOWN:
        typer.echo(f"and {len(ranked) - SHOWN} trials more: --json has all")


def _options(options: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}" for key, value in options.items()
    )


def _print_runs(runs: Sequence[RunStatus]) -> None:
    rows = [(run.run.model, run.state, _figure(run.validation_cosine), *_test(run)) for run in runs]
    columns = ("run", "state", "val.", "test", "95 %")
    print_table(columns, rows, right={"val.", "test"})


def _noted(status: RunStatus) -> str:
    """Why it failed, or how far it has come; in the table there is no room for it beside a name."""
    if status.state == "failed":
        return f"{status.run.model} failed: {status.note}"
    pace = status.pace
    left = f", about {remaining(pace.seconds_left)} left" if pace and pace.seconds_left is not None else ""
    return f"{status.run.model}: {status.state} {status.note}{f' of {pace.epochs}' if pace else ''}{left}"


def _test(status: RunStatus) -> tuple[str, str]:
    if status.cosine is None:
        return "", ""
    low, high = status.cosine["low"], status.cosine["high"]
    return _figure(status.cosine["estimate"]), "n/a" if low is None else f"{low:.4f}..{high:.4f}"


def _figure(value: Any) -> str:
    return "" if value is None else f"{value:.4f}"
