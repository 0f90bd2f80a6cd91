"""One command in several processes (`torchrun -m nextvec train ...`): what it says is said once."""

from __future__ import annotations

import os
from datetime import timedelta

import typer

from nextvec.launch import launched

SECONDS = 10
"""To reach the launcher's store; where there is none, it is better to say a thing twice than never."""


def command() -> list[str]:
    """How this command was started: `nextvec`, or through a launcher of several processes."""
    count = launched()
    return ["nextvec"] if count == 1 else ["torchrun", "--nproc-per-node", str(count), "-m", "nextvec"]


def complain(line: str) -> None:
    """Print `line` on the error stream, unless another process of this launch has said the same.

    Not in the main process alone: what went wrong may have gone wrong in another one only.
    """
    if launched() == 1 or _is_first_to_say(line):
        typer.echo(line, err=True)


def _is_first_to_say(line: str) -> bool:
    from torch.distributed import TCPStore

    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    try:
        store = TCPStore(
            os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), timeout=timedelta(seconds=SECONDS),
            wait_for_workers=False,
        )  # fmt: skip
        return bool(store.add(f"nextvec/said/{attempt}/{line}", 1) == 1)
    except (KeyError, RuntimeError):
        return True
