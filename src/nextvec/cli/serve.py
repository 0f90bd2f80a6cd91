"""`nextvec serve`: every model of the workspace over HTTP, or what a settings file names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nextvec.cli.options import RayOption, WorkspaceOption


def serve_command(
    config: Annotated[
        Path | None, typer.Option("--config", metavar="serving.toml", help="Settings; without, the whole workspace.")
    ] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address; any but loopback needs a token.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=64, help="Processes.")] = None,
    device: Annotated[
        str | None, typer.Option("--device", metavar="[auto|cpu|cuda]", help="Where to compute; auto: a GPU, if any.")
    ] = None,
    ray: RayOption = None,
    replicas: Annotated[
        int | None, typer.Option("--replicas", min=1, help="On Ray: processes of one engine each, like --workers.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Serve models, a web page and an API that OpenAI's clients speak, at http://127.0.0.1:9000.

    Other machines may ask only with a token: set NEXTVEC_TOKEN, and --host 0.0.0.0.
    """
    from nextvec.api import open

    open(workspace).serve(config, host=host, port=port, workers=workers, device=device, ray=ray, replicas=replicas)
