"""Attention Mixture Network: the context's mean asks, the context's vectors answer, a small MLP corrects the mean.

It has no positions: the order of the context changes nothing but which vectors are in it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.models.attention import appended, causal_attention
from nextvec.models.backbone import BACKBONES, Backbone
from nextvec.models.memory import Kept, parts_of


class AMNConfig(Config):
    attention: int = Field(256, ge=1, description="size of keys and queries")
    hidden: int = Field(512, ge=2, description="first hidden size of the MLP; the second is half of it")
    dropout: float = Field(0.0, ge=0, lt=1, description="inside the MLP")


@BACKBONES.register("amn")
class AMN(Backbone):
    Config = AMNConfig
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
        """Keeps the sum of all vectors (B, D), their keys (B, 1, P, A) and themselves (B, 1, P, D)."""
        total_BD, cache = parts_of(kept, 2)
        sum_BTD = x_BTD.cumsum(1) if total_BD is None else x_BTD.cumsum(1) + total_BD[:, None]
        key_B1TA, value_B1TD = cache = appended(cache, self.key(x_BTD)[:, None], x_BTD[:, None])
        past = key_B1TA.shape[2] - x_BTD.shape[1]
        count_T1 = torch.arange(past + 1, past + x_BTD.shape[1] + 1, device=x_BTD.device, dtype=x_BTD.dtype)[:, None]
        mean_BTD = sum_BTD / count_T1
        weighted_BTD = causal_attention(self.query(mean_BTD)[:, None], key_B1TA, value_B1TD)[:, 0]
        return torch.cat([mean_BTD, weighted_BTD], dim=-1), (sum_BTD[:, -1], cache)
