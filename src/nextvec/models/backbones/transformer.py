"""Causal Transformer (Vaswani et al. 2017, arXiv 1706.03762), pre-norm. Every layer attends to its own stream and
to the embedded input, both causally."""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.errors import UsageError
from nextvec.models.attention import Cache, causal_attention, length
from nextvec.models.backbone import BACKBONES, Backbone
from nextvec.models.memory import Kept, parts_of

Caches = tuple[Cache, Cache]
"""Of a layer's attention to its own stream, and to the input."""

POSITION_SCALE = 0.1
"""Of the position codes, against vectors whose projection has components of order 1. At full size they drown what the
vectors say: the network learns slower, and fails beyond the positions it was trained on (LOG.md, 2026-11-21)."""


class TransformerConfig(Config):
    width: int = Field(512, ge=2, description="M, size of the stream; a multiple of heads")
    layers: int = Field(4, ge=1)
    heads: int = Field(8, ge=1)
    feedforward: int = Field(2048, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1)


@BACKBONES.register("transformer")
class Transformer(Backbone):
    Config = TransformerConfig
    compiles = True

    def __init__(self, config: TransformerConfig, dim: int) -> None:
        super().__init__(config, dim)
        M = config.width
        self.project = nn.Linear(dim, M)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))

    def readout(self) -> nn.Module:
        M = self.config.width
        return nn.Sequential(nn.Linear(M, M), nn.GELU(), nn.LayerNorm(M), nn.Linear(M, self.dim))

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.read(x_BTD, None)[0]

    def read(self, x_BTD: Tensor, kept: Kept) -> tuple[Tensor, Kept]:
        """Keeps every layer's keys and values: 4 x layers x width numbers a position, for ever."""
        caches = parts_of(kept, len(self.layers))
        past = 0 if kept is None else length(caches[0][0])
        codes_TM = sinusoids(x_BTD.shape[1], self.config.width, x_BTD, first=past)
        input_BTM = self.dropout(self.project(x_BTD) + POSITION_SCALE * codes_TM)
        h_BTM, after = input_BTM, []
        for layer, cache in zip(self.layers, caches, strict=True):
            h_BTM, cache = layer(h_BTM, input_BTM, cache)
            after.append(cache)
        return h_BTM, tuple(after)


class DecoderLayer(nn.Module):
    """x + self-attention, + attention to the input, + feed-forward, each on a LayerNorm of the stream."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        M = config.width
        self.self_attention = CausalAttention(M, config.heads, config.dropout)
        self.input_attention = CausalAttention(M, config.heads, config.dropout)
        self.feedforward = nn.Sequential(
            nn.Linear(M, config.feedforward), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(config.feedforward, M)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(M) for _ in range(3))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, h_BTM: Tensor, input_BTM: Tensor, caches: Caches | None) -> tuple[Tensor, Caches]:
        before, before_input = (None, None) if caches is None else caches
        own_BTM = self.norms[0](h_BTM)
        seen_BTM, own_cache = self.self_attention(own_BTM, own_BTM, before)
        h_BTM = h_BTM + self.dropout(seen_BTM)
        seen_BTM, input_cache = self.input_attention(self.norms[1](h_BTM), input_BTM, before_input)
        h_BTM = h_BTM + self.dropout(seen_BTM)
        return h_BTM + self.dropout(self.feedforward(self.norms[2](h_BTM))), (own_cache, input_cache)


class CausalAttention(nn.Module):
    """Multi-head attention in which position t of the query sees positions <= t of the memory and of what is cached."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise UsageError(f"transformer: width {width} is not a multiple of heads {heads}; choose one that is")
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, query_BTM: Tensor, memory_BTM: Tensor, cache: Cache | None) -> tuple[Tensor, Cache]:
        B, T, M = query_BTM.shape
        q_BHTE = self.query(query_BTM).view(B, T, self.heads, -1).transpose(1, 2)
        k_BHTE, v_BHTE = self.key_value(memory_BTM).view(B, T, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        y_BHTE, cache = causal_attention(q_BHTE, k_BHTE, v_BHTE, cache, dropout)
        return self.out(y_BHTE.transpose(1, 2).reshape(B, T, M)), cache


def sinusoids(length: int, width: int, like: Tensor, first: int = 0) -> Tensor:
    """Codes (length, width) of positions from `first` on, of Vaswani et al. 2017, section 3.5, in the dtype and on the
    device of `like`."""
    position_T1 = torch.arange(first, first + length, dtype=torch.float32, device=like.device)[:, None]
    axis_E = torch.arange(0, width, 2, dtype=torch.float32, device=like.device)
    rate_E = torch.exp(axis_E * (-math.log(10_000.0) / width))
    code_TM = torch.zeros(length, width, device=like.device)
    code_TM[:, 0::2] = torch.sin(position_T1 * rate_E)
    code_TM[:, 1::2] = torch.cos(position_T1 * rate_E[: width // 2])
    return code_TM.to(like)
