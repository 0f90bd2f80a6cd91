"""Files of a disk: replaced as a whole, and a full disk told in one way, whichever library met it."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nextvec.errors import FullDiskError

_CODES = (errno.ENOSPC, errno.EDQUOT)
_WORDS = re.compile(r"no space left on device|disk quota exceeded|\bos error (?:28|122)\b", re.IGNORECASE)
"""Of libraries that pass on the system's words without its number: Lance, safetensors, torch."""


def is_full_disk(error: BaseException) -> bool:
    """Whether an error says that the disk, or the user's share of it, is used up."""
    return getattr(error, "errno", None) in _CODES or _WORDS.search(str(error)) is not None


@contextmanager
def storing(what: str, place: Path, kept: str = "What was stored before is kept") -> Iterator[None]:
    """Turns the error of a full disk inside into FullDiskError; `kept` says what is there all the same."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        if not is_full_disk(error):
            raise
        raise FullDiskError(what, place, kept) from None


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` once it is written, and is gone when it cannot be.

    A link stays one: what it points to is replaced. A device or a pipe is written to as it is.
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
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with temporary.open("xb") as file:
            yield file
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
