"""One command started in several processes, by `torchrun` or the like: how many there are, and which this is."""

from __future__ import annotations

import os


def launched() -> int:
    """Processes that a launcher started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this is the one that writes and speaks."""
    return os.environ.get("RANK", "0") == "0"
