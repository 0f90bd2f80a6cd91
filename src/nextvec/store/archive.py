"""NPZ files from strangers: every claim a file makes is checked before memory or disk is given to it.

Nothing is unpickled. Headers are read out of the zip members a few bytes at a time; sizes, shapes and types are
compared with what the zip directory and the file on disk allow; only then is a member unpacked, block by block.
"""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from nextvec.errors import DataError, NotFoundError

MAX_RATIO = 100
MAX_BYTES = 1 << 40
MAX_HEADER_BYTES = 10_000
MAX_MEMBERS = 64
BLOCK_BYTES = 1 << 22
_ENCRYPTED = 0x1
HEADER_ERRORS = (  # what numpy's header parser is known to raise when the text was made to hurt it
    ValueError,
    TypeError,
    KeyError,
    SyntaxError,
    OverflowError,
    RecursionError,
    MemoryError,
    tokenize.TokenError,
)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LENGTH_FIELD = {(1, 0): "<H", (2, 0): "<I"}


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """What a member says it holds. `data_offset`: bytes before the first number."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    data_offset: int

    @property
    def data_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


class Archive:
    """An open NPZ file whose directory has been checked. `headers` has every array by key, nothing is loaded."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, max_bytes: int) -> None:
        self.path = path
        self._archive = archive
        self._members = self._checked_members(max_bytes)
        self.headers = {key: self._header(key) for key in self._members}

    def refuse(self, key: str, given: object, expected: object) -> NoReturn:
        """Raise DataError naming file, key, what was given and what was expected."""
        raise DataError(f"{self.path}: {key}: {given}; expected {expected}")

    def blocks(self, key: str) -> Iterator[np.ndarray]:
        """The array in C order, a few rows (first axis) at a time. Raises DataError for a damaged member."""
        header = self.headers[key]
        row_shape = header.shape[1:]
        row_bytes = math.prod(row_shape) * header.dtype.itemsize
        rows = max(1, BLOCK_BYTES // max(1, row_bytes))
        with self._reading(key) as member:
            self._read(member, key, header.data_offset)
            for start in range(0, header.shape[0], rows):
                count = min(rows, header.shape[0] - start)
                content = self._read(member, key, count * row_bytes)
                yield np.frombuffer(content, dtype=header.dtype).reshape(count, *row_shape)

    def column(self, key: str) -> np.ndarray:
        """A whole one-dimensional array; check its size in `headers` first."""
        return np.concatenate(list(self.blocks(key)))

    def scalar(self, key: str) -> Any:
        """The one value of an array without axes; check its size in `headers` first."""
        header = self.headers[key]
        with self._reading(key) as member:
            self._read(member, key, header.data_offset)
            return np.frombuffer(self._read(member, key, header.data_bytes), dtype=header.dtype)[0]

    def check_ratio(self, key: str) -> None:
        """Raise DataError for a member that claims to unpack to more than MAX_RATIO times its size (a zip bomb)."""
        info = self._members[key]
        ratio = info.file_size / max(1, info.compress_size)
        if ratio > MAX_RATIO:
            self.refuse(key, f"unpacks to {ratio:.0f} times its size", f"at most {MAX_RATIO} times for vectors")

    def _checked_members(self, max_bytes: int) -> dict[str, zipfile.ZipInfo]:
        infos = self._archive.infolist()
        if len(infos) > MAX_MEMBERS:
            self.refuse("zip directory", f"{len(infos)} members", f"at most {MAX_MEMBERS}")
        names = Counter(info.filename for info in infos)
        for info in infos:
            self._check_member(info, names[info.filename])
        declared, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
        if declared > max_bytes:
            self.refuse("zip directory", f"{declared} bytes unpacked", f"at most {max_bytes}")
        if packed > self.path.stat().st_size:
            self.refuse(
                "zip directory", f"{packed} bytes packed", f"no more than the file's {self.path.stat().st_size}"
            )
        return {info.filename.removesuffix(".npy"): info for info in infos}

    def _check_member(self, info: zipfile.ZipInfo, times: int) -> None:
        name = info.filename
        if times > 1:
            self.refuse(name, f"{times} members of that name", "one")
        if not name.endswith(".npy") or not name.removesuffix(".npy").isidentifier():
            self.refuse(repr(name), "a member that is not a plain array name", "KEY.npy, without folders")
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            self.refuse(name, f"encrypted, or compression method {info.compress_type}", "stored or deflated")

    def _header(self, key: str) -> ArrayHeader:
        with self._reading(key) as member:
            prefix = self._read(member, key, 8)
            if prefix[:6] != b"\x93NUMPY":
                self.refuse(key, "no .npy header", "an array written by numpy.save")
            field = _LENGTH_FIELD.get((prefix[6], prefix[7]))
            if field is None:
                self.refuse(key, f".npy version {prefix[6]}.{prefix[7]}", "1.0 or 2.0")
            length = self._read(member, key, struct.calcsize(field))
            (size,) = struct.unpack(field, length)
            if size > MAX_HEADER_BYTES:
                self.refuse(key, f"a header of {size} bytes", f"at most {MAX_HEADER_BYTES}")
            return self._parse_header(key, prefix + length + self._read(member, key, size))

    def _parse_header(self, key: str, content: bytes) -> ArrayHeader:
        stream = io.BytesIO(content)
        read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
        try:
            shape, fortran_order, dtype = read[np.lib.format.read_magic(stream)[0]](stream)
        except HEADER_ERRORS as error:
            self.refuse(key, f"a damaged header ({error})", "one written by numpy.save")
        if dtype.hasobject:
            self.refuse(key, "an object array (pickle)", "numbers or text; pickles are never opened")
        if fortran_order and len(shape) > 1:
            self.refuse(key, "columns first (Fortran order)", "rows first: save numpy.ascontiguousarray(array)")
        header = ArrayHeader(shape=shape, dtype=dtype, data_offset=len(content))
        self._check_size(key, header)
        return header

    def _check_size(self, key: str, header: ArrayHeader) -> None:
        if any(length < 0 for length in header.shape):
            self.refuse(key, f"shape {list(header.shape)}", "lengths of at least 0")
        stored = self._members[key].file_size - header.data_offset
        if header.data_bytes != stored:
            self.refuse(key, f"{header} declares {header.data_bytes} bytes", f"the {stored} that the member holds")

    def _read(self, member: IO[bytes], key: str, size: int) -> bytes:
        content = member.read(size)
        if len(content) != size:
            self.refuse(key, f"ends {size - len(content)} bytes early", "a whole member; the file is truncated")
        return content

    @contextmanager
    def _reading(self, key: str) -> Iterator[IO[bytes]]:
        try:
            with self._archive.open(self._members[key]) as member:
                yield member
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            self.refuse(key, f"cannot be unpacked ({error})", "an undamaged member; fetch the file again")


@contextmanager
def open_archive(path: Path, *, max_bytes: int = MAX_BYTES) -> Iterator[Archive]:
    """Raises NotFoundError when there is no file, DataError for anything that is not a harmless NPZ file."""
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError) as error:
        raise DataError(f"{path}: not an NPZ file ({error}); expected the zip that numpy.savez writes") from None
    with archive:
        yield Archive(path, archive, max_bytes)
