"""`nextvec models`: architectures that can be trained, and models that were."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextvec.cli.options import JsonOption, WorkspaceOption
from nextvec.cli.output import emit, print_table, wrapped

if TYPE_CHECKING:
    from nextvec.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Models: what can be trained, what was.")


@app.command("list")
def list_command(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Architectures, baselines and presets, and the models of the workspace."""
    from nextvec.models.aliases import Aliases
    from nextvec.models.backbone import BACKBONES
    from nextvec.models.baseline import BASELINES
    from nextvec.models.presets import PRESETS
    from nextvec.workspace import Workspace

    place = Workspace(workspace)
    trained, aliases = _trained(place), Aliases(place).all()
    if as_json:
        known = {"backbones": BACKBONES.names(), "baselines": BASELINES.names(), "presets": sorted(PRESETS)}
        emit({**known, "models": trained, "aliases": aliases}, [], as_json)
        return
    for kind, names in (("backbones", BACKBONES), ("baselines", BASELINES), ("presets", sorted(PRESETS))):
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
    from nextvec.models.aliases import Aliases
    from nextvec.models.bundle import CARD, CONFIG, read_config
    from nextvec.workspace import Workspace

    place = Workspace(workspace)
    folder = place.model(Aliases(place).all().get(what, what))
    if (folder / CONFIG).exists():
        emit(read_config(folder), [(folder / CARD).read_text()], as_json)
        return
    description = _describe(what, dim)
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


def _describe(architecture: str, dim: int) -> dict[str, Any]:
    from nextvec.models.baseline import BASELINES
    from nextvec.models.network import Network
    from nextvec.training.run import resolve_plan

    plan = resolve_plan(architecture, dim, {})
    if plan.architecture in BASELINES:
        return {"name": architecture, "dim": dim, "parameters": 0, "options": {}, "training": {}}
    parameters = Network(plan.network).spec.parameters
    settings = {
        "anchor": plan.network.anchor,
        "context": plan.network.context or "unlimited",
        "structure": plan.network.structure,
        "predicts": ",".join(plan.network.heads),
        **_head_options(plan.network.head_options),
        **plan.training.to_dict(),
    }
    return {
        "name": architecture,
        "dim": dim,
        "parameters": parameters,
        "options": plan.network.options,
        "training": settings,
    }


def _head_options(heads: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """By the names that --set takes; those of the point head stand alone."""
    return {
        key if head == "point" else f"{head}.{key}": value
        for head, options in heads.items()
        for key, value in options.items()
    }


def _trained(workspace: Workspace) -> list[dict[str, Any]]:
    from nextvec.models.bundle import CONFIG

    folders = sorted(workspace.models.glob("*")) if workspace.models.exists() else []
    return [_summary(folder) for folder in folders if (folder / CONFIG).exists()]


def _summary(folder: Path) -> dict[str, Any]:
    from nextvec.models.bundle import METRICS, read_config
    from nextvec.records import read_json
    from nextvec.store.generation import generation_label

    config = read_config(folder)
    return {
        "name": folder.name,
        "architecture": config["spec"]["name"],
        "anchor": config["spec"]["anchor"],
        "parameters": config["spec"]["parameters"],
        "corpus": generation_label(config["corpus"]),
        "validation_cosine": read_json(folder / METRICS).get("validation_cosine"),
    }


def _cosine(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
