"""Files of a disk: replaced as a whole, and a full disk told in one way, whichever library met it."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import BinaryIO

from nextvec.errors import FullDiskError, LargeFileError

_CODES = (errno.ENOSPC, errno.EDQUOT)
_WORDS = re.compile(r"no space left on device|disk quota exceeded|\bos error (?:28|122)\b", re.IGNORECASE)
_TOO_LARGE = re.compile(r"file too large|\bos error 27\b", re.IGNORECASE)
"""Of libraries that pass on the system's words without its number: Lance, safetensors, torch."""
HEX = "[0-9a-f]" * 12
"""How the names end of what is not yet, or no more, in its place."""
NEW_SECONDS = 60
"""Files and folders of other processes are looked at when they are older."""


def no_room(error: BaseException) -> type[FullDiskError] | None:
    """Which one an error is that says that the disk, the user's share of it, or the size of a file is used up."""
    if getattr(error, "errno", None) in _CODES or _WORDS.search(str(error)):
        return FullDiskError
    return LargeFileError if getattr(error, "errno", None) == errno.EFBIG or _TOO_LARGE.search(str(error)) else None


@contextmanager
def storing(what: str, place: Path, kept: str = "What was stored before is kept") -> Iterator[None]:
    """Turns the error of a full disk, or of a file too large for it, inside into FullDiskError; `kept` says what is
    there all the same."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        if (kind := no_room(error)) is None:
            raise
        raise kind(what, place, kept) from None


def sweep(path: Path) -> None:
    """Away with the files and folders that killed processes would have put in the place of `path`: nobody has a lock on
    them, and they are older than a new one is that has none yet."""
    for left in filter(_is_left, path.parent.glob(f".{escape(path.name)}.{HEX}")):
        with suppress(OSError):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def leftovers(folder: Path) -> list[Path]:
    """What killed processes left anywhere in a folder, and `sweep` would take away."""
    return sorted(filter(_is_left, folder.rglob(f".*.{HEX}")))


def _is_left(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return time.time() - os.fstat(handle).st_mtime > NEW_SECONDS and _hold(handle)
    finally:
        os.close(handle)


def _hold(handle: int) -> bool:
    """Lock a file or folder until it is closed, or its process dies; whether nobody else has, or nobody can."""
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def beside(path: Path) -> Path:
    """A hidden place for what is to be put in the place of `path`."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}")


@contextmanager
def becoming(path: Path) -> Iterator[Path]:
    """A new folder that is at `path` once all in here is done, and gone when that cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path)
    (unfinished := beside(path)).mkdir()
    handle = os.open(unfinished, os.O_RDONLY)
    try:
        _hold(handle)
        yield unfinished
        unfinished.replace(path)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    finally:
        os.close(handle)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` once it is written, and is gone when it cannot be.

    A link stays one: what it points to is replaced. A device or a pipe is written to as it is. What killed processes
    left of such files goes.
    Raises IsADirectoryError for a folder.
    """
    path = path.resolve() if path.is_symlink() else path
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            yield device
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path)
    temporary = beside(path)
    try:
        with temporary.open("xb") as file:
            _hold(file.fileno())
            yield file
            file.flush()
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
