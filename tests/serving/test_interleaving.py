"""Streams side by side."""

import asyncio

import pytest

from nextvec.serving.routes.interleaving import interleaved


async def counted(name, pauses, ended):
    try:
        for number, pause in enumerate(pauses):
            await asyncio.sleep(pause)
            yield name, number
    finally:
        ended.append(name)


async def failing():
    await asyncio.sleep(0)
    raise ZeroDivisionError("the second stream")
    yield


def collect(streams):
    async def run():
        return [item async for item in interleaved(streams)]

    return asyncio.run(run())


def test_every_item_comes_and_those_of_a_stream_in_its_order():
    items = collect([counted("a", [0, 0, 0], []), counted("b", [0], []), counted("c", [], [])])
    assert sorted(items) == [("a", 0), ("a", 1), ("a", 2), ("b", 0)]
    assert [item for item in items if item[0] == "a"] == [("a", 0), ("a", 1), ("a", 2)]


def test_a_slow_stream_does_not_hold_up_a_quick_one():
    async def run():
        gate = asyncio.Event()

        async def slow():
            await gate.wait()
            yield "slow"

        items = []
        async for item in interleaved([slow(), counted("quick", [0, 0], [])]):
            items.append(item)
            if len(items) == 2:
                gate.set()
        return items

    assert asyncio.run(run()) == [("quick", 0), ("quick", 1), "slow"]


def test_what_one_raises_ends_the_others():
    ended = []
    with pytest.raises(ZeroDivisionError, match="the second stream"):
        collect([counted("a", [60], ended), failing()])
    assert ended == ["a"]


def test_whoever_stops_listening_ends_all():
    async def run():
        ended = []
        items = interleaved([counted("a", [0, 60], ended), counted("b", [60], ended)])
        await anext(items)
        await items.aclose()
        return ended

    assert sorted(asyncio.run(run())) == ["a", "b"]
