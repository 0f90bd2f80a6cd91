"""Copies of a bucket's objects on this machine: brought up to date before they are read, published when written.

The bucket is what counts. An object is written first, and only in the place of the one that this machine has the copy
of (`LostRaceError` otherwise); then the copy. Beside the copies, `.tags` keeps of which content each of them is; a note
is locked while its copy is exchanged, so that processes of one machine may share it. What lies in a workspace's cache/
is of this machine alone. Everywhere else than in a bucket these functions do nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from nextvec.disk import below, replacing, written_ns
from nextvec.errors import LostRaceError
from nextvec.storage import Place, Tag, place_of, workspace_folder

RECORDS = (".json", ".jsonl", ".md", ".html")
"""What tells about models and studies; what they weigh is brought when it is read."""
CACHE, NOTES = "cache", ".tags"
AT_ONCE = 16


class _Copy:
    """The copy of one object, and the note of what it is a copy of, which is locked as long as this lives."""

    def __init__(self, place: Place, note: BinaryIO) -> None:
        self.place, self._note = place, note
        self.path = workspace_folder(place.uri) / place.key

    @property
    def tag(self) -> Tag | None:
        """None where there is no copy, or it is not known of what."""
        return _parse(os.pread(self._note.fileno(), 4096, 0)) if self.path.exists() else None

    def refresh(self) -> None:
        """Exchange it for the object; away with it when that is gone. What was never published stays."""
        known = self.tag
        try:
            found = self.place.read(unless=known)
        except FileNotFoundError:
            if known is not None:
                self.path.unlink()
                self.note(None)
                _remove_empty(self.path.parent)
            return
        if found is not None:
            self.keep(found.content, found.tag, found.modified)

    def keep(self, content: bytes, tag: Tag, modified: datetime | None = None) -> None:
        """`modified` is the object's date, which the copy gets; another content always has another one."""
        before = written_ns(self.path)
        with replacing(self.path) as file:
            file.write(content)
            file.flush()
            if modified:
                stamp = max(int(modified.timestamp()) * 10**9, before + 1)
                os.utime(file.fileno(), ns=(stamp, stamp))
        self.note(tag)

    def note(self, tag: Tag | None) -> None:
        self._note.truncate(0)
        if tag is not None:
            os.pwrite(self._note.fileno(), json.dumps(tag.to_dict()).encode(), 0)


def mirrored(path: Path) -> Place | None:
    """Where `path` is published; None for a file of this machine alone."""
    place = place_of(path)
    return None if place is None or place.key.partition("/")[0] in (CACHE, NOTES) else place


def fetch(path: Path) -> None:
    """Bring the copy of one object up to date."""
    if (place := mirrored(path)) is not None:
        _refresh(place)


def fetch_folder(path: Path, suffixes: tuple[str, ...] = ("",)) -> None:
    """Bring the copies of all objects below `path` up to date whose names end so."""
    if (place := mirrored(path)) is None:
        return
    there = place.below()
    changed = {key for key, stat in there.items() if (tag := _known(place.uri, key)) is None or tag.e_tag != stat.e_tag}
    gone = _noted(place) - there.keys()
    stale = [key for key in sorted(changed | gone) if key.endswith(suffixes)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(_refresh, [Place(place.uri, key) for key in stale]))


@contextmanager
def published(path: Path, content: bytes) -> Iterator[None]:
    """Write the object at `path`, then let its copy be written. Raises LostRaceError, StorageError; neither is written
    then."""
    if (place := mirrored(path)) is None:
        yield
        return
    with _copy_of(place) as copy:
        tag = place.write(content, copy.tag)
        yield
        copy.note(tag)


def publish(path: Path) -> None:
    """Write the object that `path` has become ahead of. Raises LostRaceError, StorageError."""
    if (place := mirrored(path)) is not None and path.exists():
        with _copy_of(place) as copy:
            copy.note(place.write(path.read_bytes(), copy.tag))


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Replace an object, empty where there is none, by what `change` makes of its newest content, whoever else does so
    at the same time; `change` may be called several times, and what it raises ends it."""
    place = mirrored(path)
    assert place is not None, "what is in no bucket is written by others"
    with _copy_of(place) as copy:
        while True:
            copy.refresh()
            content = change(path.read_bytes() if path.exists() else b"")
            try:
                tag = place.write(content, copy.tag)
            except LostRaceError:
                continue
            copy.keep(content, tag)
            return


def discard(path: Path) -> None:
    """Remove a file, and the object that it is a copy of; nothing when there is none."""
    if (place := mirrored(path)) is None:
        path.unlink(missing_ok=True)
        return
    with _copy_of(place) as copy:
        place.remove()
        path.unlink(missing_ok=True)
        copy.note(None)


@contextmanager
def _copy_of(place: Place) -> Iterator[_Copy]:
    note = workspace_folder(place.uri) / NOTES / place.key
    note.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(note, os.O_RDWR | os.O_CREAT, 0o644), "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield _Copy(place, file)


def _refresh(place: Place) -> None:
    with _copy_of(place) as copy:
        copy.refresh()


def _known(uri: str, key: str) -> Tag | None:
    """The tag of a copy, without waiting for whoever exchanges it."""
    folder = workspace_folder(uri)
    try:
        return _parse((folder / NOTES / key).read_bytes()) if (folder / key).exists() else None
    except FileNotFoundError:
        return None


def _noted(place: Place) -> set[str]:
    """The keys below `place` of which there are copies, as far as it is noted."""
    folder = workspace_folder(place.uri)
    notes = (path for path in below(folder / NOTES / place.key) if path.is_file())
    keys = (str(path.relative_to(folder / NOTES)) for path in notes)
    return {key for key in keys if (folder / key).exists()}


def _remove_empty(folder: Path) -> None:
    """A folder exists in a bucket only as long as something is in it."""
    with suppress(OSError):
        while True:
            folder.rmdir()
            folder = folder.parent


def _parse(note: bytes) -> Tag | None:
    """None for an empty note, or one that was being written."""
    try:
        return Tag(**json.loads(note))
    except ValueError:
        return None
