"""The random state of a run: of every process its own, for they draw different dropout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import Tensor


def seed_processes(seed: int) -> None:
    """Every process draws from `seed` in its own way; the main process as a single one would."""
    set_seed(seed, device_specific=True)


def random_states(accelerator: Accelerator) -> dict[str, Tensor]:
    """Of all processes, in order: uint8 (processes, bytes), for each generator that dropout draws from."""
    return {
        name: accelerator.gather(module.get_rng_state()[None].to(accelerator.device)).cpu()
        for name, module in _generators(accelerator).items()
    }


def restore_random_states(accelerator: Accelerator, saved: Mapping[str, Tensor] | Tensor, seed: int) -> None:
    """Set this process's generators to what `random_states` gave.

    On another device or in another number of processes there is nothing to go on from; then they begin at `seed`.
    """
    seed_processes(seed)
    if isinstance(saved, Tensor):  # version 0.1 kept the state of the main process alone
        saved = {"cpu": saved[None]}
    for name, module in _generators(accelerator).items():
        states = saved.get(name)
        if states is not None and len(states) == accelerator.num_processes:
            # A copy: torch reads a generator's state past the end of a view.
            module.set_rng_state(states[accelerator.process_index].clone())


def _generators(accelerator: Accelerator) -> dict[str, Any]:
    """The modules that hold a generator: torch's own is the CPU's."""
    device = accelerator.device
    return {"cpu": torch} | ({} if device.type == "cpu" else {device.type: torch.get_device_module(device)})
