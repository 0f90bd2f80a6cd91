"""`nextvec models`: architectures that can be trained, and models that were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextvec.cli import completing
from nextvec.cli.options import ForceOption, JsonOption, WorkspaceOption, YesOption
from nextvec.cli.output import confirm, emit, listed, print_table, read_each, size, wrapped
from nextvec.errors import UsageError
from nextvec.hub import is_on_hub

if TYPE_CHECKING:
    from nextvec.api import Workspace
    from nextvec.housekeeping.models import ModelLoss

ModelArgument = Annotated[
    str, typer.Argument(metavar="ID", help="A model of the workspace.", autocompletion=completing.finished)
]
BegunArgument = Annotated[
    str, typer.Argument(metavar="ID", help="A model of the workspace.", autocompletion=completing.begun)
]
ArchivedArgument = Annotated[
    str, typer.Argument(metavar="ID", help="A model of the archive.", autocompletion=completing.archived)
]
app = typer.Typer(no_args_is_help=True, help="Models: what can be trained, what was.")


@app.command("list")
def list_command(
    archived: Annotated[bool, typer.Option("--archived", help="What is in the archive.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Architectures, baselines and presets, and the models of the workspace; with --archived, those of its archive."""
    from nextvec.api import architectures, open

    place, known = open(workspace), architectures()
    if archived:
        names = place.archived()
        emit(names, names or ["No model in the archive: nextvec models archive ID"], as_json)
        return
    trained, damaged = read_each(lambda model: model.summary, place.models())
    aliases, unfinished = place.aliases(), place.unfinished()
    if as_json:
        emit({**known, "models": trained, "aliases": aliases, "unfinished": unfinished}, [], as_json)
    else:
        _print_list(known, trained, aliases)
        if unfinished:
            typer.echo(listed("begun, not finished (go on: the same command and --resume):", unfinished))
    if damaged:
        raise typer.Exit(1)


def _print_list(
    known: Mapping[str, Sequence[str]], trained: Sequence[Mapping[str, Any]], aliases: Mapping[str, str]
) -> None:
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
    what: Annotated[
        str,
        typer.Argument(
            metavar="ARCH|ID",
            help="An architecture, a model, or an alias.",
            autocompletion=completing.models_or_architectures,
        ),
    ],
    dim: Annotated[int, typer.Option("--dim", min=1, help="Embedding size, for an architecture.")] = 768,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Parameters, options and defaults of an architecture; the card of a model, and the tree of what it comes from."""
    from nextvec.api import open

    place = open(workspace)
    if is_on_hub(what) or what in place.aliases() or place.has_model(what):
        model = place.model(what)
        emit({**model.config, "lineage": model.lineage.to_dict()}, [model.card, str(model.lineage)], as_json)
        return
    description = described(place, what, dim)
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


@app.command("rename")
def rename_command(
    model: ModelArgument,
    name: Annotated[str, typer.Argument(metavar="NEW", help="What it is called from now on.")],
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a model another name. Refused while an alias, a server or its settings need it."""
    from nextvec.api import open

    renamed = open(workspace).begun(model).rename(name, force=force)
    emit({"model": renamed.name, "before": model}, [f"model '{model}' is '{renamed.name}' now"], as_json)


@app.command("remove")
def remove_command(
    model: BegunArgument,
    yes: YesOption = False,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete a model for good, or a training that was only begun. Refused while an alias, a server or its settings need
    it. To keep it out of the way: nextvec models archive."""
    from dataclasses import asdict

    from nextvec.api import open

    loss = open(workspace).begun(model).remove(force=force, ask=lambda loss: confirm(_loss_line(loss), yes))
    emit(asdict(loss), [f"model '{model}' is removed, {size(loss.bytes)} freed"], as_json)


def _loss_line(loss: ModelLoss) -> str:
    studies = f"; it is a part of study {', '.join(loss.studies)}" if loss.studies else ""
    return f"Lost for good: model '{loss.model}', {size(loss.bytes)}{studies}"


@app.command("archive")
def archive_command(
    model: ModelArgument,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move a model out of the way: into the workspace's archive. Refused while an alias, a server or its settings need
    it."""
    from nextvec.api import open

    place = open(workspace).begun(model).archive(force=force)
    lines = [f"model '{model}' is in {place}", f"back: nextvec models restore {model}"]
    emit({"model": model, "folder": str(place)}, lines, as_json)


@app.command("restore")
def restore_command(model: ArchivedArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Bring a model back from the archive."""
    from nextvec.api import open

    open(workspace).restore(model)
    emit({"model": model}, [f"model '{model}' is back"], as_json)


def described(place: Workspace, what: str, dim: int) -> dict[str, Any]:
    """Of an architecture. Raises UsageError, with the models that are there as well, for what is neither."""
    from nextvec.api import architectures, describe

    known = [name for names in architectures().values() for name in names]
    known += [*place.aliases(), *(model.name for model in place.models())]
    if what not in known:
        raise UsageError.unknown("architecture or model", what, known)
    return describe(what, dim)


def _cosine(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
