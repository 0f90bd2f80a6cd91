"""Where the work is done: on the GPU, where the machine has one, unless somebody says otherwise."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, get_args

import psutil
import torch

from nextvec.errors import UsageError

DeviceName = Literal["auto", "cpu", "cuda"]

_chosen: ContextVar[torch.device | None] = ContextVar("device", default=None)


def fastest() -> torch.device:
    """CUDA's current GPU, otherwise the CPU. Not Apple's, which has no float64: fits and scores need it.

    Inside `working_on` the device that is named there.
    """
    return chosen() or torch.device("cuda" if torch.cuda.is_available() else "cpu")


def chosen() -> torch.device | None:
    """The device of `working_on`; None outside of it, where everything may be where it is best by itself."""
    return _chosen.get()


@contextmanager
def working_on(device: torch.device | None) -> Iterator[None]:
    """What is loaded inside, in this thread, is loaded there."""
    token = _chosen.set(device)
    try:
        yield
    finally:
        _chosen.reset(token)


def device_of(name: DeviceName) -> torch.device:
    """The device that a person names, `auto` the fastest. Raises UsageError where this machine has none such."""
    require_device_name(name)
    if name == "auto":
        return fastest()
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("device cuda: torch finds no CUDA GPU on this machine; expected cpu, or auto for what it has")
    return torch.device(name)


def require_device_name(name: object) -> None:
    """Raises UsageError for what names no device; whether this machine has it is not looked at."""
    if name not in get_args(DeviceName):
        raise UsageError.unknown("device", str(name), get_args(DeviceName))


def hardware() -> str:
    """What this process computes with, for records."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{platform.machine()}, {torch.get_num_threads()} threads, {gpu}"


def free_memory(device: torch.device) -> int:
    """Bytes that can still be had there."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
