"""Causal attention with a cache: keys and values of the past are kept, so that a step computes only its own.

Shape suffixes: H heads, P past and new positions, T new ones, E size of a key or a value.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Cache = tuple[Tensor, Tensor]
"""Keys and values (B, H, P, E)."""


def appended(cache: Cache | None, key_BHTE: Tensor, value_BHTE: Tensor) -> Cache:
    """A new cache with these at the end; None is an empty one."""
    if cache is None:
        return key_BHTE, value_BHTE
    return torch.cat([cache[0], key_BHTE], dim=2), torch.cat([cache[1], value_BHTE], dim=2)


def causal_attention(query_BHTE: Tensor, key_BHPE: Tensor, value_BHPE: Tensor, dropout: float = 0.0) -> Tensor:
    """(B, H, T, E): scaled dot-product attention of the last T positions, each to those up to itself."""
    T, P = query_BHTE.shape[2], key_BHPE.shape[2]
    mask_TP = None
    if 1 < T < P:
        mask_TP = torch.ones(T, P, dtype=torch.bool, device=query_BHTE.device).tril(P - T)
    return F.scaled_dot_product_attention(
        query_BHTE, key_BHPE, value_BHPE, attn_mask=mask_TP, is_causal=T == P, dropout_p=dropout
    )
