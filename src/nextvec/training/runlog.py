"""The run log: one JSON line an event, written as it happens; TensorBoard beside it when that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nextvec.errors import MissingDependencyError
from nextvec.records import append_line, read_lines, write_atomic

RUN_LOG = "run.jsonl"


class RunLog:
    """`run.jsonl` of a run: events `start`, `step`, `epoch`, `end`, each with the epoch and step it belongs to.

    Args:
        folder: of the run.
        tensorboard: also write scalars to `folder/tensorboard` (extra `track`).
    """

    def __init__(self, folder: Path, *, tensorboard: bool = False) -> None:
        self.path = folder / RUN_LOG
        self._board = _board(folder / "tensorboard") if tensorboard else None

    def write(self, event: str, *, step: int, **figures: Any) -> None:
        append_line(self.path, {"event": event, "step": step, **figures})
        if self._board is not None:
            for name, value in figures.items():
                if isinstance(value, float):
                    self._board.add_scalar(f"{event}/{name}", value, step)

    def forget_after(self, step: int) -> None:
        """Drop events later than `step`: what a killed run logged after the checkpoint it is resumed from."""
        if not self.path.exists():
            return
        lines = self.path.read_bytes().split(b"\n")[:-1]
        kept = [line for line, event in zip(lines, read_lines(self.path), strict=True) if event["step"] <= step]
        write_atomic(self.path, b"".join(line + b"\n" for line in kept))

    def close(self) -> None:
        if self._board is not None:
            self._board.close()


def _board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingDependencyError.for_extra("tensorboard", "track") from None
    return SummaryWriter(str(folder))
