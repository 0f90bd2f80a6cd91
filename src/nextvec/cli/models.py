"""`nextvec models`: architectures that can be trained, and models that were."""

from __future__ import annotations

from typing import Annotated

import typer

from nextvec.cli.options import JsonOption, WorkspaceOption
from nextvec.cli.output import emit, print_table, wrapped
from nextvec.hub import is_on_hub

app = typer.Typer(no_args_is_help=True, help="Models: what can be trained, what was.")


@app.command("list")
def list_command(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Architectures, baselines and presets, and the models of the workspace."""
    from nextvec.api import architectures, open

    place, known = open(workspace), architectures()
    trained, aliases = [model.summary for model in place.models()], place.aliases()
    if as_json:
        emit({**known, "models": trained, "aliases": aliases}, [], as_json)
        return
    for kind, names in known.items():
        typer.echo(wrapped(f"{kind:<11}{', '.join(names)}", indent=11))
    if not trained:
        typer.echo("\nNo model in this workspace yet: nextvec train --corpus NAME")
        return
    rows = [
        (
            m["name"],
            m["architecture"],
            m["anchor"],
            m["corpus"],
            f"{m['parameters']:,}",
            _cosine(m["validation_cosine"]),
        )
        for m in trained
    ]
    print_table(
        ("model", "architecture", "anchor", "corpus", "parameters", "val. cosine"),
        rows,
        right={"parameters", "val. cosine"},
    )
    for alias, model in aliases.items():
        typer.echo(wrapped(f"{alias} is {model}"))


@app.command("show")
def show_command(
    what: Annotated[str, typer.Argument(metavar="ARCH|ID", help="An architecture, a model, or an alias.")],
    dim: Annotated[int, typer.Option("--dim", min=1, help="Embedding size, for an architecture.")] = 768,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Parameters, options and defaults of an architecture; the card of a model."""
    from nextvec.api import describe, open

    place = open(workspace)
    if is_on_hub(what) or what in place.aliases() or place.has_model(what):
        model = place.model(what)
        emit(model.config, [model.card], as_json)
        return
    description = describe(what, dim)
    if not description["training"]:
        emit(
            description,
            [f"{what}: a baseline, fitted in closed form; it has no parameters to train, no options"],
            as_json,
        )
        return
    lines = [f"{what}: {description['parameters']:,} trained parameters at {dim} dimensions", ""]
    lines += [f"  {key} = {value}" for key, value in description["options"].items()]
    lines += ["", "for every architecture:", ""]
    lines += [f"  {key} = {value}" for key, value in description["training"].items()]
    emit(description, lines, as_json)


def _cosine(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
