"""`nextvec study watch`: a table that follows a study on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nextvec.cli.output import remaining

if TYPE_CHECKING:
    from nextvec.records.study_status import Pace, RunStatus, StudyStatus

LINE_SECONDS = 5.0
ROWS = 12
"""Trials, and runs, of which the last are shown."""


def follow(states: Iterable[StudyStatus]) -> StudyStatus:
    """Show each state until there are no more; the last one."""
    console = Console()
    return _live(states, console) if console.is_terminal else _lines(states)


def _live(states: Iterable[StudyStatus], console: Console) -> StudyStatus:
    with Live(console=console, auto_refresh=False) as live:
        for status in states:
            live.update(_page(status), refresh=True)
    return status


def _lines(states: Iterable[StudyStatus]) -> StudyStatus:
    last, said = "", 0.0
    for status in states:
        line, now = summary(status), time.monotonic()
        if line != last and (now - said >= LINE_SECONDS or not status.running):
            typer.echo(line)
            last, said = line, now
    return status


def summary(status: StudyStatus) -> str:
    """E.g. "tuned: 2 of 7 trials, trial 3 epoch 2 of 20, about 40 s left, best validation 0.3399"."""
    done, over = status.counts["done"], sum(trial.state in ("done", "pruned", "failed") for trial in status.trials)
    parts = [
        f"{over} of {status.planned} trials" * bool(status.planned),
        f"{done} of {len(status.runs)} runs done" * bool(status.runs),
    ]
    parts += [f"{status.counts['failed']} failed" * bool(status.counts["failed"])]
    running = next((run for run in status.runs if run.state == "running"), None)
    pace, name = (running.pace, running.run.model) if running else (status.pace, f"trial {over + 1}")
    parts += [f"{name} {_epochs(pace)}" if pace else "", f"{_left(pace)} left" if _left(pace) else ""]
    parts += [f"comparing {status.compared}" if status.compared and not running else ""]
    scores = [each for each in (status.best_trial, *(run.validation_cosine for run in status.runs)) if each is not None]
    parts += [f"best validation {max(scores):.4f}" if scores else "", "" if status.running else "not running"]
    return f"{status.name}: {', '.join(part for part in parts if part)}"


def _page(status: StudyStatus) -> Group:
    parts: list[Table | Text] = [Text(summary(status))]
    if status.trials:
        parts.append(_trials(status))
    if status.runs:
        parts.append(_runs(status))
    return Group(*parts)


def _trials(status: StudyStatus) -> Table:
    table = _table("trial", "state", "epochs", "val.", "left", "settings")
    for trial in status.trials[-ROWS:]:
        pace = status.pace if trial.state == "running" else None
        epochs = _epochs(pace).removeprefix("epoch ") if pace else str(trial.epochs or "")
        settings = ", ".join(f"{key}={_short(value)}" for key, value in trial.options.items())
        table.add_row(str(trial.trial + 1), trial.state, epochs, _figure(trial.validation), _left(pace), settings)
    return table


def _runs(status: StudyStatus) -> Table:
    table = _table("run", "state", "epochs", "val.", "left", "test")
    shown = [run for run in status.runs if run.state != "waiting"][-ROWS:]
    for run in [*shown, *(run for run in status.runs if run.state == "waiting")][:ROWS]:
        table.add_row(*_row(run))
    return table


def _row(run: RunStatus) -> tuple[str, ...]:
    epochs = _epochs(run.pace).removeprefix("epoch ") if run.pace else ""
    test = _figure(run.cosine["estimate"]) if run.cosine else ""
    return run.run.model, run.state, epochs, _figure(run.validation_cosine), _left(run.pace), test


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        right = column in ("trial", "val.", "left", "test")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def _epochs(pace: Pace | None) -> str:
    return f"epoch {min(pace.epoch + 1, pace.epochs)} of {pace.epochs}" if pace else ""


def _left(pace: Pace | None) -> str:
    return f"about {remaining(pace.seconds_left)}" if pace and pace.seconds_left is not None else ""


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
