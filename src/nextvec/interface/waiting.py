"""Asynchronous work, which a server does beside other work, waited for in a plain call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def alone(coming: Awaitable[T]) -> AsyncIterator[T]:
    """One result as an iterator of its own."""
    yield await coming


def now(events: AsyncIterator[T]) -> Iterator[T]:
    """An asynchronous iterator, waited for here; in a thread of its own where a loop runs already, as in a notebook."""

    async def following() -> tuple[T, ...]:
        return (await anext(events),)

    runner = asyncio.Runner()
    with _elsewhere() as run:
        try:
            with suppress(StopAsyncIteration):
                while True:
                    yield from run(runner.run, following())
        finally:
            run(runner.close)


@contextmanager
def _elsewhere() -> Iterator[Callable[..., Any]]:
    """Calls a function: here, or where a loop runs in this thread always in the same other one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        yield lambda function, *given: function(*given)
        return
    with ThreadPoolExecutor(1, "nextvec") as one:
        yield lambda function, *given: one.submit(function, *given).result()
