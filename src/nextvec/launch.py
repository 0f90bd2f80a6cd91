"""One command started in several processes, by `torchrun` or the like: how many, where, and which is this."""

from __future__ import annotations

import os


def launched() -> int:
    """Processes that a launcher started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def launched_here() -> int:
    """Those of them that share this machine's memory."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this is the one that writes and speaks."""
    return os.environ.get("RANK", "0") == "0"
