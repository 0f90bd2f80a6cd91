"""Records: JSON files replaced atomically and JSON-lines files appended whole lines at a time."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from nextvec.disk import storing
from nextvec.errors import IntegrityError

BLOCK = 65_536
"""Bytes read at once where a file is read backwards."""


def write_atomic(path: Path, content: bytes) -> None:
    """Replace `path` with `content`: a reader, or a machine that stops half-way, sees the old file or the new one.

    Raises FullDiskError.
    """
    kept = f"The {path.name} from before is kept" if path.exists() else "What was stored before is kept"
    with storing(f"{path.name} ({len(content):,} bytes)", path.parent, kept), replacing(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` once it is written, and is gone when it cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with temporary.open("xb") as file:
            yield file
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Atomically, indented, NaN refused (ValueError)."""
    write_atomic(path, (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Raises IntegrityError when the file is missing or is not JSON."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise IntegrityError(f"{path} is missing") from None
    except ValueError as error:
        raise IntegrityError(f"{path} is not JSON: {error}") from None


def append_line(path: Path, value: Any) -> None:
    """Append one JSON object as one line in one write; a last line that a killed run cut off is dropped first.

    Only the end of the file is read: a line costs the same in a long file. Raises FullDiskError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = (json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n").encode()
    with storing(f"a line of {path.name}", path.parent), path.open("ab+") as file:
        end = file.seek(0, os.SEEK_END)
        if (complete := _complete_bytes(file, end)) < end:
            file.truncate(complete)
        file.write(line)


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

    Raises IntegrityError, with its number, for a complete line that is not JSON.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    return [_read_line(path, number, line) for number, line in enumerate(lines[:-1], 1) if line.strip()]


def _read_line(path: Path, number: int, line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise IntegrityError(f"{path}, line {number}, is not JSON: {error}") from None
