"""A Ray cluster for the time of one command: that at an address, or `local`, one of this machine's own."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from types import MappingProxyType
from typing import Any

from nextvec.errors import NotFoundError, UsageError, require_packages
from nextvec.storage import place_of
from nextvec.workspace import Workspace

LOCAL = "local"
FOUND_BY_RAY = "auto"
EXPECTED = "expected HOST:PORT of its head node, 'auto' on a node of it, or 'local' for this machine"
ANSWER_SECONDS = 5.0
RELEASE_SECONDS = 60.0
"""For which a worker that was lost may still be at work, until its system notices."""
NOTHING: Mapping[str, str] = MappingProxyType({})
PASSED_ON = ("PYTHONPATH", "OMP_NUM_THREADS", "HF_HOME", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""Of the environment, to workers. No credentials: those a node has of its own, and Ray would keep them readable."""
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}


@contextmanager
def cluster(address: str, workers: int | None = None, environment: Mapping[str, str] = NOTHING) -> Iterator[int]:
    """Connected to the cluster inside, and how many workers it shall have: as many as asked for, or as it has room for.

    A `local` cluster is started with a CPU for each worker and stopped behind; any other is left as it is, less what
    this process has on it. Where this process is connected already, it stays so. `environment` is of its processes.

    Raises MissingDependencyError without Ray, UsageError for what is no address, NotFoundError when nothing answers.
    """
    require_packages("ray", "ray")
    _require_address(address)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        yield workers or room()
        return
    with redirect_stdout(sys.stderr):  # Ray tells of lost workers on standard output, which is for results
        _connect(address, workers, environment)
        try:
            yield workers or room()
        finally:
            ray.shutdown()


def room() -> int:
    """How many workers the cluster can run at once: one a GPU where there are any, else one a CPU."""
    import ray

    found = ray.cluster_resources()
    return max(1, int(found.get("GPU", 0) or found.get("CPU", 1)))


def a_worker() -> dict[str, float]:
    """What each takes of the cluster, as options of a task or an actor."""
    import ray

    return {"num_cpus": 1, "num_gpus": 1 if ray.cluster_resources().get("GPU") else 0}


def everywhere(workspace: Workspace) -> Workspace:
    """The same for processes in other folders and on other machines, which see its path or its bucket."""
    return workspace if place_of(workspace.root) else Workspace(workspace.root.absolute())


def await_release(held: Callable[[], bool]) -> None:
    """Wait until what a lost worker held is not held any more, but not for ever."""
    given_up = time.monotonic() + RELEASE_SECONDS
    while held() and time.monotonic() < given_up:
        time.sleep(0.1)


def _require_address(address: str) -> None:
    if address in (LOCAL, FOUND_BY_RAY):
        return
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise UsageError(f"'{address}' is no address of a Ray cluster: {EXPECTED}")
    try:
        socket.create_connection((host, int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _no_answer(address, error) from None


def _connect(address: str, workers: int | None, environment: Mapping[str, str]) -> None:
    import ray

    settings = _settings(address, workers, environment)

    try:
        with warnings.catch_warnings():  # Lance says at every fork that it is not safe in the child: Ray's run others
            warnings.filterwarnings("ignore", "lance is not fork-safe")
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **settings)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _no_answer(address, error) from None


def _settings(address: str, workers: int | None, environment: Mapping[str, str]) -> dict[str, Any]:
    """Workers of this machine have its environment; a process that Ray starts with one of its own starts later."""
    if address == LOCAL:
        os.environ.update(environment)
        return {"include_dashboard": False, "num_cpus": workers}
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {"runtime_env": {"env_vars": passed_on | dict(environment)}}


def _no_answer(address: str, error: Exception) -> NotFoundError:
    return NotFoundError(f"no Ray cluster answers at '{address}' ({error}): {EXPECTED}. Start one: ray start --head")
