"""Attention Mixture Network: the context's mean asks, the context's vectors answer, a small MLP corrects the mean.

It has no positions: the order of the context changes nothing but which vectors are in it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.models.attention import causal_attention, length
from nextvec.models.backbone import BACKBONES, Backbone
from nextvec.models.memory import Kept, parts_of


class AMNConfig(Config):
    attention: int = Field(256, ge=1, description="size of keys and queries")
    hidden: int = Field(512, ge=2, description="first hidden size of the MLP; the second is half of it")
    dropout: float = Field(0.0, ge=0, lt=1, description="inside the MLP")


@BACKBONES.register("amn")
class AMN(Backbone):
    Config = AMNConfig
    compiles = True
    residual = True

    def __init__(self, config: AMNConfig, dim: int) -> None:
        super().__init__(config, dim)
        self.key = nn.Linear(dim, config.attention)
        self.query = nn.Linear(dim, config.attention)

    def readout(self) -> nn.Module:
        wide, narrow = self.config.hidden, self.config.hidden // 2
        return nn.Sequential(
            nn.Linear(2 * self.dim, wide), nn.GELU(), nn.LayerNorm(wide), nn.Dropout(self.config.dropout),
            nn.Linear(wide, narrow), nn.GELU(), nn.LayerNorm(narrow),
            nn.Linear(narrow, self.dim),
        )  # fmt: skip

    def last(self, x_BTD: Tensor) -> Tensor:
        mean_B1D = x_BTD.mean(1, keepdim=True)
        weighted_B1D = F.scaled_dot_product_attention(self.query(mean_B1D), self.key(x_BTD), x_BTD)
        return torch.cat([mean_B1D, weighted_B1D], dim=-1)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """States [mean so far, attention-weighted mean so far], (B, T, 2D)."""
        return self.read(x_BTD, None)[0]

    def read(self, x_BTD: Tensor, kept: Kept) -> tuple[Tensor, Kept]:
        """Keeps the sum of all vectors (B, D), and them with their keys: D + attention numbers a position, for ever."""
        total_BD, cache = parts_of(kept, 2)
        past, sum_BTD = 0, x_BTD.cumsum(1)
        if kept is not None:
            past, sum_BTD = length(cache), sum_BTD + total_BD[:, None]
        count_T1 = torch.arange(past + 1, past + x_BTD.shape[1] + 1, device=x_BTD.device, dtype=x_BTD.dtype)[:, None]
        mean_BTD = sum_BTD / count_T1
        query_B1TA, key_B1TA = self.query(mean_BTD)[:, None], self.key(x_BTD)[:, None]
        weighted_B1TD, cache = causal_attention(query_B1TA, key_B1TA, x_BTD[:, None], cache)
        return torch.cat([mean_BTD, weighted_B1TD[:, 0]], dim=-1), (sum_BTD[:, -1], cache)
