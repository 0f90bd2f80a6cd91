"""The server: its addresses, and one worker that serves them or several."""

from __future__ import annotations

import logging
import socket
from contextlib import ExitStack

from nextvec.device import device_of
from nextvec.errors import UsageError
from nextvec.serving.settings import ListenerSettings, Settings, read_token, require_safe
from nextvec.serving.supervisor import Supervisor
from nextvec.serving.worker import configure_logging, run_worker
from nextvec.workspace import Workspace

log = logging.getLogger("nextvec.serving")


def serve(workspace: Workspace, settings: Settings) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); SIGHUP looks for new models at once.

    Raises UsageError for an address that others can reach without a token, or that is taken, and for a device that
    this machine does not have.
    """
    configure_logging()
    token = read_token(settings)
    require_safe(settings, token)
    device_of(settings.device)  # to say at once that it is not there
    sockets = [bind(listener) for listener in settings.listeners]
    for listener, bound in zip(settings.listeners, sockets, strict=True):
        log.info("%s at %s", describe(listener), url_of(bound))
    if settings.workers == 1:
        run_worker(workspace, settings, token, sockets)
    else:
        Supervisor(workspace, settings, token, sockets).run()


def bind(listener: ListenerSettings) -> socket.socket:
    """A listening socket's address; port 0 takes a free one. Raises UsageError when it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            listener.host, listener.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as unless_bound:
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
