"""The server as replicas on a Ray cluster: Ray Serve around the application that one process runs.

Each replica is that application with an engine of its own: it batches what it is asked, and looks for new models by
itself. Ray's proxies take the requests at one address and choose a replica for each; a lost replica is replaced.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from starlette.types import ASGIApp

from nextvec.amounts import plural
from nextvec.device import device_of
from nextvec.distributed.cluster import LOCAL, a_worker, cluster, everywhere
from nextvec.errors import NextvecError, UsageError
from nextvec.serving.app import create_app
from nextvec.serving.engine import Engine
from nextvec.serving.metrics import Metrics
from nextvec.serving.server import bind, describe
from nextvec.serving.settings import ListenerSettings, Settings, is_loopback, read_token, require_safe
from nextvec.serving.token import Token
from nextvec.serving.worker import KEEP_ALIVE_SECONDS, configure_logging, size_threads
from nextvec.workspace import Workspace

NAME = "nextvec"
PROXY = {
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "nextvec.distributed.proxy.middlewares",
    "RAY_SERVE_PROXY_PREFER_LOCAL_NODE_ROUTING": "0",
    "RAY_SERVE_PROXY_PREFER_LOCAL_AZ_ROUTING": "0",
}
"""What Ray's proxies learn from the environment of their processes alone: what goes around them, and to share requests
out among all replicas. By themselves they leave none to another node while a replica of their own takes one more."""
HEALTH_SECONDS = 2.0
"""Between two looks of Ray at a replica."""

log = logging.getLogger("nextvec.serving")


class ReplicasFailError(NextvecError):
    def __init__(self, reason: object) -> None:
        super().__init__(f"no replica could be started: {reason}")


@dataclass(frozen=True, slots=True)
class Job:
    """What a replica needs. Ray keeps it where others of the cluster can read it."""

    workspace: Workspace
    settings: Settings
    token: Token | None

    @property
    def listener(self) -> ListenerSettings:
        return self.settings.listeners[0]

    @property
    def threads(self) -> int:
        return self.settings.threads or 1


class Replica:
    """One engine behind the application, in a process of Ray's. Ray calls the methods by their names."""

    def __init__(self, job: Job) -> None:
        configure_logging()
        size_threads(job.threads)
        self._job = job
        self._engine = Engine(job.workspace, job.settings, Metrics())

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """A replica is asked as soon as this application has begun, which is when its models are there."""
        return create_app(self._engine, self._job.listener, self._job.token, at_once=False)

    def check_health(self) -> None:
        """Raises RuntimeError where a stage hangs: only another process helps."""
        if stuck := self._engine.stuck():
            raise RuntimeError("; ".join(stuck))

    async def look(self) -> None:
        """Look for new models now."""
        self._engine.reload()

    async def state(self) -> dict[str, Any]:
        """Of this replica: names of models, and what is wrong."""
        return {"models": list(self._engine.deployment.models), "faults": self._engine.faults()}


def serve_on_ray(workspace: Workspace, settings: Settings, address: str, replicas: int) -> None:
    """Serve on so many replicas until told to stop (SIGTERM, SIGINT); SIGHUP looks for new models at once.

    Raises what `cluster` raises; UsageError for several listeners, an address that others can reach without a token or
    that is taken, and where Serve runs on the cluster already; ReplicasFailError.
    """
    configure_logging()
    token = read_token(settings)
    require_safe(settings, token)
    if address == LOCAL:
        device_of(settings.device)  # to say at once that it is not there
    job = Job(everywhere(workspace), _at_one_address(settings, address), token)
    with cluster(address, replicas * job.threads, PROXY):
        _require_none_before()
        try:
            _begin(job.listener)
            _warn_of_little_room(_each(job), replicas)
            handle = _deploy(job, replicas)
            _tell(handle)
            log.info("%s at %s, %s", describe(job.listener), _place(job.listener, address), plural(replicas, "replica"))
            _until_stopped(lambda: _look(handle))
        finally:
            _end(address)


def _at_one_address(settings: Settings, address: str) -> Settings:
    """With a port: on this machine a free one for 0. Raises UsageError."""
    if len(settings.listeners) > 1:
        raise UsageError(
            f"{len(settings.listeners)} listeners: on Ray all replicas answer at one address; give one listener, or "
            "several commands without --ray"
        )
    listener = settings.listeners[0]
    if address == LOCAL:
        with bind(listener) as bound:
            listener = listener.model_copy(update={"port": bound.getsockname()[1]})
    elif not listener.port:
        raise UsageError("--port 0: expected the number of a port that is free on the cluster's nodes")
    return settings.model_copy(update={"listeners": (listener,)})


