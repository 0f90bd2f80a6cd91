"""TensorBoard (extra `track`): curves in `tensorboard/` in the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from nextvec.errors import MissingDependencyError, UsageError
from nextvec.storage import place_of
from nextvec.training.tracker import TRACKERS, Tracker, scalars


@TRACKERS.register("tensorboard")
class TensorBoard(Tracker):
    """Every figure is a curve; settings and files have no place in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer: Any = None

    @classmethod
    def open(cls, folder: Path, address: str | None) -> Self:
        if address:
            raise UsageError(f"TensorBoard has no address: --track tensorboard writes to {folder / 'tensorboard'}")
        if place := place_of(folder):
            raise UsageError(f"TensorBoard cannot write to {place}: leave tensorboard out, or train in a folder")
        try:
            import torch.utils.tensorboard  # noqa: F401
        except ImportError:
            raise MissingDependencyError.for_extra("tensorboard", "track") from None
        return cls(folder / "tensorboard")

    def start(self, settings: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(self.folder))

    def log(self, event: str, step: int, figures: Mapping[str, Any], at: float) -> None:
        for name, value in scalars(event, figures):
            self.writer.add_scalar(name, value, step, walltime=at)

    def artefact(self, path: Path) -> None:
        return

    def close(self, *, finished: bool) -> None:
        if self.writer is not None:
            self.writer.close()
