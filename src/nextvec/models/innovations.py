"""What each vector of a document adds to those before it, so that a query can leave out what has been said.

The ridge-regularised projection onto the orthogonal complement of rows x_1 .. x_t, P_t = (I + s sum x_i x_i')^-1, is
I - sum a_i a_i' with

    a_i = P_(i-1) x_i / sqrt(1 / s + x_i' P_(i-1) x_i),

by the rank-one update of Sherman and Morrison (1950); a_i depends on nothing after x_i. All of them together are L^-1 X
with L the Cholesky factor of X X' + I / s. B documents, T positions, P past ones, D embedding size.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 512
"""Rows that are gone over at once: what is in memory grows with the length of a document, not with its square."""


def innovations(x_BTD: Tensor, strength: float, past_BPD: Tensor | None = None) -> Tensor:
    """(B, P + T, D): the a_i of vectors that follow those of which `past_BPD` are (None: none), and they."""
    known_BPD = x_BTD[:, :0] if past_BPD is None else past_BPD
    for block_BSD in x_BTD.split(BLOCK, dim=1):
        along_BSP = block_BSD @ known_BPD.mT
        left_BSS = block_BSD @ block_BSD.mT - along_BSP @ along_BSP.mT
        left_BSS.diagonal(dim1=1, dim2=2).add_(1.0 / strength)
        rest_BSD = block_BSD - along_BSP @ known_BPD
        new_BSD = torch.linalg.solve_triangular(torch.linalg.cholesky(left_BSS), rest_BSD, upper=False)
        known_BPD = torch.cat([known_BPD, new_BSD], dim=1)
    return known_BPD


def without(query_BTD: Tensor, known_BPD: Tensor, lag: int) -> Tensor:
    """Each query times P of the rows up to `lag` before its own; the queries are the last T of P rows."""
    first = known_BPD.shape[1] - query_BTD.shape[1]
    blocks = query_BTD.split(BLOCK, dim=1)
    return torch.cat([_without(block, known_BPD, first + BLOCK * i - lag) for i, block in enumerate(blocks)], dim=1)


def _without(query_BSD: Tensor, known_BPD: Tensor, last: int) -> Tensor:
    """`last` is the last row that the first of the queries leaves out; each one after it one more."""
    seen_BPD = known_BPD[:, : max(0, last + query_BSD.shape[1])]
    return query_BSD - (query_BSD @ seen_BPD.mT).tril(last) @ seen_BPD
