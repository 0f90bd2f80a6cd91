"""The run log: one JSON line an event, written as it happens; TensorBoard beside it when that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nextvec.errors import MissingDependencyError, UsageError
from nextvec.mirror import publish
from nextvec.records import append_here, write_atomic
from nextvec.records.names import RUN_LOG
from nextvec.storage import place_of


class RunLog:
    """`run.jsonl` of a run: events `start`, `step`, `epoch`, `end`, each with the step it belongs to.

    `events` is their number so far: a checkpoint holds it, and a run that goes on from there keeps that many.

    Args:
        folder: of the run.
        tensorboard: also write scalars to `folder/tensorboard` (extra `track`).
    """

    def __init__(self, folder: Path, *, tensorboard: bool = False) -> None:
        self.path = folder / RUN_LOG
        self.events = 0
        self._board = _board(folder / "tensorboard") if tensorboard else None

    def write(self, event: str, *, step: int, **figures: Any) -> None:
        append_here(self.path, {"event": event, "step": step, **figures})
        self.events += 1
        if self._board is not None:
            for name, value in figures.items():
                if isinstance(value, float):
                    self._board.add_scalar(f"{event}/{name}", value, step)

    def keep(self, events: int) -> None:
        """Drop all but the first `events`: what a killed run logged after the checkpoint it is resumed from."""
        complete = self.path.read_bytes().split(b"\n")[:-1] if self.path.exists() else []
        write_atomic(self.path, b"".join(line + b"\n" for line in complete[:events]))
        self.events = min(events, len(complete))

    def publish(self) -> None:
        """Before a checkpoint: in a bucket the events so far are there once this returns."""
        publish(self.path)

    def close(self) -> None:
        self.publish()
        if self._board is not None:
            self._board.close()


def _board(folder: Path) -> Any:
    if place := place_of(folder):
        raise UsageError(f"TensorBoard cannot write to {place}: leave tensorboard out, or train in a folder")
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingDependencyError.for_extra("tensorboard", "track") from None
    return SummaryWriter(str(folder))
