"""Least squares of targets on a few means, one number each. N targets, K means, D embedding size, F = N D."""

from __future__ import annotations

import torch
from torch import Tensor

APART = 1e-8
"""The smallest eigenvalue that is used, of the largest. Along the others means differ by less than a ten-thousandth of
their length, which vectors in float16 do not resolve, or by their rounding alone, where they lie in a plane as those of
very short or repeated documents do: it would give weights in the thousands, others on each processor."""


class ScalarWeights:
    """Sums over targets, and the weights w (K,) for which sum_k w_k m_k is nearest to them."""

    def __init__(self, device: torch.device) -> None:
        zero = torch.zeros((), dtype=torch.float64, device=device)
        self.gram_KK, self.moment_K, self.count = zero, zero, 0

    def add(self, means_NKD: Tensor, target_ND: Tensor) -> None:
        means_KF = means_NKD.transpose(0, 1).flatten(1).double()
        self.gram_KK = self.gram_KK + means_KF @ means_KF.T
        self.moment_K = self.moment_K + means_KF @ target_ND.flatten().double()
        self.count += len(target_ND)

    def __add__(self, other: ScalarWeights) -> ScalarWeights:
        both = ScalarWeights(self.gram_KK.device)
        both.gram_KK, both.moment_K = self.gram_KK + other.gram_KK, self.moment_K + other.moment_K
        both.count = self.count + other.count
        return both

    def solve(self) -> Tensor:
        """(K,) float64, the shortest of equally good ones, on the CPU: no GPU has the driver for it."""
        gram_KK, moment_K = self.gram_KK.cpu(), self.moment_K.cpu()
        solved: Tensor = torch.linalg.lstsq(gram_KK, moment_K, rcond=APART, driver="gelsd").solution
        return solved
