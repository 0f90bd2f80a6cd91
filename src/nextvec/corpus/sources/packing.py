"""What people pack files with, and servers web pages, beyond what warcio unpacks."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from nextvec.errors import DataError, MissingDependencyError

PACKED = (".gz", ".bz2", ".xz")
"""Endings of what is unpacked here, behind the endings of the files themselves."""
_UNPACK: Mapping[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
_UNREAD = {b"\x28\xb5\x2f\xfd": "Zstandard", b"7z\xbc\xaf": "7z", b"PK\x03\x04": "zip"}
"""Packings that are not read, by what they begin with."""
_LONGEST = max(map(len, (*_UNPACK, *_UNREAD)))
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError)
"""What is raised at a fault in a packed file."""
_BEHIND = "Not a gzipped file"
"""What the library says of what stands behind the last packed piece."""
_OTHER_NAMES = {"x-gzip": "gzip"}
_BY_LIBRARY = ("", "identity", "gzip", "deflate")
"""Packings that warcio sees to."""
_PACKAGES = {"br": "brotli", "zstd": "zstandard"}
_PLAIN = re.compile(rb"(\xef\xbb\xbf)?\s*<[^\x00-\x08\x0e-\x1f]*")
_LOOKED_AT = 1_000
"""Bytes in which packed ones are told from a page."""


def plain_name(packing: str) -> str:
    """Of a packing that an answer names: in small letters, each by one name."""
    name = packing.strip().lower()
    return _OTHER_NAMES.get(name, name)


def for_library(packing: str) -> str:
    """What warcio is told that an answer is packed with: what it does not unpack, or not with the usual package, it is
    to leave as it is."""
    return packing if packing in _BY_LIBRARY else "identity"


def advice(packing: str, content: bytes) -> str:
    """What to do about content that cannot be unpacked here; "" where it can, or is not packed, whatever is said."""
    if packing in _BY_LIBRARY or _is_plain(content):
        return ""
    if (package := _PACKAGES.get(packing)) is None:
        return f"it can be unpacked from {', '.join([*_BY_LIBRARY[2:], *_PACKAGES])}"
    return "" if find_spec(package) else str(MissingDependencyError.for_extra(package, "documents"))


def unpacked(packing: str, content: bytes) -> bytes:
    """What warcio has left packed; `advice` is "". Raises DataError for what is damaged or cut short."""
    if packing not in _PACKAGES or _is_plain(content):
        return content
    whole = _from_brotli(content) if packing == "br" else _from_zstandard(content)
    if whole is None:
        raise DataError("what it answered is packed, and cut short or damaged")
    return whole


def _from_brotli(content: bytes) -> bytes | None:
    """None for what is damaged or cut short."""
    import brotli

    try:
        whole: bytes = brotli.decompress(content)
    except brotli.error:
        return None
    return whole


def _from_zstandard(content: bytes) -> bytes | None:
    """All frames; None for what is damaged or cut short."""
    import zstandard

    parts = []
    try:
        while content:
            frame = zstandard.ZstdDecompressor().decompressobj()
            parts.append(frame.decompress(content))
            if not frame.eof:
                return None
            content = frame.unused_data
    except zstandard.ZstdError:
        return None
    return b"".join(parts)


def _is_plain(content: bytes) -> bool:
    """Whether it begins as a page does."""
    return _PLAIN.fullmatch(content[:_LOOKED_AT]) is not None


def without_packing(name: str) -> str:
    """A file's name without the ending that says that it is packed."""
    ending = next((ending for ending in PACKED if name.lower().endswith(ending)), "")
    return name.removesuffix(name[len(name) - len(ending) :])


def read_unpacked(path: Path) -> bytes:
    """All of a file, unpacked; archives of several files, as DOCX and EPUB are, as they are. Raises OSError where it
    cannot be read, DataError where it cannot be unpacked to its end."""
    with path.open("rb") as file:
        if not file.read(_LONGEST).startswith(tuple(_UNPACK)):
            return path.read_bytes()
    with Unpacked(path) as packed:
        content = packed.readall()
        if packed.problem:
            raise DataError(f"it is packed, and damaged: {packed.problem}")
    return content


class Unpacked(io.RawIOBase):
    """A file, unpacked where it is packed with gzip, bz2 or xz, which its first bytes say; it ends where no more of it
    can be unpacked. `problem`: why that is before its own end; `goes_on`: whether what is not packed stands behind it.

    Raises OSError for another packing.
    """

    def __init__(self, path: Path) -> None:
        self.problem: Exception | None = None
        self.goes_on = False
        with path.open("rb") as file:
            head = file.read(_LONGEST)
        if packing := next((name for magic, name in _UNREAD.items() if head.startswith(magic)), None):
            raise OSError(f"it is packed with {packing}, which is not read; unpack it first")
        unpack = next((opener for magic, opener in _UNPACK.items() if head.startswith(magic)), None)
        self._file = unpack(path) if unpack else path.open("rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """As much as is there at once: a library that reads on to fill the buffer loses it all at a fault."""
        try:
            piece = self._file.read1(len(buffer))
        except DAMAGED as error:
            self.goes_on = str(error).startswith(_BEHIND)
            self.problem = None if self.goes_on else error
            return 0
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()


class Unzipped:
    """What a file holds that is packed with gzip, in one piece or several, read on as far as it is whole."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = gzip.GzipFile(fileobj=file)

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, and none at the end."""
        return self._file.read1(size)

    def tell(self) -> int:
        return self._file.tell()
