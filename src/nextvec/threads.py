"""Threads of torch: how many compute at a time, and independent pieces of work that share them out.

On small tensors two threads of one operation wait for each other most of the time; two operations, each on a thread of
its own, do not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event
from typing import TypeVar

import torch

T = TypeVar("T")
Pulse = Callable[[], None]
"""To be called now and then by what takes long; raises CancelledError when nobody waits for its result any more."""
Job = Callable[[Pulse], T]

MOST_AT_ONCE = 4
"""Jobs, however many threads there are: each holds what it computes with."""


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """torch computes with so many threads meanwhile; None changes nothing."""
    before = torch.get_num_threads()
    if count is None:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def side_by_side(jobs: Iterable[Job[T]], device: torch.device) -> Iterator[T]:
    """The results of independent jobs, in their order, several of them computed at a time on a CPU; a GPU, which all
    share, does one after the other.

    torch's threads are shared out among the jobs, so up to `MOST_AT_ONCE` threads a job has one, and rounds as it does
    on a machine of one core. A job is taken from `jobs` when it is begun. Raises what the first job in order that fails
    raises; it waits for the others, as far as they have begun, which notice by their pulse.
    """
    threads = torch.get_num_threads()
    workers = min(threads, MOST_AT_ONCE) if device.type == "cpu" else 1
    if workers == 1:
        yield from (job(_never_stops) for job in jobs)
        return
    with torch_threads(threads // workers), _pool(workers) as begin:
        yield from _in_order(jobs, begin, workers)


def _never_stops() -> None:
    """The pulse of a job that nothing else runs beside."""


@contextmanager
def _pool(workers: int) -> Iterator[Callable[[Job[T]], Future[T]]]:
    """What begins a job in one of so many threads, in the context of the one that asks."""
    stopped = Event()

    def pulse() -> None:
        if stopped.is_set():
            raise CancelledError

    with ThreadPoolExecutor(workers, "nextvec-job") as pool:
        try:
            yield lambda job: pool.submit(copy_context().run, job, pulse)
        finally:
            stopped.set()


def _in_order(jobs: Iterable[Job[T]], begin: Callable[[Job[T]], Future[T]], workers: int) -> Iterator[T]:
    order: deque[Future[T]] = deque()
    running: set[Future[T]] = set()
    for job in jobs:
        order.append(begin(job))
        running.add(order[-1])
        if len(running) == workers:
            running = wait(running, return_when=FIRST_COMPLETED).not_done
        while order and order[0].done():
            yield order.popleft().result()
    yield from (future.result() for future in order)
