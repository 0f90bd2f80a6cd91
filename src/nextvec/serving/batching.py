"""Dynamic micro-batching: one batch runs, whatever arrives meanwhile makes up the next one.

A lone request never waits for company: without a batch in flight it runs at once, and when nobody else is served at
all, quick work runs where it stands, without another thread. Under load batches grow by themselves, because more
arrives while each of them runs.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, TypeVar

from nextvec.errors import NextvecError

Item = TypeVar("Item")
Result = TypeVar("Result")

SMOOTHING = 0.2
"""Share of the newest batch in the running mean of the time an item takes."""

QUICK_SECONDS = 0.02
"""Work expected to take less may stop the event loop when there is a single request to serve."""

CROWD_SECONDS = 0.25
"""How long after requests have met a server counts as busy."""


class OverloadedError(NextvecError):
    """The queue is full. `retry_after`: whole seconds, 1 or more, after which to try again."""

    def __init__(self, what: str, retry_after: int) -> None:
        super().__init__(f"{what} has as many requests waiting as it takes; try again in {retry_after} s")
        self.retry_after = retry_after


class StageTimeoutError(NextvecError):
    """A stage did not answer in its time."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"{what} did not answer within {seconds:g} s; send less at once, or try again later")


class Observer(Protocol):
    """Told of every batch; called in the event loop."""

    def batch(self, stage: str, scope: str, items: int, seconds: float, failed: bool) -> None:
        """`items` went through in `seconds`; `failed`: for a reason that no request is to blame for."""
        ...

    def queued(self, stage: str, scope: str, items: int) -> None:
        """So many items more wait, or fewer where it is negative."""
        ...


class Traffic:
    """How many requests are worked on now, by all listeners of this process."""

    def __init__(self) -> None:
        self.requests = 0
        self._crowded_at = -math.inf

    def enter(self) -> None:
        self.requests += 1
        if self.requests > 1:
            self._crowded_at = time.monotonic()

    def leave(self) -> None:
        self.requests -= 1

    @property
    def alone(self) -> bool:
        """A single request, and no other one beside it for CROWD_SECONDS."""
        return self.requests <= 1 and time.monotonic() - self._crowded_at > CROWD_SECONDS


@dataclass(slots=True)
class _Entry(Generic[Item, Result]):
    items: Sequence[Item]
    done: asyncio.Future[list[Result]]


