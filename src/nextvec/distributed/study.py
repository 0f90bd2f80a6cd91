"""The runs of a study trained on a Ray cluster, side by side; they are compared where the study runs, in its order.

A run is trained by the same call as in one process, with the same seeds and its own checkpoints: on the same number of
threads its weights are the same bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nextvec.applied import apply_defaults, defaults_file
from nextvec.comparing.entrants import Generation
from nextvec.distributed.cluster import a_worker, await_release, everywhere
from nextvec.errors import MismatchError, TrainingError
from nextvec.records import read_json
from nextvec.records.names import METRICS
from nextvec.records.study import Run
from nextvec.store.lock import held
from nextvec.store.vectors import open_snapshot
from nextvec.studies.plan import PlannedRun
from nextvec.studies.runner import FAILURES, Note, Trained, await_others, lock_of, train_run
from nextvec.training.run import Plan, finished
from nextvec.workspace import Workspace

if TYPE_CHECKING:
    import ray

RETRIES = 10
"""Of a run whose worker or node died; each goes on from the last checkpoint."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs to train a run: the corpus it finds in the workspace must have this fingerprint; `defaults`
    are those of the command."""

    workspace: Workspace
    run: Run
    plan: Plan
    corpus: str
    track: tuple[str, ...]
    defaults: Mapping[str, Any] | None


@dataclass(slots=True)
class RayTrainer:
    """A `Trainer` with so many workers of the cluster that this process is connected to; all see the workspace."""

    workspace: Workspace
    workers: int
    track: tuple[str, ...] = ()
    defaults: Mapping[str, Any] | None = field(default_factory=defaults_file)
    _running: set[ray.ObjectRef[Any]] = field(default_factory=set)

    def __call__(self, runs: Sequence[PlannedRun], note: Note) -> Trained:
        """A thread a worker: it waits for one run after the other, also while finished ones are compared."""
        pool = ThreadPoolExecutor(self.workers)
        try:
            failures = [pool.submit(self._train, planned, note) for planned in runs]
            for planned, failure in zip(runs, failures, strict=True):
                yield planned, failure.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            self._stop()

    def _train(self, planned: PlannedRun, note: Note) -> Exception | None:
        model = planned.run.model
        await_others(self.workspace, planned.run)
        if finished(self.workspace.model(model)):
            return None
        note("start", model=model)
        metrics = self._on_a_worker(planned)
        if isinstance(metrics, Exception):
            return metrics
        note("finish", model=model, **metrics)
        return None

    def _on_a_worker(self, planned: PlannedRun) -> dict[str, Any] | Exception:
        import ray

        corpus = planned.generation.snapshot.fingerprint
        job = Job(everywhere(self.workspace), planned.run, planned.plan, corpus, self.track, self.defaults)
        task = ray.remote(train_on_worker).options(max_retries=RETRIES, **a_worker()).remote(job)
        self._running.add(task)
        try:
            return ray.get(task)
        except ray.exceptions.RayTaskError:
            raise
        except ray.exceptions.RayError as error:
            return TrainingError(f"its worker was lost, and {RETRIES} retries too: {error}")
        finally:
            self._running.discard(task)

    def _stop(self) -> None:
        """What is still running is of no use any more: the study was stopped."""
        import ray

        for task in list(self._running):
            ray.cancel(task, force=True)


def train_on_worker(job: Job) -> dict[str, Any] | Exception:
    """What a worker does: the run's metrics, also where a worker before it had just finished, or why it has failed."""
    apply_defaults(job.defaults)
    try:
        planned = PlannedRun(run=job.run, plan=job.plan, generation=_generation(job))
        await_release(lambda: held(lock_of(job.workspace, job.run)))
        trained = train_run(job.workspace, planned, track=job.track)
        return trained or read_json(job.workspace.model(job.run.model) / METRICS)
    except FAILURES as error:
        return TrainingError(" ".join(str(error).split()) or type(error).__name__)


def _generation(job: Job) -> Generation:
    """Raises MismatchError where a worker finds something else in the workspace than the study."""
    snapshot = open_snapshot(job.workspace, job.run.corpus)
    if snapshot.fingerprint != job.corpus:
        raise MismatchError(
            f"corpus {job.run.corpus} has fingerprint {snapshot.fingerprint} for a worker, {job.corpus} for the study: "
            f"give a workspace that every node sees ({job.workspace.root})"
        )
    return Generation(snapshot=snapshot, cache=job.workspace.cache)
