"""Micro-batching: who waits for whom, who gets which error."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nextvec.errors import DataError
from nextvec.serving.batching import MicroBatcher, OverloadedError, StageTimeoutError, Traffic


class Work:
    """Doubles numbers; each batch waits for a permit; -1 is bad data, -2 a bug."""

    def __init__(self, permits=1_000):
        self.batches, self.failed, self.waiting = [], [], [0]
        self.permits = threading.Semaphore(permits)

    def __call__(self, items):
        assert self.permits.acquire(timeout=30)
        self.batches.append(items)
        if -1 in items:
            raise DataError("bad")
        if -2 in items:
            raise ZeroDivisionError
        return [2 * item for item in items]

    def batch(self, stage, scope, items, seconds, failed):
        self.failed.append(failed)

    def queued(self, stage, scope, items):
        self.waiting.append(self.waiting[-1] + items)


@pytest.fixture
def make():
    """A batcher over `work`; with `crowd` it sees many requests."""
    with ThreadPoolExecutor(2) as pool:

        def make(work, *, crowd=True, **settings):
            settings = {"max_batch": 4, "max_waiting": 8} | settings
            traffic = Traffic()
            for _ in range(9 if crowd else 1):
                traffic.enter()
            return MicroBatcher(
                work, stage="double", scope="test", executor=pool, observer=work,
                traffic=traffic, **settings,
            )  # fmt: skip

        yield make


def test_what_arrives_while_a_batch_runs_is_the_next_batch(make) -> None:
    work = Work(permits=0)

    async def run():
        batcher = make(work)
        first = asyncio.create_task(batcher.submit([1], 30))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(batcher.submit([n], 30)) for n in (2, 3, 4)]
        await asyncio.sleep(0.05)
        work.permits.release(2)
        return await asyncio.gather(first, *rest)

    assert asyncio.run(run()) == [[2], [4], [6], [8]]
    assert work.batches == [[1], [2, 3, 4]]
    assert work.waiting == [0, 1, 0, 1, 2, 3, 2, 1, 0]


def test_a_batch_holds_no_more_than_it_may_unless_one_request_does(make) -> None:
    work = Work()

    async def run():
        batcher = make(work, max_waiting=100)
        return await asyncio.gather(*(batcher.submit([n] * n, 30) for n in (3, 2, 1, 6, 1)))

    assert asyncio.run(run()) == [[6] * 3, [4] * 2, [2], [12] * 6, [2]]
    assert [len(batch) for batch in work.batches] == [3, 3, 6, 1]


def test_only_the_request_at_fault_gets_the_error(make) -> None:
    work = Work(permits=0)

    async def run():
        batcher = make(work)
        tasks = [asyncio.create_task(batcher.submit([n], 30)) for n in (1, 2, -1, 3)]
        await asyncio.sleep(0.05)
        work.permits.release(100)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return answers, batcher.failed_at

    answers, failed_at = asyncio.run(run())
    assert answers[:2] + answers[3:] == [[2], [4], [6]]
    assert isinstance(answers[2], DataError)
    assert failed_at is None
    assert not any(work.failed)


def test_a_bug_is_told_from_bad_data_and_forgotten_after_a_success(make) -> None:
    work = Work()

    async def run():
        batcher = make(work)
        with pytest.raises(ZeroDivisionError):
            await batcher.submit([-2], 30)
        assert batcher.failed_at is not None
        await batcher.submit([1], 30)
        return batcher.failed_at

    assert asyncio.run(run()) is None
    assert work.failed == [True, False]


def test_a_wrong_number_of_results_is_a_bug(make) -> None:
    class Short(Work):
        def __call__(self, items):
            return super().__call__(items)[1:]

    with pytest.raises(RuntimeError, match="gave 1 results for 2 items"):
        asyncio.run(make(Short()).submit([1, 2], 30))


def test_the_queue_is_bounded_and_says_when_to_come_again(make) -> None:
    work = Work(permits=0)

    async def run():
        batcher = make(work)
        tasks = [asyncio.create_task(batcher.submit([0], 30))]
        await asyncio.sleep(0.05)
        tasks += [asyncio.create_task(batcher.submit([n], 30)) for n in range(7)]
        await asyncio.sleep(0.05)
        with pytest.raises(OverloadedError, match="try again in") as refused:
            await batcher.submit([0] * 2, 30)
        work.permits.release(100)
        await asyncio.gather(*tasks)
        return refused.value.retry_after

    assert asyncio.run(run()) >= 1


def test_a_request_that_waited_too_long_is_told_so_and_never_run(make) -> None:
    work = Work(permits=0)

    async def run():
        batcher = make(work)
        first = asyncio.create_task(batcher.submit([1], 30))
        await asyncio.sleep(0.05)
        with pytest.raises(StageTimeoutError, match=r"double of test did not answer within 0.01 s"):
            await batcher.submit([2], 0.01)
        assert batcher.running_since <= time.monotonic()
        work.permits.release(100)
        return await first, await batcher.submit([3], 30)

    assert asyncio.run(run()) == ([2], [6])
    assert work.batches == [[1], [3]]


def test_a_lone_quick_request_is_served_in_the_event_loop(make) -> None:
    class Where(Work):
        def __call__(self, items):
            return [threading.get_ident() for _ in items]

    async def run(batcher):
        return [await batcher.submit([1], 30) for _ in range(2)]

    here = threading.get_ident()
    first, second = asyncio.run(run(make(Where(), crowd=False)))
    assert first != [here], "how long it takes is not known yet"
    assert second == [here]
    assert [here] not in asyncio.run(run(make(Where())))


def test_nothing_is_answered_with_nothing(make) -> None:
    assert asyncio.run(make(Work()).submit([], 30)) == []


def test_a_server_is_busy_for_a_while_after_requests_have_met(monkeypatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    traffic = Traffic()
    traffic.enter()
    assert traffic.alone
    traffic.enter()
    traffic.leave()
    assert not traffic.alone
    now = 102.0
    assert traffic.alone


def test_requests_that_arrive_together_are_a_batch_even_when_each_would_be_quick(make) -> None:
    work = Work()

    async def run():
        batcher = make(work, crowd=False)
        await batcher.submit([1], 30)
        batcher._traffic.leave()

        async def ask(n):
            batcher._traffic.enter()
            return await batcher.submit([n], 30)

        return await asyncio.gather(*(ask(n) for n in (2, 3, 4)))

    assert asyncio.run(run()) == [[4], [6], [8]]
    assert [sorted(batch) for batch in work.batches] == [[1], [2, 3, 4]]
