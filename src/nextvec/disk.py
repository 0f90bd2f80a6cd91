"""A full disk told in one way, whichever library met it: what is missing, what is kept, what to do."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
