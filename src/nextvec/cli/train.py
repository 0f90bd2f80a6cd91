"""`nextvec train`: one model on one corpus generation."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from nextvec.cli import INTERRUPTED, completing
from nextvec.cli.launched import command, complain
from nextvec.cli.on_ray import again_on_ray
from nextvec.cli.options import (
    LeakageOption,
    RayOption,
    SetOption,
    TrackOption,
    TrainedOnOption,
    WorkersOption,
    WorkspaceOption,
)
from nextvec.cli.output import duration, emit, warning_lines
from nextvec.cli.tracked import again_tracked
from nextvec.launch import is_main
from nextvec.models.presets import RECOMMENDED


def train_command(
    *,
    architecture: Annotated[
        str,
        typer.Argument(
            metavar="ARCH",
            help="A backbone, baseline or preset: nextvec models list.",
            autocompletion=completing.architectures,
        ),
    ] = RECOMMENDED,
    corpus: TrainedOnOption,
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
    ray: RayOption = None,
    workers: WorkersOption = None,
    track: TrackOption = None,
    workspace: WorkspaceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train one model: the recommended one, which predicts a mean, an order and a distribution, or the one you name.
    Ctrl-C stops it; the same command with --resume goes on. With --ray, workers train it together, as so many processes
    here would; where one is lost, they go on from the last checkpoint.

    Options for --set: anchor (none, mean, ewma-mix, ridge-mix, scale-mixture, best), context (a number of vectors, or
    unlimited), predicts (its heads), those of a head (loss, or point.loss), those of training (epochs, lr, batch,
    patience, ...) and the architecture's own: nextvec models show ARCH.
    """
    from nextvec.api import open
    from nextvec.cli.training_progress import training_progress
    from nextvec.config import parse_assignments
    from nextvec.interface.training import default_name

    place, identity = open(workspace), default_name(architecture, corpus, seed) if name is None else name
    try:
        with training_progress(identity) as show:
            model = place.train(
                architecture, corpus, name=identity, seed=seed, resume=resume, allow_unordered=allow_unordered,
                allow_leakage=allow_leakage, options=parse_assignments(assignments or []), on_progress=show,
                ray=ray, workers=workers, track=track or [], on_event=lambda event: _tell(identity, event),
                on_change=lambda change: typer.echo(f"{identity}: {change}", err=True),
            )  # fmt: skip
    except KeyboardInterrupt:
        again = [*command(), "train", architecture, "--corpus", corpus, "--name", identity]
        again += ["--resume"] if place.has_begun(identity) else []
        again += ["--seed", str(seed)] if seed else []
        again += [part for pair in assignments or [] for part in ("--set", pair)]
        again += ["--allow-unordered"] if allow_unordered else []
        again += ["--allow-leakage"] if allow_leakage else []
        again += [*again_on_ray(ray, workers), *again_tracked(track)]
        again += ["--workspace", str(workspace)] if workspace else []
        complain(f"Stopped. Go on with: {shlex.join(again)}")
        raise typer.Exit(INTERRUPTED) from None
    if is_main():
        metrics = {"warning": "", **model.metrics}
        warning = warning_lines(place.corpus(corpus).leakage()) if metrics["warning"] else []
        emit(metrics | {"model": identity}, [*warning, outcome_line(identity, metrics)], as_json)


def _tell(identity: str, event: Mapping[str, Any]) -> None:
    """Of what workers log, an epoch a line."""
    if event["event"] == "epoch":
        typer.echo(
            f"{identity}: epoch {event['epoch']}, loss {event['loss']:.4f}, "
            f"validation cosine {event['validation_cosine']:.4f}, skill {event['skill']:+.2%}, "
            f"{event['vectors_per_second']:,.0f} vectors/s",
            err=True,
        )


def outcome_line(identity: str, metrics: Mapping[str, Any]) -> str:
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
