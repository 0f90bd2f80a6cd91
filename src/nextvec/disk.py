"""Files of a disk: replaced as a whole, and a full disk told in one way, whichever library met it."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path
from typing import BinaryIO

from nextvec.errors import FullDiskError, LargeFileError, StorageError

_CODES = (errno.ENOSPC, errno.EDQUOT)
_WORDS = re.compile(r"no space left on device|disk quota exceeded|\bos error (?:28|122)\b", re.IGNORECASE)
_TOO_LARGE = re.compile(r"file too large|\bos error 27\b", re.IGNORECASE)
"""Of libraries that pass on the system's words without its number: Lance, safetensors, torch."""
HEX = "[0-9a-f]" * 12
"""How the names end of what is not yet, or no more, in its place."""


def no_room(error: BaseException) -> type[FullDiskError] | None:
    """Which one an error is that says that the disk, the user's share of it, or the size of a file is used up."""
    if getattr(error, "errno", None) in _CODES or _WORDS.search(str(error)):
        return FullDiskError
    return LargeFileError if getattr(error, "errno", None) == errno.EFBIG or _TOO_LARGE.search(str(error)) else None


def is_unwritable(error: OSError) -> bool:
    """Whether it says that this user may not write there, or nobody."""
    return isinstance(error, PermissionError | NotADirectoryError) or error.errno == errno.EROFS


def misplaced(error: BaseException) -> str | None:
    """What an error says that met a folder where a file should be, or the other way about; None of any other."""
    if isinstance(error, IsADirectoryError):
        return f"{error.filename} is a folder; expected a file. Give the path of a file"
    if isinstance(error, NotADirectoryError):
        return f"{error.filename} is no folder, so that no file can be in it. Give the path of a file in a folder"
    return None


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


def where_possible() -> suppress:
    """Around what keeps in a cache what is found anew otherwise: where it cannot be written, nothing is kept."""
    return suppress(OSError, FullDiskError, StorageError)


def sweep(path: Path) -> None:
    """Away with the files and folders that killed processes would have put in the place of `path`: nobody has a lock on
    them."""
    for left in _beside(path):
        with suppress(OSError), _locked(left):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def leftovers(folder: Path) -> list[Path]:
    """What killed processes left anywhere in a folder, and `sweep` would take away."""
    named = (path for path in below(folder) if fnmatchcase(path.name, f".*.{HEX}"))
    return sorted(filter(_is_left, named))


def below(folder: Path) -> Iterator[Path]:
    """All files and folders in a folder and its folders, but for what goes while they are listed."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def bytes_below(folder: Path) -> int:
    """Of all files there, but for what goes while they are counted."""
    found = (status_of(path) for path in below(folder))
    return sum(status.st_size for status in found if status and stat.S_ISREG(status.st_mode))


def written_ns(path: Path) -> int:
    """When it was last written: nanoseconds since 1970, 0 where it is not there, or no more."""
    status = status_of(path)
    return status.st_mtime_ns if status else 0


def status_of(path: Path) -> os.stat_result | None:
    """None where it is not there, or no more."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _beside(path: Path) -> list[Path]:
    return list(path.parent.glob(f".{escape(path.name)}.{HEX}"))


def _is_left(path: Path) -> bool:
    with suppress(OSError), _locked(path):
        return True
    return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Raises OSError where somebody has a lock on it, it is gone, or nothing can be locked."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _begin(path: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """A new file or folder beside `path`, and what is open of it: locked until that is closed, or its process dies.
    One that is swept away before it has its lock is made again."""
    sweep(path)
    while True:
        made = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        handle = make(made)
        if _hold(handle) and made.exists():
            return made, handle
        os.close(handle)


def _hold(handle: int) -> bool:
    """Whether nobody else has the lock. Where nothing can be locked nothing is swept either."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _make_parent(path: Path) -> None:
    """Raises NotADirectoryError where a file is in its place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        file = next(above for above in path.parents if above.exists())
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(file)) from None


def _new_folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY)


def _new_file(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


@contextmanager
def becoming(path: Path) -> Iterator[Path]:
    """A new folder that is at `path` once all in here is done, and gone when that cannot be."""
    _make_parent(path)
    unfinished, handle = _begin(path, _new_folder)
    try:
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
    Raises IsADirectoryError for a folder, NotADirectoryError for a file in another file.
    """
    path = path.resolve() if path.is_symlink() else path
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            yield device
        return
    _make_parent(path)
    temporary, handle = _begin(path, _new_file)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
