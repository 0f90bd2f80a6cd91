"""`nextvec serve`: every model of the workspace over HTTP, or what a settings file names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nextvec.cli.options import RayOption, WorkspaceOption
from nextvec.errors import MissingDependencyError, UsageError


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
    from nextvec.serving.settings import ListenerSettings, Settings, read_settings
    from nextvec.workspace import Workspace

    _require_packages()
    _require_ray(ray, replicas, workers)
    settings = Settings() if config is None else read_settings(config)
    if host is not None or port is not None:
        if len(settings.listeners) > 1:
            raise UsageError(f"{config} names {len(settings.listeners)} listeners: give their hosts and ports there")
        given = {"host": host, "port": port}
        changed = settings.listeners[0].to_dict() | {k: v for k, v in given.items() if v is not None}
        settings = settings.model_copy(update={"listeners": (ListenerSettings.parse(changed, owner="serve"),)})
    given = {"workers": workers, "device": device}
    settings = settings.model_copy(update={key: value for key, value in given.items() if value is not None})

    from nextvec.serving.supervisor import configure_logging

    configure_logging()
    if ray is not None:
        from nextvec.distributed.serve import serve_on_ray

        serve_on_ray(Workspace(workspace), settings, ray, replicas or settings.workers)
        return
    from nextvec.serving.server import serve

    serve(Workspace(workspace), settings)


def _require_ray(address: str | None, replicas: int | None, workers: int | None) -> None:
    if replicas is not None and address is None:
        raise UsageError(f"--replicas {replicas} are of a Ray cluster: give --ray ADDRESS too, or --ray local")
    if workers is not None and address is not None:
        raise UsageError(f"--workers {workers} are processes of this machine: on Ray give --replicas {workers}")


def _require_packages() -> None:
    from importlib.util import find_spec

    for package in ("fastapi", "uvicorn", "httptools", "prometheus_client"):
        if find_spec(package) is None:
            raise MissingDependencyError.for_extra(package, "serve")
