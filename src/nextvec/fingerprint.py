"""Fingerprints: 16 hexadecimal digits that stand for data, so that everything derived can say what it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

DIGEST_BYTES = 8
FILE_BLOCK = 1 << 20
ROWS = 65_536
"""Of a column, made into text at a time."""


def fingerprint(value: Any) -> str:
    """Of any JSON-able value; independent of the order of keys."""
    return fingerprint_bytes([_text(value).encode()])


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def fingerprint_columns(first: list[Any], columns: Iterable[Iterable[Any]]) -> str:
    """`fingerprint([*first, [list(column) for column in columns]])` of columns that are never lists at once: each gives
    its values in pieces, which have `to_pylist`."""
    return fingerprint_bytes(_columns_text(first, columns))


def _columns_text(first: list[Any], columns: Iterable[Any]) -> Iterator[bytes]:
    yield _text(first)[:-1].encode() + b",["
    for number, column in enumerate(columns):
        yield b",[" if number else b"["
        pieces = (chunk[start : start + ROWS] for chunk in column.chunks for start in range(0, len(chunk), ROWS))
        for place, piece in enumerate(pieces):
            yield b"," * bool(place) + _text(piece.to_pylist())[1:-1].encode()
        yield b"]"
    yield b"]]"


def fingerprint_bytes(parts: Iterable[bytes | memoryview]) -> str:
    """Of the concatenation of `parts` (arrays: pass `memoryview(np.ascontiguousarray(a)).cast("B")`)."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def sha256_file(path: Path) -> str:
    """Full SHA-256 of a file, 64 hexadecimal digits: for files whose published hash is checked."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(FILE_BLOCK):
            digest.update(block)
    return digest.hexdigest()
