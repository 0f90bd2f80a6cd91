"""Least squares of targets on a few means, one number each. N targets, K means, D embedding size."""

from __future__ import annotations

import torch
from torch import Tensor

KNOWN = torch.finfo(torch.float32).eps
"""Of the largest eigenvalue of products in float32: smaller ones are their rounding, which would give weights in the
thousands, others on every processor, where means lie in a plane, as those of short or repeated documents do. Of 1,095
targets of recipes, nine in a document, the smallest of seven is three times as large; of 40,000, hundreds of times."""


class ScalarWeights:
    """Sums over targets, and the weights w (K,) for which sum_k w_k m_k is nearest to them."""

    def __init__(self, device: torch.device) -> None:
        zero = torch.zeros((), dtype=torch.float64, device=device)
        self.gram_KK, self.moment_K, self.count = zero, zero, 0

    def add(self, means_NKD: Tensor, target_ND: Tensor) -> None:
        self.gram_KK = self.gram_KK + torch.matmul(means_NKD, means_NKD.transpose(1, 2)).sum(0, dtype=torch.float64)
        self.moment_K = self.moment_K + torch.einsum("nkd,nd->k", means_NKD, target_ND).double()
        self.count += len(target_ND)

    def __add__(self, other: ScalarWeights) -> ScalarWeights:
        both = ScalarWeights(self.gram_KK.device)
        both.gram_KK, both.moment_K = self.gram_KK + other.gram_KK, self.moment_K + other.moment_K
        both.count = self.count + other.count
        return both

    def solve(self) -> Tensor:
        """(K,) float64, the shortest of those that are equally good as far as float32 products tell, on the CPU: no GPU
        has the driver for it."""
        gram_KK, moment_K = self.gram_KK.cpu(), self.moment_K.cpu()
        solved: Tensor = torch.linalg.lstsq(gram_KK, moment_K, rcond=KNOWN, driver="gelsd").solution
        return solved
