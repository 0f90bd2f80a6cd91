"""GraphMERT-LVM (after GraphMERT, arXiv 2510.09580): the vectors of a document are a chain, and attention between two
of them fades with their distance on it. Compare it with itself at `decay=false`, the identical transformer without.

    logits_ij + ln(0.6) * GELU(sqrt(|i - j|) - p),   j <= i

p, learnt, is the square root of the distance from which on attention fades; a hard comparison in place of GELU would
give it no gradient.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.errors import UsageError
from nextvec.models.backbone import BACKBONES, Backbone

FADING = 0.6
FIRST_THRESHOLD = 1.0


class GraphMERTConfig(Config):
    positions: int = Field(5, ge=1, description="the longest context it can hold")
    layers: int = Field(12, ge=1)
    heads: int = Field(8, ge=1, description="a divisor of the embedding size")
    feedforward: int = Field(2048, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    decay: bool = Field(True, description="attention fades with distance")
    per_head: bool = Field(False, description="one threshold p a head, not one a model")


@BACKBONES.register("graphmert-lvm")
class GraphMERT(Backbone):
    Config = GraphMERTConfig
    compiles = True

    def __init__(self, config: GraphMERTConfig, dim: int) -> None:
        super().__init__(config, dim)
        if dim % config.heads:
            raise UsageError(
                f"graphmert-lvm works at the embedding size, {dim}, which is not a multiple of heads {config.heads}; "
                "choose heads that divide it"
            )
        if config.per_head and not config.decay:
            raise UsageError("graphmert-lvm: per_head means nothing without decay; leave it out")
        self.positions = nn.Parameter(torch.empty(config.positions, dim).normal_(std=0.02))
        self.threshold = nn.Parameter(self._first_threshold()) if config.decay else None
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(EncoderLayer(config, dim) for _ in range(config.layers))

    @classmethod
    def longest(cls, config: Any) -> int | None:
        return int(config.positions)

    def readout(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.dim, self.dim), nn.GELU(), nn.Linear(self.dim, self.dim))

    def _first_threshold(self) -> Tensor:
        return torch.full((self.config.heads, 1, 1) if self.config.per_head else (), FIRST_THRESHOLD)

    def forward(self, x_BTD: Tensor) -> Tensor:
        T = x_BTD.shape[1]
        h_BTD = self.dropout(x_BTD + self.positions[:T])
        bias_HTT = self.attention_bias(T)
        for layer in self.layers:
            h_BTD = layer(h_BTD, bias_HTT)
        return h_BTD

    def attention_bias(self, length: int) -> Tensor:
        """What is added to the logits, (T, T) or (H, T, T): the decay, and -inf for the future."""
        step_T = torch.arange(length, device=self.positions.device)
        distance_TT = step_T[:, None] - step_T[None, :]
        fading = torch.zeros_like(distance_TT, dtype=torch.float32)
        if self.threshold is not None:
            fading = math.log(FADING) * F.gelu(distance_TT.abs().sqrt() - self.threshold)
        return fading.masked_fill(distance_TT < 0, float("-inf"))


class EncoderLayer(nn.Module):
    """x + attention, + feed-forward, each on a LayerNorm of the stream."""

    def __init__(self, config: GraphMERTConfig, dim: int) -> None:
        super().__init__()
        self.heads, self.attention_dropout = config.heads, config.dropout
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.feedforward = nn.Sequential(
            nn.Linear(dim, config.feedforward),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.feedforward, dim),
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, h_BTD: Tensor, bias_HTT: Tensor) -> Tensor:
        h_BTD = h_BTD + self.dropout(self._attend(self.norms[0](h_BTD), bias_HTT))
        return h_BTD + self.dropout(self.feedforward(self.norms[1](h_BTD)))

    def _attend(self, h_BTD: Tensor, bias_HTT: Tensor) -> Tensor:
        B, T, D = h_BTD.shape
        q_BHTE, k_BHTE, v_BHTE = self.query_key_value(h_BTD).view(B, T, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        dropout = self.attention_dropout if self.training else 0.0
        bias_HTT = bias_HTT.to(q_BHTE.dtype)
        y_BHTE = F.scaled_dot_product_attention(q_BHTE, k_BHTE, v_BHTE, attn_mask=bias_HTT, dropout_p=dropout)
        out_BTD: Tensor = self.out(y_BHTE.transpose(1, 2).reshape(B, T, D))
        return out_BTD
