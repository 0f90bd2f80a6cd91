"""`nextvec train`: one model on one corpus generation."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextvec.cli.launched import command, complain, is_main
from nextvec.cli.options import LeakageOption, SetOption, WorkspaceOption
from nextvec.cli.output import duration, emit, warning_lines
from nextvec.models.presets import RECOMMENDED

if TYPE_CHECKING:
    from pathlib import Path

    from nextvec.sequences.findings import LeakageReport
    from nextvec.store.snapshot import Snapshot

INTERRUPTED = 130


def train_command(
    *,
    architecture: Annotated[
        str, typer.Argument(metavar="ARCH", help="A backbone, baseline or preset: nextvec models list.")
    ] = RECOMMENDED,
    corpus: Annotated[str, typer.Option("--corpus", metavar="NAME[@TAG]", help="What to train on.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the model.", show_default="ARCH-CORPUS-TAG[-sSEED]")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of initial weights, order and dropout.")] = 0,
    assignments: SetOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    allow_unordered: Annotated[
        bool, typer.Option("--allow-unordered", help="Train although the corpus is not sequential text.")
    ] = False,
    allow_leakage: LeakageOption = False,
    workspace: WorkspaceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train one model: the recommended one, which predicts a mean, an order and a distribution, or the one you name.
    Ctrl-C stops it; the same command with --resume goes on.

    Options for --set: anchor (none, mean, ewma-mix, ridge-mix), context (a number of vectors, or unlimited), predicts
    (its heads), those of a head (loss, or point.loss), those of training (epochs, lr, batch, patience, ...) and the
    architecture's own: nextvec models show ARCH.
    """
    from nextvec.config import nested, parse_assignments
    from nextvec.models.aliases import Aliases
    from nextvec.models.bundle import record_metrics
    from nextvec.store.vectors import open_snapshot
    from nextvec.workspace import Workspace

    place = Workspace(workspace)
    options: dict[str, Any] = {"seed": seed, **nested(parse_assignments(assignments or []))}
    snapshot = open_snapshot(place, corpus)
    identity = name or default_name(architecture, corpus, seed)
    Aliases(place).require_free(identity)
    if not allow_unordered:
        require_sequential(snapshot)
    leakage = require_no_leakage(snapshot, place.cache, allow_leakage)
    try:
        metrics = train_one(place.model(identity), snapshot, architecture, options, place.cache, resume=resume)
    except KeyboardInterrupt:
        again = [*command(), "train", architecture, "--corpus", corpus, "--name", identity, "--resume"]
        again += ["--seed", str(seed)] if seed else []
        again += [part for pair in assignments or [] for part in ("--set", pair)]
        again += ["--allow-unordered"] if allow_unordered else []
        again += ["--allow-leakage"] if allow_leakage else []
        again += ["--workspace", str(workspace)] if workspace else []
        complain(f"Stopped. Go on with: {shlex.join(again)}")
        raise typer.Exit(INTERRUPTED) from None
    if is_main():
        if leakage.warning:
            record_metrics(place.model(identity), {**metrics, "warning": leakage.warning})
        lines = [*warning_lines(leakage), outcome_line(identity, metrics)]
        emit({"warning": leakage.warning, "model": identity, **metrics}, lines, as_json)


def default_name(architecture: str, corpus: str, seed: int) -> str:
    return f"{architecture}-{corpus.replace('@', '-')}" + (f"-s{seed}" if seed else "")


def require_sequential(snapshot: Snapshot) -> None:
    """Raises DataError with the reasons when the corpus is not ordered text."""
    from nextvec.evaluation import coherence

    coherence.require_sequential(coherence.check_coherence(snapshot))


def require_no_leakage(snapshot: Snapshot, cache: Path, allowed: bool) -> LeakageReport:
    """Raises LeakageError when the parts of the corpus overlap, unless that is allowed; returns what was found."""
    from nextvec.sequences import findings
    from nextvec.sequences.leakage import check_leakage
    from nextvec.sequences.splits import split_snapshot

    report = check_leakage(snapshot, split_snapshot(snapshot).parts, cache=cache)
    if not allowed:
        findings.require_no_leakage(report, snapshot.label)
    return report


def train_one(
    folder: Path, snapshot: Snapshot, architecture: str, options: dict[str, Any], cache: Path, *, resume: bool = False
) -> dict[str, Any]:
    """Train with progress shown; returns the metrics."""
    from nextvec.cli.training_progress import training_progress
    from nextvec.training.run import resolve_plan, train_model

    plan = resolve_plan(architecture, snapshot.dim, options)
    with training_progress(folder.name) as show:
        return train_model(
            snapshot, plan, folder, cache=cache, resume=resume, on_progress=show,
            on_change=lambda change: typer.echo(f"{folder.name}: {change}", err=True),
        )  # fmt: skip


def outcome_line(identity: str, metrics: dict[str, Any]) -> str:
    """What came out, in one sentence or two."""
    cosine = f"{identity}: validation cosine {metrics['validation_cosine']:.4f}"
    if "validation_skill" not in metrics:
        return f"{cosine}, fitted in closed form"
    line = (
        f"{cosine}, skill {metrics['validation_skill']:+.2%} over {metrics['best_baseline']} "
        f"({metrics['best_baseline_cosine']:.4f}); best of {metrics['epochs']} epochs: {metrics['best_epoch']}; "
        f"{metrics['steps']:,} steps in {duration(metrics['seconds'])}"
    )
    others = {name: score for name, score in metrics["validation"].items() if name != "point"}
    if others:
        line += ". Heads, more is better: " + ", ".join(f"{name} {score:.4f}" for name, score in others.items())
    if metrics["collapsed"]:
        line += ". COLLAPSED: it is no better than always predicting the mean; lower lr, or use an anchor"
    return line
