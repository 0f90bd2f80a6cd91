"""Several workers on the same addresses: each is started again when it dies, all end together."""

from __future__ import annotations

import contextlib
import logging
import math
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from nextvec.errors import NextvecError
from nextvec.serving.metrics import MULTIPROCESS, forget
from nextvec.serving.settings import Settings
from nextvec.serving.token import Token
from nextvec.serving.worker import configure_logging, run_worker
from nextvec.workspace import Workspace

DEATHS, DEATH_SECONDS = 5, 30.0
"""So many deaths a worker in so many seconds are not bad luck: the server stops."""

GRACE_SECONDS = 5.0
"""Over what requests have to finish, for a worker to end."""

log = logging.getLogger("nextvec.serving")


class WorkersKeepDyingError(NextvecError):
    def __init__(self, code: int | None) -> None:
        super().__init__(f"workers keep dying, the last one with exit code {code}. Run it with workers = 1 to see why")


class Supervisor:
    """Starts `settings.workers` processes that share `sockets`, and watches them."""

    def __init__(
        self, workspace: Workspace, settings: Settings, token: Token | None, sockets: Sequence[socket.socket]
    ) -> None:
        self._arguments = (str(workspace.root), settings, token, list(sockets))
        self._settings = settings
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[int, SpawnProcess] = {}
        self._deaths: deque[float] = deque(maxlen=DEATHS * settings.workers)
        self._stopping = False
        self._until = math.inf

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises WorkersKeepDyingError."""
        # A worker reads this pipe and ends when it closes: when this process ends, however it ends.
        reading, self._alive = self._context.Pipe(duplex=False)
        with tempfile.TemporaryDirectory(prefix="nextvec-metrics-") as metrics, self._signals():
            os.environ[MULTIPROCESS] = metrics
            try:
                for _ in range(self._settings.workers):
                    if not self._stopping:
                        self._start(reading, at_once=True)
                self._watch(reading)
            finally:
                del os.environ[MULTIPROCESS]
                self._end()

    def _start(self, reading: Connection, at_once: bool) -> None:
        process = self._context.Process(target=_work, args=(*self._arguments, at_once, reading), name="nextvec-worker")
        with _deaf_to(signal.SIGINT):
            process.start()
        self._workers[process.sentinel] = process
        if self._stopping:  # said while it began, and not to it
            process.terminate()

    def _watch(self, reading: Connection) -> None:
        while self._workers and time.monotonic() < self._until:
            for sentinel in wait(list(self._workers), timeout=1.0):
                self._bury(self._workers.pop(sentinel), reading)  # type: ignore[arg-type]

    def _bury(self, process: SpawnProcess, reading: Connection) -> None:
        process.join()
        if process.pid is not None:
            forget(process.pid)
        if self._stopping:
            return
        log.error("worker %s died with exit code %s; starting another", process.pid, process.exitcode)
        self._deaths.append(time.monotonic())
        if len(self._deaths) == self._deaths.maxlen and self._deaths[-1] - self._deaths[0] < DEATH_SECONDS:
            raise WorkersKeepDyingError(process.exitcode)
        self._start(reading, at_once=not self._workers)

    def _end(self) -> None:
        """Wait for all that still run as long as they were given, no longer."""
        self._stop()
        for process in self._workers.values():
            process.join(max(0.0, self._until - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def _stop(self) -> None:
        """Ask the workers to stop; how long they may take counts from the first time."""
        self._stopping = True
        self._until = min(self._until, time.monotonic() + self._settings.shutdown_seconds + GRACE_SECONDS)
        self._tell(signal.SIGTERM)

    def _tell(self, number: int) -> None:
        for process in list(self._workers.values()):
            if process.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, number)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """What this process is told, its workers are told."""

        before = {number: signal.signal(number, lambda *_: self._stop()) for number in (signal.SIGTERM, signal.SIGINT)}
        if hasattr(signal, "SIGHUP"):
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda number, _: self._tell(number))
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _deaf_to(number: int) -> Iterator[None]:
    """Processes that are started inside never hear of it: a terminal tells it to all at once, and whom this one tells
    to stop would be told twice, which means not to wait for requests."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


def _work(
    root: str,
    settings: Settings,
    token: Token | None,
    sockets: list[socket.socket],
    at_once: bool,
    alive: Connection,
) -> None:
    """The main function of a worker process."""
    configure_logging()
    threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()
    run_worker(Workspace(root), settings, token, sockets, at_once, stopped_by=[signal.SIGTERM])


def _end_with_parent(alive: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        alive.recv()
    os.kill(os.getpid(), signal.SIGTERM)
