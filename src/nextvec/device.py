"""Where the work is done: on the GPU, where the machine has one."""

from __future__ import annotations

import torch


def fastest() -> torch.device:
    """CUDA's current GPU, otherwise the CPU. Not Apple's, which has no float64: fits and scores need it."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