class MicroBatcher(Generic[Item, Result]):
    """Calls `run` with the items of many requests at once, one batch at a time.

    Args:
        run: items to as many results, in order; called in `executor`. When a batch fails, its requests are run one by
            one, so that only the one at fault gets the error.
        stage, scope: what it does and for whom ("predict", a model): for messages and metrics.
        executor: threads it shares with other batchers.
        max_batch: items of a batch; a single request with more of them is a batch of its own.
        max_waiting: items that may wait; what would be more is refused.
        observer: told of every batch.
        traffic: whether a request is alone.
        lone: entered around what runs in the event loop, for a request that is alone.
    """

    def __init__(
        self,
        run: Callable[[list[Item]], list[Result]],
        *,
        stage: str,
        scope: str,
        executor: Executor,
        max_batch: int,
        max_waiting: int,
        observer: Observer,
        traffic: Traffic,
        lone: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._lone = lone
        self._run, self.stage, self.scope = run, stage, scope
        self._executor, self._observer, self._traffic = executor, observer, traffic
        self._max_batch, self._max_waiting = max_batch, max_waiting
        self._queue: deque[_Entry[Item, Result]] = deque()
        self._drain: asyncio.Task[None] | None = None
        self._item_seconds: float | None = None
        self.waiting = 0
        self.running_since: float | None = None
        self.failed_at: float | None = None

    async def submit(self, items: Sequence[Item], seconds: float) -> list[Result]:
        """One result an item, in order.

        Raises OverloadedError when too much waits, StageTimeoutError after `seconds`, or what `run` raises.
        """
        if not items:
            return []
        if self._quick(len(items)):
            await asyncio.sleep(0)  # whoever has arrived already begins, and is counted
            if self._quick(len(items)):
                return self._here(list(items))
        if self.waiting and self.waiting + len(items) > self._max_waiting:
            raise OverloadedError(self._name, self._retry_after())
        entry: _Entry[Item, Result] = _Entry(items, asyncio.get_running_loop().create_future())
        self._queue.append(entry)
        self._count(len(items))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._work(), name=self._name)
        try:
            async with asyncio.timeout(seconds):
                return await entry.done
        except TimeoutError:
            raise StageTimeoutError(self._name, seconds) from None

    @property
    def _name(self) -> str:
        return f"{self.stage} of {self.scope}"

    def _retry_after(self) -> int:
        return max(1, math.ceil((self._item_seconds or 0.0) * self.waiting))

    def _quick(self, items: int) -> bool:
        """Whether a request is alone, and done before a thread would be worth its while."""
        idle = self._drain is None or self._drain.done()
        known = self._item_seconds is not None and items * self._item_seconds < QUICK_SECONDS
        return idle and known and self._traffic.alone

    def _here(self, items: list[Item]) -> list[Result]:
        """In the event loop."""
        started, failed = time.monotonic(), True
        try:
            with self._lone():
                results = self._checked(items)
            failed = False
            return results
        except NextvecError:
            failed = False
            raise
        finally:
            self._account(len(items), time.monotonic() - started, failed)

    async def _work(self) -> None:
        while self._queue:
            batch = self._next_batch()
            if batch:
                await self._answer(batch)

    def _next_batch(self) -> list[_Entry[Item, Result]]:
        """The longest run of waiting requests that fits; those that nobody waits for any more are dropped."""
        batch: list[_Entry[Item, Result]] = []
        room = self._max_batch
        while self._queue and (not batch or len(self._queue[0].items) <= room):
            entry = self._queue.popleft()
            self._count(-len(entry.items))
            if not entry.done.done():
                batch.append(entry)
                room -= len(entry.items)
        return batch

    async def _answer(self, batch: list[_Entry[Item, Result]]) -> None:
        outcome = await self._outcome([item for entry in batch for item in entry.items])
        if not isinstance(outcome, BaseException):
            results = iter(outcome)
            for entry in batch:
                _resolve(entry.done, list(islice(results, len(entry.items))))
        elif len(batch) == 1:
            _fail(batch[0].done, outcome)
        else:
            for entry in batch:
                await self._answer([entry])

    async def _outcome(self, items: list[Item]) -> list[Result] | BaseException:
        """What `run` gave or raised."""
        self.running_since = started = time.monotonic()
        try:
            running = asyncio.get_running_loop().run_in_executor(self._executor, self._checked, items)
            await asyncio.wait([running])
        finally:
            self.running_since = None
        error = running.exception()
        failed = error is not None and not isinstance(error, NextvecError)
        self._account(len(items), time.monotonic() - started, failed)
        return error or running.result()

    def _count(self, items: int) -> None:
        self.waiting += items
        self._observer.queued(self.stage, self.scope, items)

    def _account(self, items: int, seconds: float, failed: bool) -> None:
        each = seconds / items
        before = each if self._item_seconds is None else self._item_seconds
        self._item_seconds = before + SMOOTHING * (each - before)
        self.failed_at = time.monotonic() if failed else None
        self._observer.batch(self.stage, self.scope, items, seconds, failed)

    def _checked(self, items: list[Item]) -> list[Result]:
        results = self._run(items)
        if len(results) != len(items):
            raise RuntimeError(f"{self._name} gave {len(results)} results for {len(items)} items")
        return results


def _resolve(future: asyncio.Future[list[Result]], results: list[Result]) -> None:
    if not future.done():
        future.set_result(results)


def _fail(future: asyncio.Future[list[Result]], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
