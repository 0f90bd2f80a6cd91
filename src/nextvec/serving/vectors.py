"""Vectors as they come in requests and go out in answers: JSON numbers, base64, raw little-endian bytes."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from nextvec.serving.problems import ProblemError
from nextvec.serving.settings import Limits

NORM_TOLERANCE = 0.02
"""How far from 1 a norm may be: more than rounding to float16 does."""

DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2")}
SHAPE = re.compile(r"(\d{1,7},)?\d{1,7},\d{1,5}")


def contexts_of(lists: Sequence[Sequence[Sequence[float]]], limits: Limits) -> list[np.ndarray]:
    """Contexts (T_i, D) float32 of unit vectors. Raises ProblemError for ragged, too many or other vectors."""
    _check_sizes([len(context) for context in lists], limits)
    return [_finite_unit(_rectangular(context, f"context {number}")) for number, context in enumerate(lists)]


def directions_of(lists: Sequence[Sequence[float]], limits: Limits) -> np.ndarray:
    """(Q, D) float32, scaled to norm 1. Raises ProblemError for ragged, too many, zero or infinite vectors."""
    _check_count(len(lists), limits)
    vectors = _rectangular(lists, "vectors")
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(vectors).all() or not (norms > 0).all():
        raise ProblemError(422, "vectors hold a zero vector, NaN or infinity; expected finite numbers with a direction")
    return (vectors / norms).astype(np.float32)


def raw_contexts(body: bytes, shape: str, dtype: str, limits: Limits) -> np.ndarray:
    """Contexts (B, T, D) float32 from raw bytes in C order.

    Args:
        shape: `B,T,D`, or `T,D` for one context.
        dtype: `float32` or `float16`, little-endian.

    Raises ProblemError when the body's length is not what shape and dtype say, or its vectors are not unit vectors.
    """
    if dtype not in DTYPES:
        raise ProblemError(422, f"dtype {dtype[:20]!r}; expected float32 or float16")
    if not SHAPE.fullmatch(shape):
        raise ProblemError(
            422, f"shape {shape[:40]!r}; expected B,T,D (contexts, vectors, D) or T,D, for example 8,5,384"
        )
    numbers = tuple(int(part) for part in shape.split(","))
    B, T, D = numbers if len(numbers) == 3 else (1, *numbers)
    expected = math.prod(numbers) * DTYPES[dtype].itemsize
    if len(body) != expected or not expected:
        raise ProblemError(422, f"the body has {len(body):,} bytes; shape {shape} of {dtype} is {expected:,}")
    _check_sizes([T] * B, limits)
    vectors = np.frombuffer(body, DTYPES[dtype]).astype(np.float32)
    return _finite_unit(vectors.reshape(B, T, D))


def raw_bytes(vectors: np.ndarray, dtype: str) -> bytes:
    """Little-endian, C order."""
    return vectors.astype(DTYPES[dtype]).tobytes()


def base64_of(vector: np.ndarray) -> str:
    """Of its little-endian float32 bytes, as OpenAI's clients expect."""
    return base64.b64encode(raw_bytes(vector, "float32")).decode("ascii")


def _rectangular(rows: Sequence[Sequence[float]], what: str) -> np.ndarray:
    if len({len(row) for row in rows}) > 1:
        raise ProblemError(422, f"{what}: its vectors have different lengths; expected D numbers in each")
    with np.errstate(over="ignore"):
        return np.array(rows, dtype=np.float32)


def _finite_unit(vectors: np.ndarray) -> np.ndarray:
    """Raises ProblemError unless every vector along the last axis has norm 1, NaN and infinity included."""
    squares = np.einsum("...d,...d->...", vectors, vectors)
    wrong = ~(np.abs(squares - 1) <= 2 * NORM_TOLERANCE)
    if wrong.any():
        norm = math.sqrt(float(squares[wrong][0])) if np.isfinite(squares[wrong][0]) else math.nan
        found = "one holds NaN, infinity or numbers beyond float32" if math.isnan(norm) else f"one has norm {norm:.3g}"
        raise ProblemError(422, f"vectors must have norm 1, as encoders give them; {found}")
    return vectors


def _check_sizes(lengths: Sequence[int], limits: Limits) -> None:
    _check_count(sum(lengths), limits)
    for number, length in enumerate(lengths):
        if not 1 <= length <= limits.context:
            raise ProblemError(422, f"context {number} has {length} vectors; expected 1 to {limits.context}")


def _check_count(count: int, limits: Limits) -> None:
    if count > limits.vectors:
        raise ProblemError(422, f"{count} vectors; at most {limits.vectors} at once")
