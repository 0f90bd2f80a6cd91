"""The run log: one JSON line an event, written as it happens. Trackers are told the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nextvec.mirror import publish
from nextvec.records import append_here, write_atomic
from nextvec.records.names import RUN_LOG
from nextvec.training.tracker import Tracking


class RunLog:
    """`run.jsonl` of a run: events `start`, `step`, `epoch`, `end`, each with the step it belongs to.

    `events` is their number so far: a checkpoint holds it, and a run that goes on from there keeps that many.

    Args:
        folder: of the run.
        tracking: trackers that are told as well.
    """

    def __init__(self, folder: Path, tracking: Tracking | None = None) -> None:
        self.path, self.tracking = folder / RUN_LOG, tracking or Tracking()
        self.events = 0

    def write(self, event: str, *, step: int, **figures: Any) -> None:
        append_here(self.path, {"event": event, "step": step, **figures})
        self.events += 1
        self.tracking.log(event, step, figures)

    def keep(self, events: int) -> None:
        """Drop all but the first `events`: what a killed run logged after the checkpoint it is resumed from."""
        complete = self.path.read_bytes().split(b"\n")[:-1] if self.path.exists() else []
        write_atomic(self.path, b"".join(line + b"\n" for line in complete[:events]))
        self.events = min(events, len(complete))

    def publish(self) -> None:
        """Before a checkpoint, and in the end: in a bucket the events so far are there once this returns."""
        publish(self.path)
