"""What processes that share a batch out must have in common, as far as a network's own forward pass needs it."""

from __future__ import annotations

from torch import Tensor, distributed


def sum_over_processes(part: Tensor) -> Tensor:
    """The sum of what every process holds, the same in all."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return part
    total = part.clone()
    distributed.all_reduce(total)
    return total


def norm_over_processes(part: Tensor) -> Tensor:
    """Norm of a tensor of which every process holds a part, the same in all."""
    own = part.norm()
    if not (distributed.is_available() and distributed.is_initialized()):
        return own  # not sqrt(own ** 2), which rounds otherwise
    return sum_over_processes(own.square()).sqrt()
