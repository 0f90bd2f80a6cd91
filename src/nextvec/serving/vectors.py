"""Vectors as they come in requests and go out in answers: JSON numbers, base64, raw little-endian bytes."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nextvec.continuation.contexts import Context
from nextvec.errors import DataError
from nextvec.serving.problems import about, wrong
from nextvec.serving.settings import Limits
from nextvec.store.given import directions, headings_ahead, is_unit, require_unit

NPY = b"\x93NUMPY"
"""How such a file begins; as numbers it would be far from any unit vector."""

DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2")}
CODES = re.compile(r"(-1|0|1)(,(-1|0|1))*")
SHAPE = re.compile(r"(\d{1,7},)?\d{1,7},\d{1,5}")


def contexts_of(lists: Sequence[Sequence[Sequence[float]]], limits: Limits) -> list[np.ndarray]:
    """Contexts (T_i, D) float32 of unit vectors. Raises DataError for ragged, too many or other vectors."""
    _check_sizes([len(context) for context in lists], limits)
    contexts = [_rectangular(context, f"those of context {number}") for number, context in enumerate(lists)]
    return [require_unit(context, (f"context {number}, vector",)) for number, context in enumerate(contexts)]


def directions_of(lists: Sequence[Sequence[float]], limits: Limits) -> np.ndarray:
    """(Q, D) float32, scaled to norm 1. Raises DataError for ragged, too many, zero or infinite vectors."""
    _check_count(len(lists), limits)
    return directions(_rectangular(lists, "they"))


def raw_contexts(body: bytes, shape: str, dtype: str, limits: Limits) -> np.ndarray:
    """Contexts (B, T, D) float32 from raw bytes in C order.

    Args:
        shape: `B,T,D`, or `T,D` for one context.
        dtype: `float32` or `float16`, little-endian.

    Raises ProblemError when the body's length is not what shape and dtype say, or its vectors are not unit vectors.
    """
    if dtype not in DTYPES:
        raise wrong("dtype", f"got {dtype[:20]!r}, expected float32 or float16, little-endian")
    if not SHAPE.fullmatch(shape):
        given = f"got {shape[:40]!r}" if shape else "missing"
        raise wrong("shape", f"{given}, expected B,T,D (contexts, vectors, D) or T,D, for example 8,5,384")
    if body.startswith(NPY):
        raise wrong("body", "an .npy file, expected its numbers alone: array.tobytes()")
    numbers = tuple(int(part) for part in shape.split(","))
    B, T, D = numbers if len(numbers) == 3 else (1, *numbers)
    expected = math.prod(numbers) * DTYPES[dtype].itemsize
    if len(body) != expected or not expected:
        raise wrong("body", f"the body has {len(body):,} bytes; shape {shape} of {dtype} is {expected:,}")
    with about("shape"):
        _check_sizes([T] * B, limits)
    vectors = np.frombuffer(body, DTYPES[dtype]).astype(np.float32).reshape(B, T, D)
    swapped = np.frombuffer(body, DTYPES[dtype].newbyteorder(">")).astype(np.float32)
    if not is_unit(vectors) and is_unit(swapped.reshape(B, T, D)):
        raise wrong(
            "body", f"big-endian {dtype}, expected little-endian: array.astype('{DTYPES[dtype].str}').tobytes()"
        )
    with about("body"):
        return require_unit(vectors, ("context", "vector"))


def told(contexts: Sequence[np.ndarray], breaks: Sequence[Sequence[int]] | None) -> list[Context]:
    """Contexts (T_i, D) with what `breaks` say: T_i codes of `structure` each, or one more, of what comes next; nothing
    is known without them. Raises DataError for another number."""
    if breaks is None:
        return [Context.untold(vectors) for vectors in contexts]
    if len(breaks) != len(contexts):
        raise DataError(f"those of {len(breaks)} contexts, and vectors of {len(contexts)}; expected a list for each")
    for number, (codes, vectors) in enumerate(zip(breaks, contexts, strict=True)):
        if len(codes) - len(vectors) not in (0, 1):
            raise DataError(
                f"context {number} has {len(vectors)} vectors and {len(codes)} breaks; expected one a vector, "
                "and one more where it is known of the next"
            )
    return [
        Context.told(vectors, np.array(codes, dtype=np.int8)) for vectors, codes in zip(contexts, breaks, strict=True)
    ]


def under(contexts: Sequence[Context], headings: Sequence[Sequence[Sequence[float]]] | None) -> list[Context]:
    """The contexts with what `headings` say, see `headings_ahead`. Raises DataError for another number, or what is no
    heading."""
    if headings is None:
        return list(contexts)
    if len(headings) != len(contexts):
        raise DataError(f"those of {len(headings)} contexts, and vectors of {len(contexts)}; expected a list for each")
    return [_under(context, _rectangular(own, "they")) for context, own in zip(contexts, headings, strict=True)]


def _under(context: Context, headings: np.ndarray) -> Context:
    ahead, fresh = headings_ahead(headings, *context.vectors.shape)
    return replace(context, headings=ahead, fresh=fresh)


def raw_breaks(given: str | None, vectors_BTD: np.ndarray) -> list[Context]:
    """As `told`, of codes with commas between them, context after context.

    Raises ProblemError for what is no code, or another number than B x T or B x (T + 1).
    """
    if given is None:
        return told(list(vectors_BTD), None)
    if not CODES.fullmatch(given):
        raise wrong("breaks", f"got {given[:40]!r}, expected 1, 0 or -1 for each vector, with commas between them")
    B, T = vectors_BTD.shape[:2]
    codes = np.array(given.split(","), dtype=np.int8)
    if codes.size not in (B * T, B * (T + 1)):
        raise wrong("breaks", f"{codes.size} codes; expected {B * T}, one a vector, or one more for each context")
    return told(list(vectors_BTD), codes.reshape(B, -1).tolist())


def raw_bytes(vectors: np.ndarray, dtype: str) -> bytes:
    """Little-endian, C order."""
    return vectors.astype(DTYPES[dtype]).tobytes()


def base64_of(vector: np.ndarray) -> str:
    """Of its little-endian float32 bytes, as OpenAI's clients expect."""
    return base64.b64encode(raw_bytes(vector, "float32")).decode("ascii")


def _rectangular(rows: Sequence[Sequence[float]], what: str) -> np.ndarray:
    if len({len(row) for row in rows}) > 1:
        raise DataError(f"{what} have different lengths; expected D numbers in each vector")
    with np.errstate(over="ignore"):
        return np.array(rows, dtype=np.float32)


def _check_sizes(lengths: Sequence[int], limits: Limits) -> None:
    _check_count(sum(lengths), limits)
    for number, length in enumerate(lengths):
        if not 1 <= length <= limits.context:
            raise DataError(f"context {number} has {length} vectors; expected 1 to {limits.context}")


def _check_count(count: int, limits: Limits) -> None:
    if count > limits.vectors:
        raise DataError(f"{count} vectors; expected at most {limits.vectors} at once")
