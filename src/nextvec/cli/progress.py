"""Progress of long work: a bar on a terminal, plain lines elsewhere, both on the error stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeAlias

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from nextvec.store.report import IngestReport

LINE_SECONDS = 10.0
WORK_SECONDS = 2.0
"""Between pieces of work of which it is not known how long each takes."""

P = ParamSpec("P")
Show: TypeAlias = "Callable[[IngestReport, float], None]"


@contextmanager
def ingest_progress(corpus: str, limit: int | None) -> Iterator[Show]:
    """`limit`: documents to come, None when unknown."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield plain_lines(lambda report, encoded: _state(corpus, report, _handled(report) + encoded))
        return
    time_column = TimeElapsedColumn() if limit is None else TimeRemainingColumn()
    with Progress(
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), time_column, console=console
    ) as bar:
        yield _on_bar(bar, bar.add_task(f"{corpus}: starting", total=limit), corpus)


@contextmanager
def work_told() -> Iterator[Callable[[str], None]]:
    """What is being done: the last line of a terminal, elsewhere a line every few seconds."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield plain_lines(lambda line: line, WORK_SECONDS)
        return
    with console.status("") as status:
        yield lambda line: status.update(escape(line))


def _on_bar(bar: Progress, task: TaskID, corpus: str) -> Show:
    def show(report: IngestReport, encoded: float) -> None:
        done = _handled(report) + encoded
        bar.update(task, completed=done, description=_state(corpus, report, done))

    return show


def plain_lines(line: Callable[P, str], seconds: float = LINE_SECONDS) -> Callable[P, None]:
    """Says `line` of what it is called with, every so many seconds at most."""
    last = time.monotonic()

    def show(*given: P.args, **named: P.kwargs) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            typer.echo(line(*given, **named), err=True)

    return show


def _handled(report: IngestReport) -> int:
    return report.held + len(report.changed) + len(report.failed)


def _state(corpus: str, report: IngestReport, done: float) -> str:
    return f"{corpus}: {done:,.0f} documents, {report.chunks:,} chunks stored"
