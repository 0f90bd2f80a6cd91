"""`nextvec demo`: text to report in one go, on text that every Python carries."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from nextvec.cli.options import WorkspaceOption
from nextvec.cli.output import duration, wrapped
from nextvec.errors import IntegrityError, NotFoundError, UsageError
from nextvec.models.presets import RECOMMENDED

if TYPE_CHECKING:
    from nextvec.api import Comparison, Workspace
    from nextvec.evaluation.report import Example

CORPUS = "demo"
SOURCE, DOCUMENTS, ENCODER = "pydocs:manual,library", 210, "minilm"
# A third of them is judged on, instead of the usual tenth: fewer than 60 documents would seldom say anything.
SPLIT: dict[str, Any] = {"salt": "nextvec", "test": 340, "validation": 480}
QUICK = {"epochs": 6, "batch": 256, "lr": 3e-4}
FIRST = "demo-recommended"
# It is kept where its distribution is best: on so little text its order is at its best before any training.
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    FIRST: (RECOMMENDED, {"epochs": 8, "lr": 1e-4, "judged_by": "mixture"}),
    "demo-amn": ("amn", {}),
    "demo-gru": ("gru", {"layers": 1}),
    "demo-transformer": ("transformer", {"layers": 1}),
    "demo-gru-plain": ("gru", {"layers": 1, "anchor": "none"}),
}


def demo_command(workspace: WorkspaceOption = None) -> None:
    """From text to a fair comparison in one go: ingest, train, compare, complete, report. No download."""
    from nextvec.api import open
    from nextvec.cli.evaluate import print_leaderboard, print_verdicts
    from nextvec.storage import place_of

    began = time.perf_counter()
    place = open(workspace)
    if place_of(place.root):
        raise UsageError(f"the demo works in a folder, not in {place.place}: give one with --workspace PATH")
    _step(1, "Text: the Python reference manual and docstrings of its library, as sentences, encoded with MiniLM")
    _ingest(place)
    _step(
        2,
        "Models: each starts at the best baseline and may only improve on it; demo-recommended predicts a mean, an "
        "order and a distribution, the others a mean; demo-gru-plain starts from nothing, as is usual",
    )
    _train(place)
    _step(3, "Comparison: the models and every baseline on documents that none has seen")
    found = place.compare(list(MODELS), say=lambda line: typer.echo(f"   {line}", err=True))
    found = replace(found, command="nextvec demo")
    print_leaderboard(found.table)
    print_verdicts(found)
    _step(4, "Continuation: a passage of a test document, and what the best model expects next")
    _show_example(found.report_content.examples[0], _best(found))
    report = found.save(place.root / "demo-report.html")
    typer.echo(f"\nReport: {report}   (one file, opens in any browser, works offline)")
    typer.echo(
        f"Done in {duration(time.perf_counter() - began)}. Now your own text, a file or folder of txt, md, jsonl ...:\n"
    )
    typer.echo("   nextvec corpus ingest PATH --corpus mine\n   nextvec corpus check mine")
    typer.echo("   nextvec train --corpus mine\n   nextvec compare recommended-mine")
    typer.echo(f'   nextvec complete "Some text. And some more." --model {FIRST}')


def _ingest(place: Workspace) -> None:
    from nextvec.cli.progress import ingest_progress

    with ingest_progress(CORPUS, DOCUMENTS) as show:
        report = place.ingest(
            SOURCE, CORPUS, encoder=ENCODER, split=SPLIT, limit=DOCUMENTS, on_progress=show
        ).require_report()
    typer.echo(
        f"   {report.held} documents in the corpus; {report.chunks:,} chunks encoded in {duration(report.seconds)}"
    )


def _train(place: Workspace) -> None:
    from nextvec.cli.train import outcome_line
    from nextvec.cli.training_progress import training_progress

    for identity, (architecture, options) in MODELS.items():
        if _usable(place, identity):
            typer.echo(f"   {identity} is there already")
            continue
        with training_progress(identity) as show:
            model = place.train(
                architecture, CORPUS, name=identity, resume=place.has_begun(identity), on_progress=show,
                options={**QUICK, **options},
            )  # fmt: skip
        typer.echo(wrapped(f"   {outcome_line(identity, model.metrics)}", indent=5))


def _usable(place: Workspace, identity: str) -> bool:
    """Whether a finished model is there. One that does not load (nextvec has changed, say) is put aside."""
    try:
        place.model(identity).predictor.eval()
    except NotFoundError:
        return False
    except IntegrityError as problem:
        aside = place.put_aside(identity)
        typer.echo(wrapped(f"   Trained again, the old one is in {aside}: {problem}", indent=5))
        return False
    return True


def _best(found: Comparison) -> str:
    return next(row.name for row in found.rows if row.kind == "model")


def _show_example(example: Example, model: str) -> None:
    from textwrap import fill

    for text in example.context:
        typer.echo(fill(text, 78, initial_indent="   ", subsequent_indent="   "))
    for label, text in [
        (f"{model}:", example.nearest[model][0][0]),
        ("truth:", example.truth),
    ]:
        typer.echo(fill(f"{label} {text}", 78, initial_indent="-> ", subsequent_indent="   "))


def _step(number: int, text: str) -> None:
    typer.echo("\n" + wrapped(f"{number}. {text}", indent=3))
