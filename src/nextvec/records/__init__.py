"""Records: JSON files replaced atomically and JSON-lines files appended whole lines at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO

from nextvec.disk import replacing, storing
from nextvec.errors import IntegrityError, NotFoundError
from nextvec.mirror import fetch, mirrored, published, rewrite
from nextvec.records.names import CONFIG

REMEDY = "Restore it from a copy, or make anew what it belongs to"
BLOCK = 65_536
"""Bytes read at once where a file is read backwards."""


def write_atomic(path: Path, content: bytes) -> None:
    """Replace `path` with `content`: a reader, or a machine that stops half-way, sees the old file or the new one.

    In a bucket only what this process has seen is replaced, LostRaceError otherwise. Raises FullDiskError.
    """
    kept = f"The {path.name} from before is kept" if path.exists() else "What was stored before is kept"
    what = f"{path.name} ({len(content):,} bytes)"
    with published(path, content), storing(what, path.parent, kept), replacing(path) as file:
        file.write(content)
        file.flush()
        if S_ISREG(os.fstat(file.fileno()).st_mode):  # a device or a pipe keeps nothing
            os.fsync(file.fileno())


def write_json(path: Path, value: Any) -> None:
    """Atomically, indented, NaN refused (ValueError)."""
    write_atomic(path, (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """The object that it holds. Raises IntegrityError when the file is missing or holds none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise IntegrityError(f"{path} is missing. {REMEDY}") from None
    return _object(str(path), content)


def _object(place: str, content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise IntegrityError(f"{place} is not JSON: {error}. {REMEDY}") from None
    if not isinstance(value, dict):
        raise IntegrityError(f"{place} holds a JSON {type(value).__name__}, expected an object. {REMEDY}")
    return value


@contextmanager
def taken_apart(place: object, remedy: str = REMEDY) -> Iterator[None]:
    """Around what reads the parts of a record: parts that are not there, or are something else than what was written,
    are an IntegrityError that names `place`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        told = f"without {error}" if isinstance(error, KeyError) else error
        raise IntegrityError(f"{place} is not as it was written ({told}). {remedy}") from None


def append_line(path: Path, value: Any) -> None:
    """Append one JSON object as one line in one write; a last line that a killed run cut off is dropped first.

    In a bucket it is appended to what is there now, whoever wrote that. Raises FullDiskError.
    """
    if mirrored(path):
        rewrite(path, lambda content: content + _line(value))
    else:
        append_here(path, value, lasting=True)


def append_beside(path: Path, value: Any) -> None:
    """`append_line` to what is kept beside a finished model, whose folder is not made anew where the model was renamed,
    archived or removed meanwhile. Raises NotFoundError then."""
    fetch(path.with_name(CONFIG))
    try:
        if not path.with_name(CONFIG).exists():
            raise FileNotFoundError
        if mirrored(path):
            append_line(path, value)
        else:
            _append_there(path, value, lasting=True)
    except FileNotFoundError:
        raise NotFoundError(
            f"{path.name} is not kept: the model at {path.parent} was renamed, archived or removed meanwhile"
        ) from None


def append_if(path: Path, value: Any, accept: Callable[[list[Any]], None]) -> None:
    """`append_line`, but `accept` is given what the lines hold by then, and may raise instead: of several processes
    that append in this way each sees what the one before it has written."""
    if mirrored(path):
        rewrite(path, lambda content: _accepted(path, content, accept) + _line(value))
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _appending(path) as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # let go when the file is closed
            accept(read_lines(path))
            _append(file, value, lasting=True)


def append_here(path: Path, value: Any, *, lasting: bool = False) -> None:
    """`append_line` to the file on this machine alone, until it is published.

    Only the end of the file is read: a line costs the same in a long file. A `lasting` one is on the disk when this
    returns, whatever becomes of the machine. Raises FullDiskError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _append_there(path, value, lasting)


def _append_there(path: Path, value: Any, lasting: bool) -> None:
    with _appending(path) as file:
        _append(file, value, lasting)


@contextmanager
def _appending(path: Path) -> Iterator[BinaryIO]:
    with storing(f"a line of {path.name}", path.parent), path.open("ab+") as file:
        yield file


def _append(file: BinaryIO, value: Any, lasting: bool) -> None:
    line = _line(value)
    _drop_torn_line(file)
    file.write(line)
    if lasting:
        file.flush()
        os.fsync(file.fileno())


def require_lines(path: Path) -> None:
    """Prepare a JSON-lines file, if there is one, for somebody else who reads and appends: a line that was cut off by a
    killed run goes. Raises IntegrityError as `read_lines`."""
    if read_lines(path):
        with path.open("rb+") as file:
            _drop_torn_line(file)


def _drop_torn_line(file: BinaryIO) -> None:
    end = file.seek(0, os.SEEK_END)
    if (complete := _complete_bytes(file, end)) < end:
        file.truncate(complete)


def _line(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _accepted(path: Path, content: bytes, accept: Callable[[list[Any]], None]) -> bytes:
    accept(_values(path, content))
    return content


def _complete_bytes(file: BinaryIO, end: int) -> int:
    """Of the first `end` bytes, those of complete lines: up to the last line break, looked for from the end."""
    block = 1
    while end > 0:
        start = max(0, end - block)
        file.seek(start)
        if (found := file.read(end - start).rfind(b"\n")) >= 0:
            return start + found + 1
        end, block = start, BLOCK
    return 0


def read_lines(path: Path) -> list[Any]:
    """Every complete line of a JSON-lines file; one cut off by a killed run is ignored. [] without a file.

    Raises IntegrityError, with its number, for a complete line that is no JSON object.
    """
    if not path.exists():
        return []
    return _values(path, path.read_bytes())


def _values(path: Path, content: bytes) -> list[Any]:
    lines = content.split(b"\n")
    return [_object(f"{path}, line {number},", line) for number, line in enumerate(lines[:-1], 1) if line.strip()]
