"""Vectors that somebody gives: taken as they are, scaled, or refused by their number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nextvec.errors import DataError
from nextvec.store.encoded import first_bad_vector
from nextvec.structure import BEGINS, CONTINUES, UNKNOWN

NORM_TOLERANCE = 0.02
"""How far from 1 a norm may be: more than rounding to float16 does."""
LARGEST = np.dtype(np.float64)
"""What torch knows; wider numbers are rounded to it."""


def as_array(given: npt.ArrayLike, name: str = "vector") -> np.ndarray:
    """The numbers of an array, a tensor or nested lists: contiguous, in the order of bytes of this machine, and a copy
    where nothing may be written to them, as torch asks for.

    Raises DataError for rows of different lengths, a tensor that is no array here, and an array with masked numbers.
    """
    if isinstance(given, np.ma.MaskedArray) and given.mask.any():
        raise DataError(
            f"{name}: {int(given.mask.sum()):,} of its numbers are masked; fill them, or leave the rows out"
        )
    try:
        numbers = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{name}: no array of numbers, (N, D) ({str(error).splitlines()[0]})") from None
    wide = numbers.dtype.kind == "f" and numbers.dtype.itemsize > LARGEST.itemsize
    return np.require(numbers, LARGEST if wide else numbers.dtype.newbyteorder("="), ["C", "W"])


def as_encoded(given: npt.ArrayLike, count: int, dim: int, encoder: str) -> np.ndarray:
    """What `encoder` gave for `count` texts, (count, dim) floating. Raises DataError for anything else."""
    vectors = as_array(given, f"what encoder '{encoder}' gave for {count} texts")
    if vectors.shape != (count, dim) or vectors.dtype.kind != "f":
        raise DataError(
            f"encoder '{encoder}' gave {vectors.dtype} of shape {vectors.shape} for {count} texts; expected "
            f"floating-point numbers ({count}, {dim}), a vector of norm 1 for each"
        )
    return vectors


def require_unit(vectors: np.ndarray, names: Sequence[str] = ("vector",)) -> np.ndarray:
    """`vectors` (..., D) themselves, every one of norm 1 up to `NORM_TOLERANCE`.

    Raises DataError that says where the first other one is, by `names` of the axes before the last, and what it is.
    """
    if vectors.dtype.kind not in "fiu":
        texts = vectors.dtype.kind in "US" or any(isinstance(each, str) for each in vectors.flat)
        remedy = "encode the texts first" if texts else "of what comes one by one, make a list"
        raise DataError(f"got an array of {vectors.dtype}; expected vectors of norm 1, real numbers: {remedy}")
    wrong = _not_unit(vectors)
    if wrong.any():
        place = np.unravel_index(int(wrong.argmax()), wrong.shape)
        where = ", ".join(f"{name} {number}" for name, number in zip(names, place, strict=True))
        _, what = first_bad_vector(vectors[place][None]) or (0, "")
        raise DataError(f"{where} {what}; expected vectors of norm 1, without NaN or infinity, as encoders give them")
    return vectors


def is_unit(vectors: np.ndarray) -> bool:
    """Whether `require_unit` takes them."""
    return not _not_unit(vectors).any()


def require_breaks(breaks: npt.ArrayLike) -> npt.NDArray[np.int8]:
    """int8 (N,): 1, 0 or -1 a chunk. Raises DataError for anything else."""
    codes = np.asarray(breaks)
    if not np.isin(codes, (UNKNOWN, CONTINUES, BEGINS)).all():
        raise DataError(f"breaks {codes.tolist()}: expected for each chunk 1 (begins a paragraph), 0 (goes on) or -1")
    return codes.astype(np.int8)


def headings_ahead(
    headings: npt.ArrayLike, count: int, dim: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """(N, D) the heading that the chunk after each of `count` = N stands under, zero for none, and (N,) whether it
    stands between the two.

    `headings` are those of the chunks themselves, (N, D), or (N + 1, D) with that of the chunk to come, which else is
    taken to stand under the last one's. Raises DataError for other shapes, and rows that are neither of norm 1 nor 0.
    """
    own = as_array(headings, "headings")
    if own.dtype.kind not in "fiu" or own.shape not in ((count, dim), (count + 1, dim)):
        raise DataError(
            f"got {own.dtype} of shape {own.shape} for headings; expected ({count}, {dim}), the heading of each "
            f"vector's chunk, zeros for none, or ({count + 1}, {dim}) with that of the chunk to come"
        )
    named = own.any(axis=1, keepdims=True)
    require_unit(np.where(named, own, np.eye(1, dim)), ("heading",))
    both = np.concatenate([own, own[-1:]])[: count + 1].astype(np.float32)
    return both[1:], (both[1:] != both[:-1]).any(axis=1) & both[1:].any(axis=1)


def directions(vectors: np.ndarray, name: str = "vector") -> np.ndarray:
    """`vectors` (N, D) scaled to norm 1, float32. Raises DataError, with name and number, for one without direction."""
    if vectors.dtype.kind not in "fiu":
        raise DataError(f"{name}: got an array of {vectors.dtype}; expected numbers: encode the texts first")
    problem = first_bad_vector(vectors, tolerance=np.inf)
    if problem is not None:
        raise DataError(f"{name} {problem[0]} {problem[1]}; expected finite numbers with a direction: any norm but 0")
    wide = vectors.astype(np.float64)
    return (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)


def _not_unit(vectors: np.ndarray) -> np.ndarray:
    """bool (...): in single precision, which is faster and exact enough for the tolerance."""
    with np.errstate(all="ignore"):
        squares = np.einsum("...d,...d->...", vectors, vectors)
        return np.asarray(~(np.abs(squares - 1) <= 2 * NORM_TOLERANCE))
