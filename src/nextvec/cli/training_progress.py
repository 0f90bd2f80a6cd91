"""Progress of training: a bar on a terminal, a line every few seconds elsewhere, both on the error stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from nextvec.cli.output import remaining
from nextvec.cli.progress import plain_lines
from nextvec.launch import is_main

if TYPE_CHECKING:
    from nextvec.training.loop import Progress

Show = Callable[["Progress"], None]


@contextmanager
def training_progress(name: str) -> Iterator[Show]:
    console = Console(stderr=True)
    if not (console.is_terminal and is_main()):
        yield plain_lines(lambda progress: f"{name}: {state(progress)}")
        return
    with Bar(TextColumn("{task.description}", markup=False), BarColumn(bar_width=8), console=console) as bar:
        yield _on_bar(bar, bar.add_task(f"{name}: fitting baselines", total=None))


def _on_bar(bar: Bar, task: TaskID) -> Show:
    def show(progress: Progress) -> None:
        bar.update(task, completed=progress.step, total=progress.steps, description=state(progress))

    return show


def state(progress: Progress) -> str:
    """One line that fits beside a bar on 80 columns."""
    return (
        f"{progress.epoch:>2}/{progress.epochs} loss {progress.loss:.4f} best {progress.validation_cosine:.4f} "
        f"skill {progress.skill:+.2%} {progress.vectors_per_second:,.0f}/s {remaining(progress.seconds_left)} left"
    )
