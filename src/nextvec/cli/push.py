"""`nextvec push`: a model to the Hugging Face hub; and what `corpus push` shares with it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from nextvec.cli import completing
from nextvec.cli.options import JsonOption, WorkspaceOption
from nextvec.cli.output import emit

if TYPE_CHECKING:
    from nextvec.hub import Pushed

HubNameArgument = Annotated[
    str, typer.Argument(metavar="HUB_NAME", help="USER/NAME, or NAME for one of your own; made if it is not there.")
]
LicenceOption = Annotated[
    str | None,
    typer.Option("--licence", metavar="ID", help="For its card: apache-2.0, cc-by-4.0, ...", show_default="none given"),
]
PublicOption = Annotated[bool, typer.Option("--public", help="If it is made, let everybody see it.")]


def push_command(
    model: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A model or an inverter of the workspace, or an alias.",
            autocompletion=completing.models,
        ),
    ],
    name: HubNameArgument,
    licence: LicenceOption = None,
    public: PublicOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Commit a model to the Hugging Face hub, with its card: safetensors, configuration, figures.

    Who you are is said by HF_TOKEN, or `hf auth login`. A repository that is made is private unless --public is given.
    Wherever a model is named, hf:HUB_NAME and hf:HUB_NAME@REVISION name it from then on.
    """
    from nextvec.api import open

    chosen = open(workspace).model(model)
    emit_push(chosen.name, chosen.push(name, licence=licence, public=public), as_json)


def emit_push(what: str, done: Pushed, as_json: bool) -> None:
    """What was committed, and how it is named now."""
    lines = [f"{what} is at {done.url}, revision {done.revision}", f"name it hf:{done.name}@{done.revision}"]
    emit(asdict(done), lines, as_json)
