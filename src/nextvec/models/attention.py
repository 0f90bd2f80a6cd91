"""Causal attention that keeps keys and values of the past, so that a step computes only its own.

They are kept in pieces: a step copies the last, short one, and every continuation of a document shares the full ones.
Shape suffixes: H heads, P past and new positions, T new ones, E size of a key, V of a value.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

PIECE = 128

Pieces = tuple[Tensor, ...]
"""(B, H, PIECE, E) one after another, the last of them shorter."""
Cache = tuple[Pieces, Pieces]
"""Keys and values, as many of both."""


def causal_attention(
    query_BHTE: Tensor, key_BHTE: Tensor, value_BHTV: Tensor, cache: Cache | None, dropout: float = 0.0
) -> tuple[Tensor, Cache]:
    """Scaled dot-product attention (B, H, T, V) of each position to those up to itself, after those in `cache` (None:
    none); and the cache with these. Dropout is for documents from their beginning."""
    keys, values = ((), ()) if cache is None else cache
    after = _appended(keys, key_BHTE), _appended(values, value_BHTV)
    if cache is None:
        return _from_the_beginning(query_BHTE, key_BHTE, value_BHTV, dropout), after
    return _over_pieces(query_BHTE, *after), after


def length(cache: Cache) -> int:
    """P, positions in it."""
    return sum(piece.shape[2] for piece in cache[0])


def _appended(pieces: Pieces, new_BHTE: Tensor) -> Pieces:
    if pieces and pieces[-1].shape[2] < PIECE:
        pieces, new_BHTE = pieces[:-1], torch.cat([pieces[-1], new_BHTE], dim=2)
    return *pieces, *new_BHTE.split(PIECE, dim=2)


def _from_the_beginning(query_BHTE: Tensor, key_BHTE: Tensor, value_BHTV: Tensor, dropout: float) -> Tensor:
    return F.scaled_dot_product_attention(query_BHTE, key_BHTE, value_BHTV, is_causal=True, dropout_p=dropout)


def _over_pieces(query_BHTE: Tensor, keys: Pieces, values: Pieces) -> Tensor:
    scores_BHTP = torch.cat([query_BHTE @ key_BHPE.transpose(2, 3) for key_BHPE in keys], dim=-1)
    T, P = scores_BHTP.shape[2:]
    future_TP = torch.ones(T, P, dtype=torch.bool, device=scores_BHTP.device).triu(P - T + 1)
    scores_BHTP = (scores_BHTP / math.sqrt(query_BHTE.shape[-1])).masked_fill(future_TP, -torch.inf)
    weights = scores_BHTP.softmax(dim=-1).split([value_BHPV.shape[2] for value_BHPV in values], dim=-1)
    seen = [weight_BHTP @ value_BHPV for weight_BHTP, value_BHPV in zip(weights, values, strict=True)]
    return torch.stack(seen).sum(0)
