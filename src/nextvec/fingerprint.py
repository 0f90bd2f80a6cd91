"""Fingerprints: 16 hexadecimal digits that stand for data, so that everything derived can say what it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DIGEST_BYTES = 8
FILE_BLOCK = 1 << 20


def fingerprint(value: Any) -> str:
    """Of any JSON-able value; independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return fingerprint_bytes([text.encode()])


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
