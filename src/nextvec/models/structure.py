"""The structure of a text beside its vectors, as tensors."""

from __future__ import annotations

import torch
from torch import Tensor

from nextvec.structure import BEGINS, CONTINUES, UNKNOWN

__all__ = ["BEGINS", "CONTINUES", "UNKNOWN", "unknown"]


def unknown(like_BT: Tensor) -> Tensor:
    """(B, T) int8: nothing is known."""
    return torch.full(like_BT.shape[:2], UNKNOWN, dtype=torch.int8, device=like_BT.device)
