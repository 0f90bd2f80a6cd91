"""What several processes agree on, told by each as one line of JSON: started by torchrun in test_processes.py."""

from __future__ import annotations

import json
import os
import sys

import torch
from accelerate import Accelerator

from nextvec.errors import NotFoundError
from nextvec.models.losses import BalancedLoss
from nextvec.models.predictor import unit
from nextvec.models.processes import sum_over_processes
from nextvec.models.targets import Targets
from nextvec.training.processes import from_main, leave, make_accelerator, take_buffers_from_main
from nextvec.training.randomness import random_states, restore_random_states, seed_processes
from nextvec.training.recipe import TrainingConfig


def main() -> None:
    accelerator = make_accelerator(TrainingConfig(device="cpu"))
    rank = accelerator.process_index
    told = {
        "process": rank,
        "sum": float(sum_over_processes(torch.tensor(float(rank + 1)))),
        "from main": from_main(accelerator, lambda: f"process {rank}"),
        "error": error_from_main(accelerator),
        "scales": scales(rank),
        "dropout": dropout(accelerator),
        "buffers": buffers(accelerator),
    }
    sys.stdout.write(f"{json.dumps(told)}\n")  # one write: lines of two processes do not mix
    leave()


def error_from_main(accelerator: Accelerator) -> str:
    def fail() -> None:
        raise NotFoundError(f"process {accelerator.process_index} has no file")

    try:
        from_main(accelerator, fail)
    except NotFoundError as error:
        return str(error)
    return "none"


def scales(rank: int) -> list[float]:
    """The average of `balanced` after two batches of six targets: the main process has four of the first, then all."""
    loss, of_main, of_other = BalancedLoss(), (slice(4), slice(6)), (slice(4, 6), slice(0))
    return [step(loss, mine) for mine in (of_main if rank == 0 else of_other)]


def buffers(accelerator: Accelerator) -> dict[str, float]:
    """What each has after it calibrated, after a step, and once the main process's is taken."""
    network = torch.nn.Linear(2, 1)
    network.register_buffer("size", torch.zeros(()))
    model = accelerator.prepare(network)
    network.size.fill_(accelerator.process_index)
    model(torch.ones(1, 2)).sum().backward()
    own = float(network.size)
    take_buffers_from_main(accelerator, network)
    return {"own": own, "taken": float(network.size)}


def step(loss: BalancedLoss, mine: slice) -> float:
    generator = torch.Generator().manual_seed(int(os.environ["SEED"]))
    prediction, target = (unit(torch.randn(6, 16, generator=generator)) for _ in range(2))
    row = torch.arange(6) * 100
    share = len(row[mine]) / 6
    own = mine if share else slice(1)
    mask = torch.ones(1, len(row[own]), dtype=torch.bool)
    loss(prediction[own].requires_grad_(), Targets(target[own], row[own], row[own], target, row, row, mask, share))
    return float(loss.scale)


def dropout(accelerator: Accelerator) -> dict[str, list[float]]:
    """What each process draws, and draws again once its state is back."""
    seed_processes(3)
    torch.rand(accelerator.process_index)  # processes draw different amounts
    saved = random_states(accelerator)
    first = torch.rand(4).tolist()
    restore_random_states(accelerator, saved, 3)
    return {"first": first, "again": torch.rand(4).tolist()}


if __name__ == "__main__":
    main()
