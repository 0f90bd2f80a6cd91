"""Several processes that train one network: which they are, and what must be the same in all of them."""

from __future__ import annotations

import atexit
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, broadcast_object_list
from torch import distributed, nn
from torch.optim import Optimizer

from nextvec.errors import NextvecError, UsageError
from nextvec.launch import launched
from nextvec.models.processes import sum_over_processes

if TYPE_CHECKING:
    from nextvec.training.recipe import TrainingConfig

T = TypeVar("T")
_BUFFERS_STAY = DistributedDataParallelKwargs(broadcast_buffers=False)
"""What no step changes, matrices of anchors above all, is not sent at every step: see `take_buffers_from_main`."""


def make_accelerator(config: TrainingConfig) -> Accelerator:
    """Device and processes, as `torchrun`, `accelerate launch` or the machine at hand decide.

    Raises UsageError for device cpu in a process that has already used another one, and when several processes were
    launched that cannot work together: each would train alone, in the same folder.
    """
    cpu = config.device == "cpu" or not torch.accelerator.is_available()
    try:
        accelerator = Accelerator(cpu=cpu, mixed_precision="no", kwargs_handlers=[_BUFFERS_STAY])
    except ValueError as error:
        raise UsageError(f"device {config.device} cannot be used: {error}. Start a new process for it.") from None
    if launched() != accelerator.num_processes:
        raise UsageError(
            f"{launched()} processes were launched, and on {accelerator.device} they cannot train together; "
            "launch one, or set device=cpu"
        )
    if launched() > 1:
        atexit.register(leave)
    return accelerator


def prepared(accelerator: Accelerator, network: nn.Module, optimizer: Optimizer) -> tuple[nn.Module, Optimizer]:
    """As these processes train them, without a warning: torch has renamed `broadcast_buffers`, accelerate has not."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated", category=FutureWarning)
        network, optimizer = accelerator.prepare(network, optimizer)
    return network, optimizer


def leave() -> None:
    """Leave the other processes before this one ends: their threads must not outlive the interpreter, which aborts."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def require_one_process(work: str) -> None:
    """Raises UsageError where several were launched for what only one can do."""
    if launched() > 1:
        raise UsageError(
            f"{launched()} processes were launched, and {work} works in one: the others would do the same in the same "
            "folder. Start it without the launcher."
        )


def any_process(accelerator: Accelerator | None, flag: bool) -> bool:
    """Whether it is so in any process: all must take the same way, or one waits for ever. None is one process."""
    if accelerator is None or accelerator.num_processes == 1:
        return flag
    return bool(sum_over_processes(torch.tensor(float(flag), device=accelerator.device)))


def from_main(accelerator: Accelerator | None, function: Callable[[], T]) -> T:
    """What `function` gives in the main process, in every process: of all disks, the main process's counts. None is one
    process.

    An error of ours or of the machine's that it raises there is raised in every process.
    """
    if accelerator is None or accelerator.num_processes == 1:
        return function()
    outcome: list[Any] = [_outcome(function) if accelerator.is_main_process else None]
    broadcast_object_list(outcome)
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    result: T = outcome[0]
    return result


def take_buffers_from_main(accelerator: Accelerator, network: nn.Module) -> None:
    """Where each process has calibrated, the main process's outcome counts: rounding may differ elsewhere."""
    if accelerator.num_processes > 1:
        for buffer in network.buffers():
            distributed.broadcast(buffer, src=0)


def _outcome(function: Callable[[], T]) -> T | NextvecError | OSError:
    try:
        return function()
    except (NextvecError, OSError) as error:
        return error
