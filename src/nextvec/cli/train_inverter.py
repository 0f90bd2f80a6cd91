"""`nextvec train-inverter`: a decoder that writes text, trained on a corpus."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextvec.cli import INTERRUPTED
from nextvec.cli.options import JsonOption, LeakageOption, SetOption, TrackOption, TrainedOnOption, WorkspaceOption
from nextvec.cli.output import duration, emit, remaining
from nextvec.cli.progress import plain_lines
from nextvec.cli.tracked import again_tracked

if TYPE_CHECKING:
    from nextvec.training.inverter.loop import Progress


def train_inverter_command(
    corpus: TrainedOnOption,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the inverter.", show_default="inverter-CORPUS-TAG")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of initial weights, order and noise.")] = 0,
    assignments: SetOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    allow_leakage: LeakageOption = False,
    chunks: Annotated[
        int, typer.Option("--report", min=0, help="Held-out chunks to measure it on; 0 measures nothing.")
    ] = 256,
    track: TrackOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a decoder from vectors to text; use it as inverter:NAME.

    Options for --set: sizes (width, layers, heads, pseudo_tokens, longest) and training (epochs, seconds, lr, tokens,
    noise, corrections, ...). Ctrl-C stops it; the same command with --resume goes on.
    """
    from nextvec.api import open
    from nextvec.config import parse_assignments
    from nextvec.interface.training import default_name

    place, identity = open(workspace), default_name("inverter", corpus, 0) if name is None else name
    try:
        with inverter_progress(identity) as show:
            metrics = place.train_inverter(
                corpus, name=identity, seed=seed, resume=resume, allow_leakage=allow_leakage,
                options=parse_assignments(assignments or []),
                track=track or [], on_progress=show,
                on_change=lambda change: typer.echo(f"{identity}: {change}", err=True),
            )  # fmt: skip
    except KeyboardInterrupt:
        again = ["nextvec", "train-inverter", "--corpus", corpus, "--name", identity]
        again += ["--resume"] if place.has_begun(identity) else []
        again += ["--seed", str(seed)] if seed else []
        again += ["--allow-leakage"] if allow_leakage else []
        again += [part for pair in assignments or [] for part in ("--set", pair)]
        again += again_tracked(track)
        again += ["--workspace", str(workspace)] if workspace else []
        typer.echo(f"Stopped. Go on with: {shlex.join(again)}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    lines = [*([metrics["warning"]] if metrics.get("warning") else []), _outcome(identity, metrics)]
    if chunks:
        record = place.judge_inverter(identity, corpus, chunks=chunks, on_progress=_say)
        metrics["inversion"] = record
        lines += ["", *_report_lines(record)]
    emit({"model": identity, **metrics}, lines, as_json)


def _say(row: str) -> None:
    typer.echo(f"measuring: {row}", err=True)


def _report_lines(record: dict[str, Any]) -> list[str]:
    lines = [
        f"On {record['chunks']} chunks of {record['documents']} test documents, against the nearest of "
        f"{record['bank']:,} training chunks:"
    ]
    for row in record["rows"]:
        figures = {name: interval["estimate"] for name, interval in row["figures"].items()}
        perplexity = "" if row["perplexity"] is None else f", perplexity {row['perplexity']:.0f}"
        taken = "" if row["milliseconds"] is None else f", {row['milliseconds']:.0f} ms"
        name = f"{row['name']}, {row['steps']} steps" if row["steps"] else row["name"]
        lines.append(
            f"  {name}: cosine {figures['cosine']:.3f}, token F1 {figures['token_f1']:.3f}, BLEU "
            f"{figures['bleu']:.1f}, exact {figures['exact_match']:.1%}{perplexity}{taken}"
        )
    return lines


def _outcome(identity: str, metrics: dict[str, Any]) -> str:
    corrected, passes = "", ""
    if metrics.get("correction_loss") is not None:
        corrected = f", {metrics['correction_loss']:.3f} where it corrects"
        passes = f" and {metrics['correction_epochs']:.1f} over its hypotheses"
    return (
        f"{identity}: round-trip cosine {_number(metrics['round_trip'], 3)} without corrections, validation loss "
        f"{metrics['validation_loss']:.3f} nats a token{corrected}; {metrics['epochs']:.1f} passes over "
        f"{metrics['training_chunks']:,} chunks{passes}, {metrics['steps']:,} steps in {duration(metrics['seconds'])}"
    )


@contextmanager
def inverter_progress(name: str) -> Iterator[Callable[[Progress], None]]:
    """A bar on a terminal, a line every few seconds elsewhere, both on the error stream."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield plain_lines(lambda progress: f"{name}: {_state(progress)}")
        return
    with Bar(TextColumn("{task.description}", markup=False), BarColumn(bar_width=12), console=console) as bar:
        task = bar.add_task(f"{name}: reading the corpus", total=1.0)
        yield lambda progress: bar.update(task, completed=progress.done, description=_state(progress))


def _state(progress: Progress) -> str:
    """One line that fits beside a bar on 80 columns."""
    return (
        f"{progress.doing}{progress.done:.0%} loss {_number(progress.loss, 2)} "
        f"best {_number(progress.validation_loss, 3)} "
        f"cos {_number(progress.round_trip, 3)} {progress.tokens_per_second:,.0f}/s "
        f"{remaining(progress.seconds_left)} left"
    )


def _number(value: float | None, digits: int) -> str:
    """A question mark before the first."""
    return "?" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"
