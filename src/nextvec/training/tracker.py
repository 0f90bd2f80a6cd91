"""Trackers: what is told of a run beside its own log, so that it is seen where a team looks at its runs.

A tracker is named NAME, or NAME:ADDRESS. An address may hold a password, which is never recorded. No tracker holds a
run up or ends it: each is told in the background, and one that fails is told no more, with one warning.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from nextvec.errors import NextvecError
from nextvec.registry import Registry
from nextvec.storage import redacted

BATCH_SECONDS = 2.0
"""Between two times at which a tracker is told what has happened."""
CLOSE_SECONDS = 60.0
"""For which the end of a run waits for a tracker that has not taken everything yet."""

LETTERS = 200
"""Of what a tracker died of, that are said."""

Say = Callable[[str], None]
_warn = logging.getLogger(__name__).warning


class Tracker(ABC):
    """Of one run. Its methods are called one at a time, in an order that no run waits for; they may raise anything."""

    @classmethod
    @abstractmethod
    def open(cls, folder: Path, address: str | None) -> Self:
        """For the run in `folder`; connects to nothing yet. Raises MissingDependencyError, or UsageError for an address
        that it cannot have."""

    @classmethod
    def knows(cls, folder: Path) -> bool:
        """Whether it was told of the run in `folder`, and can be told of its aliases."""
        return False

    @abstractmethod
    def start(self, settings: Mapping[str, Any]) -> None:
        """A run begins, or goes on. `settings` is JSON-able and may be nested."""

    @abstractmethod
    def log(self, event: str, step: int, figures: Mapping[str, Any], at: float) -> None:
        """What the run's log says, at so many seconds since 1970."""

    def flush(self) -> None:
        """Nothing else has happened for now."""
        return

    @abstractmethod
    def artefact(self, path: Path) -> None:
        """A file that has come out of the run."""

    @abstractmethod
    def close(self, *, finished: bool) -> None: ...

    def alias(self, alias: str) -> None:
        """From now on `alias` stands for the run's model."""
        return

    def unalias(self, alias: str) -> None:
        """From now on `alias` stands for another model, which it may have been told of already."""
        return


TRACKERS: Registry[type[Tracker]] = Registry("trackers", "nextvec.training.trackers", base=Tracker)


class Tracking:
    """All trackers of a run. As a context it closes them in the end."""

    def __init__(self, told: Sequence[Told] = ()) -> None:
        self._told = told

    def start(self, settings: Mapping[str, Any]) -> None:
        for told in self._told:
            told.tell(lambda tracker: tracker.start(settings))

    def log(self, event: str, step: int, figures: Mapping[str, Any]) -> None:
        at = time.time()
        for told in self._told:
            told.tell(lambda tracker: tracker.log(event, step, figures, at))

    def artefact(self, path: Path) -> None:
        for told in self._told:
            told.tell(lambda tracker: tracker.artefact(path))

    def outcome(self, metrics: Mapping[str, Any], files: Iterable[Path]) -> None:
        """What a run has come to: its figures, and the files that say so."""
        self.log("model", metrics.get("steps", 0), metrics)
        for path in files:
            self.artefact(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for told in self._told:
            told.close(finished=kind is None)


class Told:
    """A tracker that is told in a thread of its own."""

    def __init__(self, name: str, tracker: Tracker, say: Say) -> None:
        self.name, self.tracker, self.say = name, tracker, say
        self._calls: SimpleQueue[Callable[[Tracker], None]] = SimpleQueue()
        self._over, self._failed = Event(), False
        self._thread = Thread(target=self._work, daemon=True, name=f"tracker {name}")
        self._thread.start()

    def tell(self, call: Callable[[Tracker], None]) -> None:
        if not self._failed:
            self._calls.put(call)

    def close(self, *, finished: bool) -> None:
        self.tell(lambda tracker: tracker.close(finished=finished))
        self._over.set()
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            self.say(f"{self.name} has not taken everything within {CLOSE_SECONDS:.0f} s; the run ends without it")

    def _work(self) -> None:
        try:
            over = False
            while not over:
                over = self._over.wait(BATCH_SECONDS)
                for call in self._waiting():
                    call(self.tracker)
                self.tracker.flush()
        except Exception as error:  # noqa: BLE001 a tracker may be another package's, and raise anything
            self._failed = True
            self.say(f"{self.name} no longer tracks: {_reason(error)}. The run goes on, and its own log is whole")

    def _waiting(self) -> Iterator[Callable[[Tracker], None]]:
        while True:
            try:
                yield self._calls.get_nowait()
            except Empty:
                return


def open_tracking(names: Sequence[str], folder: Path, say: Say | None = None) -> Tracking:
    """For the run in `folder`, the trackers of these names, each once: NAME or NAME:ADDRESS.

    `say` is told what has failed; without it, Python's log is. Raises UsageError for an unknown name, and what
    `Tracker.open` raises.
    """
    opened = {name: TRACKERS.get(name).open(folder, address) for name, address in _chosen(names).items()}
    return Tracking([Told(name, tracker, say or _warn) for name, tracker in opened.items()])


def require_trackers(names: Sequence[str], folder: Path) -> None:
    """Raises what `open_tracking` would of them for something in `folder`: before the work that they are told of."""
    for name, address in _chosen(names).items():
        TRACKERS.get(name).open(folder, address)


def _chosen(names: Sequence[str]) -> dict[str, str | None]:
    """Addresses by name."""
    return {name: address or None for name, _, address in (each.partition(":") for each in names)}


def mirror_alias(alias: str, folder: Path | None, say: Say | None = None, *, replaced: Path | None = None) -> None:
    """Tell those who know the model in `folder` that `alias` stands for it from now on, None for no model, and then
    those who know the one in `replaced` that it no longer stands for that: they may know nothing of its successor."""
    if folder is not None:
        _tell_knowing(folder, alias, lambda tracker: tracker.alias(alias), say or _warn)
    if replaced is not None:
        _tell_knowing(replaced, alias, lambda tracker: tracker.unalias(alias), say or _warn)


def _tell_knowing(folder: Path, alias: str, call: Callable[[Tracker], None], say: Say) -> None:
    for name in TRACKERS:
        if TRACKERS.get(name).knows(folder):
            try:
                told = Told(name, TRACKERS.get(name).open(folder, None), say)
            except NextvecError as error:
                say(f"{name} was not told of {alias}: {error}")
                continue
            told.tell(call)
            told.close(finished=True)


def scalars(event: str, figures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Every number with a fraction, by its path: `epoch/heads/rank/score`."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from scalars(f"{event}/{name}", value)
        elif isinstance(value, float):
            yield f"{event}/{name}", value


def _reason(error: Exception) -> str:
    text = " ".join(redacted(str(error)).split()) or type(error).__name__
    return text[:LETTERS].rstrip(". ")
