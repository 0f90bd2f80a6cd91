"""How far a context is like those that a network has learnt from. Where it is not, what was learnt need not hold.

Of seven kinds of text that a model of Wikipedia had never seen, its correction of ridge-mix was worth less than nothing
on four; nearly all contexts of three of them are further from Wikipedia's than 95 % of Wikipedia's own are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

SHRINKAGE = 0.1
"""Added to every variance, in units of their mean."""
WITHIN, BEYOND = 0.75, 0.95
"""Shares of validation contexts: nearer than the first of them nothing is lost, further than the second everything."""


class Familiarity(nn.Module):
    """A share for vectors that stand for contexts: 1 as near to the mean of those of training documents as most
    contexts of validation documents are, 0 further away than nearly all of them, and linear in between.

    The distance is Mahalanobis's, squared, under the covariance of the training documents' vectors, shrunk.
    Source: Lee et al. 2018, "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial
    Attacks", arXiv 1807.03888.
    """

    mean: Tensor
    whitening: Tensor
    bounds: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("whitening", torch.zeros(dim, dim))
        self.register_buffer("bounds", torch.tensor([torch.inf, 1.0]))

    def forward(self, vectors: Tensor) -> Tensor:
        """(..., 1) for vectors (..., D); 1 for all before `fit`."""
        begins, width = self.bounds
        return (1 - (self._distance(vectors) - begins) / width).clamp(0, 1)[..., None]

    def _distance(self, vectors: Tensor) -> Tensor:
        return ((vectors - self.mean) @ self.whitening).square().sum(-1)

    def fit(self, seen: Iterable[Tensor], held_out: Iterable[Tensor]) -> None:
        """From vectors (N, D) of training contexts and of validation contexts, in blocks. Without any of either, all
        contexts are familiar."""
        if (moments := _moments(seen)) is None:
            return
        mean_D, covariance_DD = moments
        level = SHRINKAGE * covariance_DD.diagonal().mean().clamp_min(1e-12)
        shrunk_DD = covariance_DD + level * torch.eye(len(mean_D)).to(covariance_DD)
        self.mean.copy_(mean_D)
        self.whitening.copy_(torch.linalg.cholesky(torch.linalg.inv(shrunk_DD)))
        self._set_bounds([self._distance(block_ND.to(self.mean)) for block_ND in held_out])

    def _set_bounds(self, distances: list[Tensor]) -> None:
        """From the squared distances (N,) of validation contexts, in blocks."""
        if distances and len(all_N := torch.cat(distances).sort().values):
            within, beyond = (all_N[int(share * (len(all_N) - 1))] for share in (WITHIN, BEYOND))
            self.bounds.copy_(torch.stack([within, (beyond - within).clamp_min(1e-6)]))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """What was saved without it leaves it as it is."""
        state_dict |= {key: own for name, own in self._buffers.items() if (key := f"{prefix}{name}") not in state_dict}
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _moments(blocks: Iterable[Tensor]) -> tuple[Tensor, Tensor] | None:
    """Mean (D,) and covariance (D, D), float64, of vectors (N, D) in blocks; None of none."""
    count, total_D, square_DD = 0, torch.zeros(()), torch.zeros(())
    for block_ND in blocks:
        x_ND = block_ND.double()
        count, total_D, square_DD = count + len(x_ND), total_D + x_ND.sum(0), square_DD + x_ND.T @ x_ND
    mean_D = total_D / max(count, 1)
    return (mean_D, square_DD / count - torch.outer(mean_D, mean_D)) if count else None
