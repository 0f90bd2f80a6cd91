"""Streams side by side: what each of them gives, as soon as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


async def interleaved(streams: Sequence[AsyncIterator[Item]]) -> AsyncIterator[Item]:
    """All items; those of one stream in its order. What a stream raises is raised, and the others are given up."""
    waiting = {_next(stream): stream for stream in streams}
    try:
        while waiting:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in waiting if task in done]:
                stream = waiting.pop(task)
                for item in task.result():
                    waiting[_next(stream)] = stream
                    yield item
    finally:
        await _give_up(waiting)


def _next(stream: AsyncIterator[Item]) -> asyncio.Task[tuple[Item, ...]]:
    return asyncio.create_task(_one_or_none(stream))


async def _one_or_none(stream: AsyncIterator[Item]) -> tuple[Item, ...]:
    """Its next item, nothing at its end."""
    async for item in stream:
        return (item,)
    return ()


async def _give_up(tasks: Iterable[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
