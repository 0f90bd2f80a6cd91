"""Jobs side by side: in order, on threads of their own, and ended when nobody waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError

import pytest
import torch

from nextvec import threads
from nextvec.threads import Job, Pulse, side_by_side, torch_threads

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    with torch_threads(2):
        yield


def product(seed: int) -> Job[torch.Tensor]:
    def job(pulse: Pulse) -> torch.Tensor:
        random = torch.Generator().manual_seed(seed)
        left, right = torch.randn(2, 300, 300, generator=random)
        return (left @ right).sum(0)

    return job


def test_results_are_those_of_one_after_the_other_on_one_thread_bit_for_bit() -> None:
    together = list(side_by_side(map(product, range(8)), CPU))
    with torch_threads(1):
        alone = list(side_by_side(map(product, range(8)), CPU))
    assert all(torch.equal(*pair) for pair in zip(together, alone, strict=True))
    assert torch.get_num_threads() == 2


def test_two_run_at_a_time_and_the_first_to_finish_makes_room() -> None:
    """The first job waits for the third, which has to begin beside it; results come in order all the same."""
    third = threading.Event()
    waits: list[Job[int]] = [lambda pulse: third.wait(30) * 1, lambda pulse: 2, lambda pulse: third.set() or 3]
    assert list(side_by_side(waits, CPU)) == [1, 2, 3]


def test_a_job_is_taken_when_it_is_begun() -> None:
    ended: list[int] = []
    running: list[int] = []

    def jobs() -> Iterator[Job[None]]:
        for number in range(5):
            running.append(number - len(ended))
            yield lambda pulse: ended.append(0)

    assert len(list(side_by_side(jobs(), CPU))) == 5
    assert len(running) == 5
    assert max(running) <= 1


def test_each_job_computes_on_its_share_of_the_threads() -> None:
    def job(pulse: Pulse) -> int:
        return torch.get_num_threads()

    assert list(side_by_side([job, job, job], CPU)) == [1, 1, 1]


def test_a_failure_ends_the_others_by_their_pulse() -> None:
    ended: list[bool] = []
    begun = threading.Event()

    def fails(pulse: Pulse) -> None:
        begun.wait(30)
        raise ValueError("as the first does")

    def goes_on(pulse: Pulse) -> None:
        begun.set()
        try:
            while True:
                pulse()
        except CancelledError:
            ended.append(True)
            raise

    with pytest.raises(ValueError, match="as the first does"):
        list(side_by_side([fails, goes_on], CPU))
    assert ended == [True]
    assert torch.get_num_threads() == 2


def test_a_gpu_does_one_after_the_other_in_the_thread_that_asks() -> None:
    here: Callable[[Pulse], int] = lambda pulse: threading.get_ident()  # noqa: E731
    assert set(side_by_side([here, here], torch.device("cuda"))) == {threading.get_ident()}


def test_no_more_run_at_a_time_than_memory_is_expected_for() -> None:
    with torch_threads(2 * threads.MOST_AT_ONCE + 1):
        assert list(side_by_side([lambda pulse: torch.get_num_threads()], CPU)) == [2]
