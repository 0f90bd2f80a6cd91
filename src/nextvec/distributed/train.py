"""One model trained by several workers of a Ray cluster: Ray Train around the loop that one process runs.

The workers are what so many processes of a launcher on one machine are, with the same weights. Where one of them dies,
Ray starts all of them again, and they go on from the last checkpoint.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from nextvec.applied import apply_defaults, defaults_file
from nextvec.distributed.cluster import a_worker, await_release, everywhere
from nextvec.errors import MismatchError, NextvecError, TrainingError
from nextvec.launch import is_main
from nextvec.records import read_json, read_lines
from nextvec.records.names import METRICS, PLAN, RUN_LOG
from nextvec.store.generation import generation_label
from nextvec.store.lock import is_written
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import open_snapshot
from nextvec.training.provenance import require_begun
from nextvec.training.run import Plan, train_model
from nextvec.workspace import Workspace

RETRIES = 10
"""Of all workers, when one of them was lost."""
LOOK_SECONDS = 0.5
"""Between two looks at the run's log."""

Said = Callable[[dict[str, Any]], None]
"""Called with each event of the run's log, as it comes."""


@dataclass(frozen=True, slots=True)
class Job:
    """What each worker needs: the corpus it finds in the workspace must have this fingerprint; `defaults` are those of
    the command."""

    workspace: Workspace
    corpus: str
    fingerprint: str
    plan: Plan
    model: str
    track: tuple[str, ...] = ()
    defaults: Mapping[str, Any] | None = None


def train_on_ray(
    workspace: Workspace,
    snapshot: Snapshot,
    plan: Plan,
    model: str,
    *,
    workers: int,
    resume: bool = False,
    on_event: Said | None = None,
    track: Sequence[str] = (),
) -> dict[str, Any]:
    """`train_model` by so many workers of the cluster that this process is connected to; all see the workspace.

    Raises what `train_model` raises, TrainingError where workers are lost more than `RETRIES` times.
    """
    folder = workspace.model(model)
    require_begun(folder, resume)  # as a run in one process begins: workers cannot tell a run of theirs from another
    reference = generation_label({"name": snapshot.name, "tag": snapshot.tag, "version": snapshot.version})
    job = Job(
        everywhere(workspace), reference, snapshot.fingerprint, plan, model, tuple(track), defaults_file()
    )  # fmt: skip
    with _watched(folder / RUN_LOG, on_event):
        _fit(job, workers)
    metrics: dict[str, Any] = read_json(folder / METRICS)
    return metrics


def _fit(job: Job, workers: int) -> None:
    from ray import train
    from ray.train.torch import TorchConfig, TorchTrainer

    each = a_worker()
    trainer = TorchTrainer(
        train_on_worker,
        train_loop_config={"job": job},
        torch_config=TorchConfig(backend="nccl" if each["num_gpus"] else "gloo"),
        scaling_config=train.ScalingConfig(
            num_workers=workers, use_gpu=bool(each["num_gpus"]), resources_per_worker={"CPU": each["num_cpus"]}
        ),
        run_config=train.RunConfig(
            name=job.model,
            storage_path=f"{job.workspace}/cache/ray",
            failure_config=train.FailureConfig(max_failures=RETRIES),
        ),
    )
    logging.getLogger("ray.train").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = trainer.fit()
    except train.TrainingFailedError as error:
        raise TrainingError(f"workers of {job.model} were lost, and {RETRIES} retries too: {error}") from None
    if result.return_value is not None:
        raise result.return_value


def train_on_worker(config: dict[str, Any]) -> NextvecError | None:
    """What each worker does. An error of ours is returned, not raised: to try again would not help."""
    try:
        _train(config["job"])
    except NextvecError as error:
        return error
    return None


def _train(job: Job) -> None:
    apply_defaults(job.defaults)
    snapshot = open_snapshot(job.workspace, job.corpus)
    if snapshot.fingerprint != job.fingerprint:
        raise MismatchError(
            f"corpus {job.corpus} has fingerprint {snapshot.fingerprint} for a worker, {job.fingerprint} where it "
            f"is to be trained: give a workspace that every node sees ({job.workspace.root})"
        )
    folder = job.workspace.model(job.model)
    cache, begun = job.workspace.cache, _begun(folder)
    train_model(snapshot, job.plan, folder, cache=cache, resume=begun, track=job.track)


def _begun(folder: Path) -> bool:
    """Whether workers before these have begun, once they are gone; the same for all, though one of them begins."""
    import torch
    from torch import distributed

    await_release(lambda: is_main() and is_written(folder))
    begun = torch.tensor(int((folder / PLAN).exists()))
    if distributed.is_initialized():
        distributed.broadcast(begun, 0)
    return bool(begun)


@contextmanager
def _watched(log: Path, on_event: Said | None) -> Iterator[None]:
    """While inside, what comes into the log is told."""
    if on_event is None:
        yield
        return
    over = Event()
    thread = Thread(target=_watch, args=(log, on_event, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _watch(log: Path, on_event: Said, over: Event) -> None:
    told = len(read_lines(log)) if log.exists() else 0
    while True:
        last = over.wait(LOOK_SECONDS)
        events = read_lines(log) if log.exists() else []
        told = min(told, len(events))  # workers that go on from a checkpoint drop what was logged after it
        for event in events[told:]:
            on_event(event)
        told = len(events)
        if last:
            return
