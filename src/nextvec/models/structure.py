"""The structure of a text beside its vectors: which chunks begin a paragraph."""

from __future__ import annotations

import torch
from torch import Tensor

UNKNOWN, CONTINUES, BEGINS = -1, 0, 1
"""What is known of a chunk, int8: nothing (vectors that came without their text), that it goes on with the paragraph
of the chunk before it, or that it begins one."""


def unknown(like_BT: Tensor) -> Tensor:
    """(B, T) int8: nothing is known."""
    return torch.full(like_BT.shape[:2], UNKNOWN, dtype=torch.int8, device=like_BT.device)
