"""One writer a corpus, a study, a model: a lock file that the operating system frees when its holder dies, however it
dies; in a bucket a lease, which runs out then."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nextvec.errors import UsageError
from nextvec.lease import Held, is_leased, leased
from nextvec.storage import place_of
from nextvec.workspace import Workspace

TRIES, INSTANT = 10, 0.01
"""How often a lock is tried for, and the seconds between."""


def held(path: Path) -> bool:
    """Whether a process that lives holds the lock."""
    if (place := place_of(path)) is not None:
        return is_leased(place)
    return path.exists() and _is_locked(path)


def is_written(folder: Path) -> bool:
    """Whether a process of this machine writes in `folder`: see `writing`."""
    return (lock := _beside(folder)).exists() and _is_locked(lock)


def _is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def exclusive(path: Path, *, what: str) -> Iterator[Held]:
    """Hold `path` as a lock, or the lease of that name; yields what checks that it is held still, as a lock always is.

    Raises UsageError that names the process when another one holds it.
    """
    if (place := place_of(path)) is None:
        with _locked(path, what):
            yield _always
    else:
        with leased(place, what=what) as held:
            yield held


@contextmanager
def writing_alone(workspace: Workspace, name: str) -> Iterator[None]:
    """Keep out who stores documents, gives tags or compacts. Raises UsageError that names the process that does."""
    with corpus_lock(workspace, name), generations_lock(workspace, name):
        yield


@contextmanager
def corpus_lock(workspace: Workspace, name: str) -> Iterator[Held]:
    """Who appends to a corpus or makes it anew holds it; as `exclusive`."""
    with exclusive(workspace.corpus(name).with_suffix(".lock"), what=f"corpus '{name}'") as held:
        yield held


@contextmanager
def generations_lock(workspace: Workspace, name: str) -> Iterator[Held]:
    """So that no version gets a tag while those are removed that have none; appending needs no such lock."""
    with exclusive(
        workspace.corpus(name).with_suffix(".generations"), what=f"the list of generations of '{name}'"
    ) as held:
        yield held


@contextmanager
def writing(folder: Path, *, what: str) -> Iterator[None]:
    """Be the one process of this machine that writes in `folder`, which need not exist, or may come to be elsewhere.

    Of a folder in a bucket, writers on other machines are told by what they write (`LostRaceError`).
    Raises UsageError that names the process when there is one.
    """
    with _locked(_beside(folder), what):
        yield


def _beside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def _always() -> None:
    """A lock is held until it is let go."""


def _take(handle: int) -> None:
    """Raises BlockingIOError where somebody holds it; who only asks whether it is held has it for an instant."""
    for _ in range(TRIES - 1):
        with suppress(BlockingIOError):
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(INSTANT)
    return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _locked(path: Path, what: str) -> Iterator[None]:
    """The file holds its owner's process id and stays behind, unlocked. POSIX only (advisory `flock`)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _take(handle)
        except BlockingIOError:
            owner = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise UsageError(
                f"{what} is being written by process {owner} (lock {path}). Wait until it ends, or stop it"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
