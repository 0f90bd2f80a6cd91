"""Where the work is done."""

import pytest
import torch

from nextvec.device import chosen, device_of, fastest, free_memory, working_on
from nextvec.errors import UsageError

NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA GPU")


def test_a_person_names_a_device() -> None:
    assert device_of("cpu") == torch.device("cpu")
    assert device_of("auto") == fastest()
    with pytest.raises(UsageError, match=r"unknown device 'gpu'. Did you mean 'cpu'"):
        device_of("gpu")  # type: ignore[arg-type]


@NO_GPU
def test_a_gpu_that_is_not_there_is_not_replaced() -> None:
    assert fastest() == torch.device("cpu")
    with pytest.raises(UsageError, match="finds no CUDA GPU on this machine; expected cpu, or auto"):
        device_of("cuda")


def test_what_is_told_goes_before_what_is_fastest() -> None:
    assert chosen() is None
    with working_on(torch.device("meta")):
        assert chosen() == fastest() == torch.device("meta")
        with working_on(None):
            assert chosen() is None
    assert chosen() is None


def test_free_memory_is_counted_in_bytes() -> None:
    assert free_memory(torch.device("cpu")) > 1 << 20
