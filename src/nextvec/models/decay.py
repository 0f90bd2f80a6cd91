"""Decayed means: the exponentially weighted direction of everything so far, for several decays at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nextvec.models.predictor import unit

MIX_DECAYS = (0.0, 0.3, 0.6, 0.8, 0.9, 0.97, 1.0)
BLOCK = 64


def decayed_means(x_BTD: Tensor, decays: Sequence[float] = MIX_DECAYS) -> Tensor:
    """Unit vectors along sum_{s <= t} decay^(t-s) x_s, as (B, T, K, D).

    Decay 0 is the last vector, decay 1 the mean so far.
    """
    return continued_means(x_BTD, None, decays)[0]


def continued_means(
    x_BTD: Tensor, sums_BKD: Tensor | None, decays: Sequence[float] = MIX_DECAYS
) -> tuple[Tensor, Tensor]:
    """The decayed means of documents that go on with x, (B, T, K, D), and the sums to go on from, (B, K, D).

    `sums_BKD` are those over what came before; None where the documents begin. Computed in blocks of 64 positions:
    inside a block one product with a triangular matrix of powers, between blocks the sum carried over.
    """
    B, T, D = x_BTD.shape
    K = len(decays)
    inner_KQS, carry_KQ = _powers(tuple(decays), min(BLOCK, T), x_BTD)
    sums = []
    for start in range(0, T, BLOCK):
        block_BSD = x_BTD[:, start : start + BLOCK]
        S = block_BSD.shape[1]
        sum_BQKD = torch.matmul(inner_KQS[:, :S, :S].transpose(0, 1).reshape(S * K, S), block_BSD).view(B, S, K, D)
        if sums_BKD is not None:
            sum_BQKD = sum_BQKD + carry_KQ[:, :S].T[None, :, :, None] * sums_BKD[:, None]
        sums_BKD = sum_BQKD[:, -1]
        sums.append(sum_BQKD)
    assert sums_BKD is not None, "there is a position or more"
    return unit(sums[0] if len(sums) == 1 else torch.cat(sums, dim=1)), sums_BKD.contiguous()


def _powers(decays: tuple[float, ...], length: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """decay^(q-s) for s <= q, else 0, as (K, Q, S); and decay^(q+1), what a carried sum is worth at q, as (K, Q)."""
    decay_K = torch.tensor(decays, dtype=torch.float64, device=like.device)
    step_Q = torch.arange(length, dtype=torch.float64, device=like.device)
    lag_QS = step_Q[:, None] - step_Q[None, :]
    power_KQS = torch.where(lag_QS >= 0, decay_K[:, None, None] ** lag_QS.clamp(min=0), 0.0)
    carry_KQ = decay_K[:, None] ** (step_Q + 1)
    return power_KQS.to(like), carry_KQ.to(like)
