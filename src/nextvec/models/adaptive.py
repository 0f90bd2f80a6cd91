"""A small network for vectors on their way from noise: it is told where they are on it and what it shall make of them.

K draws, B documents, S positions, D embedding size, W width.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

OCTAVES = 8


class AdaptiveMLP(nn.Module):
    """Residual blocks whose layer norms are scaled, shifted and gated by time and condition, the gates zero at first
    (AdaLN-zero: Peebles and Xie 2023, "Scalable Diffusion Models with Transformers", arXiv 2212.09748)."""

    def __init__(self, dim: int, width: int, blocks: int) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(2 * OCTAVES, width), nn.SiLU(), nn.Linear(width, width))
        self.about = nn.Linear(dim, width)
        self.enter = nn.Linear(dim, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, dim)

    def forward(self, y_KBSD: Tensor, time: Tensor, about_BSD: Tensor) -> Tensor:
        """(K, B, S, D) of vectors with components of order 1; `time`, 0..1, is one for all (), or (B, S)."""
        told_BSW = nn.functional.silu(self.about(about_BSD) + self.time(_waves(time)))
        h_KBSW = self.enter(y_KBSD)
        for block in self.blocks:
            h_KBSW = block(h_KBSW, told_BSW)
        out_KBSD: Tensor = self.leave(self.norm(h_KBSW))
        return out_KBSD


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.adapt = nn.Linear(width, 3 * width)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        nn.init.zeros_(self.adapt.weight)
        nn.init.zeros_(self.adapt.bias)

    def forward(self, h_KBSW: Tensor, told_BSW: Tensor) -> Tensor:
        scale, shift, gate = self.adapt(told_BSW).chunk(3, dim=-1)
        moved_KBSW: Tensor = h_KBSW + gate * self.mlp(self.norm(h_KBSW) * (1 + scale) + shift)
        return moved_KBSW


def _waves(time: Tensor) -> Tensor:
    """(..., 2 OCTAVES) sines and cosines of half a turn in all, one turn, two turns, ..."""
    angle = time[..., None] * math.pi * 2.0 ** torch.arange(OCTAVES, device=time.device)
    return torch.cat([angle.sin(), angle.cos()], dim=-1)
