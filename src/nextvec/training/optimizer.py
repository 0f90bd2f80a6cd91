"""The optimiser of every loop: AdamW, whose weight decay is on matrices alone."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import Module


def adamw(
    network: Module, *, lr: float, weight_decay: float, betas: tuple[float, float] = (0.9, 0.999)
) -> torch.optim.AdamW:
    return torch.optim.AdamW(parameter_groups(network, weight_decay), lr=lr, betas=betas, fused=True)


def parameter_groups(network: Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay on matrices; none on biases, norms and whatever a parameter marks with `no_weight_decay`."""
    parameters = list(network.parameters())
    decayed = [p for p in parameters if p.ndim >= 2 and not getattr(p, "no_weight_decay", False)]
    chosen = {id(p) for p in decayed}
    rest = [p for p in parameters if id(p) not in chosen]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]
