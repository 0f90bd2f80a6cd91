"""One process that serves: listeners, signals, and an end that drops no request."""

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

from nextvec.serving.app import create_app
from nextvec.serving.connection import gated
from nextvec.serving.engine import Engine
from nextvec.serving.metrics import Metrics
from nextvec.serving.settings import ListenerSettings, Settings
from nextvec.serving.token import Token
from nextvec.workspace import Workspace

BACKLOG = 512
KEEP_ALIVE_SECONDS = 30

log = logging.getLogger("nextvec.serving")


def run_worker(
    workspace: Workspace,
    settings: Settings,
    token: Token | None,
    sockets: Sequence[socket.socket],
    at_once: bool = True,
    stopped_by: Sequence[int] = (signal.SIGTERM, signal.SIGINT),
) -> None:
    """One worker, in this process, until it is told to stop by a signal. Ends the process when a stage hangs by then.
    `at_once`: whether it answers while it loads, that it does; where others answer already, it would take requests
    from them."""
    size_threads(settings.torch_threads())
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        running = runner.run(_work(workspace, settings, token, sockets, at_once, stopped_by))
    if running:
        log.error("%s still runs; ending without it", ", ".join(running))
        os._exit(1)


def size_threads(threads: int) -> None:
    """Threads that each batch computes with, in this process from now on."""
    import torch

    torch.set_num_threads(threads)


async def _work(
    workspace: Workspace,
    settings: Settings,
    token: Token | None,
    sockets: Sequence[socket.socket],
    at_once: bool,
    stopped_by: Sequence[int],
) -> list[str]:
    """Returns the stages that still run when all else has ended."""
    engine = Engine(workspace, settings, Metrics())
    servers = [_server(engine, listener, token) for listener in settings.listeners]
    _on_signals(stopped_by, lambda: _stop(engine, servers), engine.reload)
    engine.start()
    if not at_once:
        await engine.first_look()
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
        http=gated(settings.limits.header_seconds),
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


def _on_signals(stopped_by: Sequence[int], stop: Callable[[], None], reload: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in stopped_by:
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


def configure_logging() -> None:
    """What this server says goes to the error stream; others are heard when something is wrong."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("nextvec").setLevel(logging.INFO)
