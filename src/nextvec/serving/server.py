"""The server's processes: addresses, signals, one worker or several, and an end that drops no request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Generator, Sequence
from typing import Any

import uvicorn

from nextvec.device import device_of
from nextvec.errors import UsageError
from nextvec.serving.app import create_app
from nextvec.serving.connection import impatient
from nextvec.serving.engine import Engine
from nextvec.serving.metrics import Metrics
from nextvec.serving.settings import ListenerSettings, Settings, read_token, require_safe
from nextvec.serving.token import Token
from nextvec.workspace import Workspace

BACKLOG = 512
KEEP_ALIVE_SECONDS = 30

log = logging.getLogger("nextvec.serving")


def serve(workspace: Workspace, settings: Settings) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); SIGHUP looks for new models at once.

    Raises UsageError for an address that others can reach without a token, or that is taken, and for a device that
    this machine does not have.
    """
    token = read_token(settings)
    require_safe(settings, token)
    device_of(settings.device)  # to say at once that it is not there
    sockets = [bind(listener) for listener in settings.listeners]
    for listener, bound in zip(settings.listeners, sockets, strict=True):
        log.info("%s at %s", describe(listener), url_of(bound))
    if settings.workers == 1:
        run_worker(workspace, settings, token, sockets)
    else:
        from nextvec.serving.supervisor import Supervisor

        Supervisor(workspace, settings, token, sockets).run()


def bind(listener: ListenerSettings) -> socket.socket:
    """A listening socket's address; port 0 takes a free one. Raises UsageError when it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            listener.host, listener.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with contextlib.ExitStack() as unless_bound:
            bound = unless_bound.enter_context(socket.socket(family, kind, protocol))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            unless_bound.pop_all()
    except OSError as error:
        raise UsageError(f"{listener.host}:{listener.port}: {error.strerror or error}; choose another port") from None
    return bound


def describe(listener: ListenerSettings) -> str:
    """`amn (amn)`: name and models."""
    models = "everything" if listener.models is None else ", ".join(listener.models) or "no model"
    return f"{listener.name or 'listener'} ({models})"


def url_of(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_worker(workspace: Workspace, settings: Settings, token: Token | None, sockets: Sequence[socket.socket]) -> None:
    """One worker, in this process, until it is told to stop. Ends the process when a stage hangs by then."""
    size_threads(settings.torch_threads())
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        running = runner.run(_work(workspace, settings, token, sockets))
    if running:
        log.error("%s still runs; ending without it", ", ".join(running))
        os._exit(1)


def size_threads(threads: int) -> None:
    """Threads that each batch computes with, in this process from now on."""
    import torch

    torch.set_num_threads(threads)


async def _work(
    workspace: Workspace, settings: Settings, token: Token | None, sockets: Sequence[socket.socket]
) -> list[str]:
    """Returns the stages that still run when all else has ended."""
    engine = Engine(workspace, settings, Metrics())
    servers = [_server(engine, listener, token) for listener in settings.listeners]
    _on_signals(lambda: _stop(engine, servers), engine.reload)
    engine.start()
    await asyncio.gather(*(server.serve([bound]) for server, bound in zip(servers, sockets, strict=True)))
    return await engine.stop()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are for all listeners of the process; see `_on_signals`."""
        yield


def _server(engine: Engine, listener: ListenerSettings, token: Token | None) -> _Server:
    settings = engine.settings
    config = uvicorn.Config(
        create_app(engine, listener, token, own=False),
        http=impatient(settings.limits.header_seconds),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )
    return _Server(config)


def _stop(engine: Engine, servers: Sequence[_Server]) -> None:
    """No new connection is accepted; running requests finish. A second signal does not wait for them."""
    for server in servers:
        server.force_exit = engine.draining
        server.should_exit = True
    engine.draining = True


def _on_signals(stop: Callable[[], None], reload: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, reload)


def _loop_factory() -> Callable[[], Any] | None:
    """uvloop's, where it is installed; it has no build for Windows."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
