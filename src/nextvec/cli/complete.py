"""`nextvec complete`: how a text may go on, as the nearest stored chunks to the predicted vector."""

from __future__ import annotations

from typing import Annotated

import typer

from nextvec.cli.options import JsonOption, WorkspaceOption
from nextvec.cli.output import emit


def complete_command(
    text: Annotated[str, typer.Argument(help="The beginning of a text, a few sentences at least.")],
    model: Annotated[str, typer.Option("--model", help="A model of the workspace.")],
    alternatives: Annotated[int, typer.Option("--alternatives", min=1, help="Nearest chunks to show.")] = 3,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Predict the vector of the next chunk and show the stored chunks that are nearest to it."""
    from nextvec.studies.continuation import continue_text
    from nextvec.workspace import Workspace

    found = continue_text(Workspace(workspace), model, text, alternatives)
    plain = [{"text": c.text, "cosine": c.similarity, "document": c.document, "title": c.title} for c in found]
    lines = [f"{chunk.similarity:.3f}  {chunk.text}  ({chunk.title})" for chunk in found]
    emit(plain, lines, as_json)
