"""Leases: what a lock file is on one machine, as an object in a bucket.

The object names its holder and until when; the holder puts that off again and again, and whoever finds it over takes
it. All of that is done by conditional writes, so that one of several wins. Clocks must agree to a few seconds.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from nextvec.errors import LostRaceError, StorageError, UsageError
from nextvec.storage import Place, Tag

SECONDS = 30.0
"""How long a lease lasts unless it is put off: so long a killed holder keeps others waiting."""
RENEWALS = 3
"""Times that it is put off before it would be over."""

Held = Callable[[], None]
"""Raises LostRaceError once a lock is not held any more."""


@contextmanager
def leased(place: Place, *, what: str) -> Iterator[Held]:
    """Hold the lease at `place`; yields what checks that it is held.

    Raises UsageError that names the holder when there is one, StorageError.
    """
    lease = _Lease(place, what)
    lease.take()
    ended = threading.Event()
    renewing = threading.Thread(target=lease.keep, args=(ended,), name=f"lease of {what}", daemon=True)
    renewing.start()
    try:
        yield lease.require
    finally:
        ended.set()
        renewing.join()
        lease.release()


def is_leased(place: Place) -> bool:
    """Whether somebody holds it."""
    return _until(_read(place)[0]) > time.time()


class _Lease:
    """`count` of the object grows with every write: no two contents are the same."""

    def __init__(self, place: Place, what: str) -> None:
        self.place, self.what = place, what
        self.owner = {"owner": secrets.token_hex(8), "process": os.getpid(), "machine": socket.gethostname()}
        self.count = 0
        self.tag: Tag | None = None
        self.lost = False
        self.held_until = 0.0

    def take(self) -> None:
        found, self.tag = _read(self.place)
        self._refuse(found)
        self.count = found.get("count", 0)
        try:
            self._write(SECONDS)
        except LostRaceError:
            self._refuse(_read(self.place)[0])
            raise

    def _refuse(self, found: dict[str, Any]) -> None:
        """Raises UsageError for a lease that somebody holds."""
        left = _until(found) - time.time()
        if left > 0:
            raise UsageError(
                f"{self.what} is being written by process {found['process']} on {found['machine']} (lease "
                f"{self.place}). Wait until it ends, or stop it; {left:.0f} s after it was killed it is free"
            )

    def keep(self, ended: threading.Event) -> None:
        """Put it off until it is `ended` or lost."""
        while not ended.wait(SECONDS / RENEWALS) and not self.lost:
            with suppress(StorageError):  # a bucket that does not answer is asked again, as long as the lease lasts
                try:
                    self._write(SECONDS)
                except LostRaceError:
                    self.lost = True

    def require(self) -> None:
        if self.lost or time.monotonic() > self.held_until:
            raise LostRaceError(
                f"{self.what} was held by a lease that ran out, and may be written by another process now (lease "
                f"{self.place}). Nothing more was written; run the same command again"
            )

    def release(self) -> None:
        """The object stays, as a lock file does, and says that it is over."""
        if not self.lost:
            with suppress(StorageError):  # then it runs out by itself
                self._write(0.0)

    def _write(self, seconds: float) -> None:
        begun, self.count = time.monotonic(), self.count + 1
        content = json.dumps({**self.owner, "count": self.count, "until": time.time() + seconds})
        try:
            self.tag = self.place.write(content.encode(), self.tag)
        except LostRaceError:
            found, self.tag = _read(self.place)
            if found.get("owner") != self.owner["owner"]:
                raise
            # It was written, and the answer got lost on its way.
        self.held_until = begun + seconds


def _read(place: Place) -> tuple[dict[str, Any], Tag | None]:
    """What it says; nothing where there was never one."""
    try:
        found = place.read()
    except FileNotFoundError:
        return {}, None
    assert found is not None, "no tag was given"
    content: dict[str, Any] = json.loads(found.content)
    return content, found.tag


def _until(content: dict[str, Any]) -> float:
    """Seconds since 1970."""
    return float(content.get("until", 0.0))