def _require_none_before() -> None:
    from ray import serve

    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    if serve.status().proxies:
        raise UsageError("Ray Serve runs on this cluster already. End what it serves: serve shutdown -y")


def _begin(listener: ListenerSettings) -> None:
    """Ray's proxies: where the head node is for an address of the loopback, else on every node that has a replica."""
    from ray import serve

    try:
        serve.start(
            proxy_location="HeadOnly" if is_loopback(listener.host) else "EveryNode",
            http_options={"host": listener.host, "port": listener.port, "keep_alive_timeout_s": KEEP_ALIVE_SECONDS},
            logging_config={"log_level": "WARNING", "enable_access_log": False},
        )
    except (RuntimeError, TimeoutError) as error:
        where = f"{listener.host}:{listener.port}"
        raise UsageError(
            f"{where}: no proxy of Ray could begin there ({_end_of(str(error))}); choose another port"
        ) from None


def _each(job: Job) -> dict[str, float]:
    """What a replica takes of the cluster."""
    return a_worker() | {"num_cpus": job.threads} | ({"num_gpus": 0} if job.settings.device == "cpu" else {})


def _warn_of_little_room(each: dict[str, float], replicas: int) -> None:
    import ray

    free = ray.available_resources()
    for name, amount in (("CPU", each["num_cpus"]), ("GPU", each["num_gpus"])):
        taken, there = int(replicas * amount), int(free.get(name, 0))
        if there < taken:
            told = "%s take%s %s, the cluster has %d free: it answers once there are more"
            log.warning(told, plural(replicas, "replica"), "" if replicas > 1 else "s", plural(taken, name), there)


def _deploy(job: Job, replicas: int) -> Any:
    """A handle to all replicas, once they are ready."""
    from ray import serve

    limits = job.settings.limits
    deployment = serve.deployment(serve.ingress()(Replica)).options(
        name=NAME,
        num_replicas=replicas,
        ray_actor_options=_each(job),
        max_ongoing_requests=2 * limits.requests,  # the application itself refuses what is over its limit
        max_queued_requests=limits.requests,
        health_check_period_s=HEALTH_SECONDS,
        graceful_shutdown_timeout_s=job.settings.shutdown_seconds,
        graceful_shutdown_wait_loop_s=0.1,
    )

    try:
        return serve.run(deployment.bind(job), name=NAME)
    except RuntimeError as error:
        raise ReplicasFailError(_reason() or error) from None


def _reason() -> str:
    """What the last replica that was tried has raised."""
    from ray import serve

    return _end_of(serve.status().applications[NAME].deployments[NAME].message)


def _end_of(trace: str) -> str:
    """What was raised, of what Ray tells with the whole trace."""
    last = trace.strip().rpartition("\n")[2]
    return last.partition(": ")[2] or last


def _tell(handle: Any) -> None:
    """Of all replicas, what is served and what is not."""
    states = handle.broadcast("state").results()
    for fault in sorted({fault for state in states for fault in state["faults"]}):
        log.error("%s; the log of a replica says why", fault)
    models = states[0]["models"]
    log.info("serving %s: %s", plural(len(models), "model"), ", ".join(models) or "none")


def _look(handle: Any) -> None:
    """Let all replicas look for new models; one that is lost meanwhile is followed by one that has looked."""
    from ray.exceptions import RayError

    with suppress(RayError):
        handle.broadcast("look").results()


def _end(address: str) -> None:
    """Once requests that are worked on have finished. What runs in a cluster of this command ends with it."""
    from ray import serve

    with suppress(serve.exceptions.RayServeException):
        serve.delete(NAME)
    if address != LOCAL:
        serve.shutdown()


def _until_stopped(look: Callable[[], None]) -> None:
    with _told() as told:
        while told.get() == signal.SIGHUP:
            look()


def _place(listener: ListenerSettings, address: str) -> str:
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    where = "" if address == LOCAL else " of the head node" if is_loopback(listener.host) else " of every node"
    return f"http://{host}:{listener.port}{where}"


@contextmanager
def _told() -> Iterator[SimpleQueue[int]]:
    """The signals that come while inside."""
    told: SimpleQueue[int] = SimpleQueue()
    numbers = [signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.signal(number, lambda number, _: told.put(number)) for number in numbers}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
