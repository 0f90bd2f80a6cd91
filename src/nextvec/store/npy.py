"""Vectors in an .npy file: whatever floats it holds, read as they are; everything else refused by what it is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO, Any

import numpy as np

from nextvec.disk import replacing, storing
from nextvec.errors import DataError, NotFoundError
from nextvec.store.archive import HEADER_ERRORS

_MAGIC = b"\x93NUMPY"
_OTHERS = {
    b"PK\x03\x04": "an .npz archive or another zip",
    b"\x1f\x8b": "compressed by gzip",
    b"BZh": "compressed by bzip2",
    b"(\xb5/\xfd": "compressed by zstd",
}
_READ_HEADER = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_FLOATS = (2, 4, 8)
"""Bytes of the floats that are read; longer ones differ from machine to machine."""

_ORDERS = {">": "big-endian ", "<": "little-endian "}
_KINDS = {
    "i": "whole numbers, not vectors: multiply quantised ones with their scale, and save floats",
    "u": "whole numbers, not vectors: multiply quantised ones with their scale, and save floats",
    "b": "true and false, not vectors",
    "c": "complex numbers, not vectors",
    "O": "Python objects, which are never unpickled: save numpy.array(rows, dtype=numpy.float32)",
    "V": "records with fields, not vectors: save their columns as one array",
    "U": "texts: encode them with nextvec encode",
    "S": "texts: encode them with nextvec encode",
    "f": "floats of a size that is not read",
}


def read_npy(path: Path) -> tuple[np.ndarray, np.dtype[Any]]:
    """(N, D) float32, N and D at least 1, and the type that the file holds: floats of 16 to 64 bits, in either order
    of bytes, rows or columns first.

    Raises NotFoundError without a file, DataError that says what it holds instead, or where numbers are not finite.
    """
    try:
        with path.open("rb") as file:
            shape, dtype = _header(path, file)
            _check_kind(path, dtype)
            _check_shape(path, shape)
            _check_size(path, math.prod(shape) * dtype.itemsize, path.stat().st_size - file.tell())
            file.seek(0)
            array = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}; write one with: nextvec encode TEXT --out {path}") from None
    except HEADER_ERRORS:
        raise DataError(f"{path} is damaged: its header cannot be read; write it again") from None
    return _finite(path, array), dtype


def write_npy(path: Path, vectors: np.ndarray) -> None:
    """What was at `path` is kept until all of it is written. Raises FullDiskError, OSError."""
    with storing(path.name, path.parent), replacing(path) as file:
        np.save(file, vectors)


def described(dtype: np.dtype[Any]) -> str:
    """`float32`, `big-endian float32`: the order of bytes where it is not this machine's."""
    return f"{_ORDERS.get(dtype.byteorder, '')}{dtype.name}"


def _header(path: Path, file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    start = file.read(len(_MAGIC))
    if start != _MAGIC:
        what = next((kind for magic, kind in _OTHERS.items() if start.startswith(magic)), "no .npy file")
        raise DataError(
            f"{path} is {what}; expected one array of vectors (N, D), as numpy.save or nextvec encode writes"
        )
    file.seek(0)
    version = np.lib.format.read_magic(file)
    if version not in _READ_HEADER:
        raise DataError(f"{path} has version {version} of .npy, in which no floats (N, D) are saved; save it again")
    shape, _, dtype = _READ_HEADER[version](file)
    return shape, dtype


def _check_kind(path: Path, dtype: np.dtype[Any]) -> None:
    if dtype.kind != "f" or dtype.itemsize not in _FLOATS:
        what = _KINDS.get(dtype.kind, "not vectors")
        raise DataError(f"{path} holds {described(dtype)}, {what}. Expected float16, float32 or float64, (N, D)")


def _check_shape(path: Path, shape: tuple[int, ...]) -> None:
    if len(shape) == 1:
        raise DataError(f"{path} holds one row of {shape[0]} numbers; expected (N, D): save array[None] for one vector")
    if len(shape) != 2 or min(shape) < 1:
        raise DataError(f"{path} has shape {shape}; expected (N, D), one vector or more")


def _check_size(path: Path, declared: int, held: int) -> None:
    """Before memory is given to what a header says."""
    if held < declared:
        raise DataError(f"{path} is cut off: it holds {held:,} of {declared:,} bytes; write it again")


def _finite(path: Path, array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        vectors = np.ascontiguousarray(array, dtype=np.float32)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise DataError(f"{path}: vector {int(finite.argmin())} holds NaN, infinity or numbers beyond float32")
    return vectors
