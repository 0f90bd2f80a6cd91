"""What is asked of a model in Python, as what answers takes it: one document's vectors as tensors, candidates, numbers.

Shape suffixes: N vectors of one document, D embedding size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nextvec.config import nested
from nextvec.errors import MismatchError, UsageError
from nextvec.heading import NextHeading
from nextvec.store.given import as_array, headings_ahead, require_breaks, require_unit
from nextvec.structure import UNKNOWN

if TYPE_CHECKING:
    from nextvec.continuation.stopping import StopConfig

STOP = "stop"
"""Settings of this name are those of the stop rules; others are those of the stages."""
Document = tuple[Tensor, Tensor, Tensor | None, Tensor | None, NextHeading | None]
"""Vectors (1, N, D), mask (1, N), breaks and those after each (1, N), the heading after each: as predictors take it."""


def document(
    vectors: npt.ArrayLike,
    breaks: npt.ArrayLike | None = None,
    headings: npt.ArrayLike | None = None,
    *,
    dim: int,
    reader: str,
    owner: str = "vector",
) -> Document:
    """One document of unit vectors (N, D), or (D,).

    Args:
        breaks: (N,) or (N + 1,) codes of `structure`; headings: (N, D) or (N + 1, D), see `headings_ahead`.
        dim: D of the reader.
        reader: says in errors who reads which encoder's vectors, `owner` what the vectors are called.

    Raises MismatchError for another D, DataError for vectors, breaks or headings that are none.
    """
    given = np.atleast_2d(as_array(vectors, owner))
    if given.dtype.kind in "fiu" and given.shape[1:] != (dim,):
        raise MismatchError(f"{reader}; {owner} has shape {given.shape}")
    if not len(given):
        raise MismatchError(f"{reader}, one or more of them; {owner} has shape {given.shape}")
    x_1ND = torch.from_numpy(require_unit(given, [owner]))[None]
    known = None if breaks is None else torch.from_numpy(require_breaks(breaks))[None]
    mask_1N = torch.ones(x_1ND.shape[:2], dtype=torch.bool)
    return x_1ND, mask_1N, *_with_next(known, x_1ND.shape[1]), _next_heading(headings, *x_1ND.shape[1:])


def candidates_of(given: Sequence[str]) -> list[str]:
    """Raises UsageError unless they are one or more, none of them empty: what encodes them counts the context too."""
    texts = [] if given is None or isinstance(given, str) else list(given)
    if not texts:
        raise UsageError("there is no candidate to rank; give a list of one or more texts")
    for number, text in enumerate(texts):
        if isinstance(text, str) and not text.strip():
            raise UsageError(f"candidate {number} of {len(texts)} is empty; expected some words. Leave it out")
    return texts


def require_whole(name: str, given: Any, least: int, most: int) -> None:
    """Raises UsageError for what is no whole number from `least` to `most`."""
    if not isinstance(given, Integral) or isinstance(given, bool) or not least <= int(given) <= most:
        raise UsageError(f"{name} = {given!r}: expected a whole number, {least} to {most:,}")


def stages_and_rules(settings: Mapping[str, Any]) -> tuple[dict[str, Any], StopConfig]:
    """Settings of the stages of a continuation, and those under `stop`. Raises UsageError for an unknown one."""
    from nextvec.continuation.stages import StagesConfig
    from nextvec.continuation.stopping import StopConfig

    stages = nested(settings)
    rules = stages.pop(STOP, {})
    if not isinstance(rules, Mapping):
        raise UsageError(f"{STOP}={rules}: name what to set, for example {STOP}.patience=5")
    for key in stages.keys() - StagesConfig.model_fields.keys():
        raise UsageError.unknown("option of complete", key, [*StagesConfig.model_fields, STOP])
    return stages, StopConfig.parse(rules, owner="complete [stop]")


def _with_next(known: Tensor | None, length: int) -> tuple[Tensor | None, Tensor | None]:
    """Breaks (1, N) and those of the chunk after each: of the last one's, where there is a code more than vectors."""
    if known is None or known.shape[1] != length + 1:
        return known, None
    next_1N = known[:, 1:].clone()
    next_1N[:, :-1] = UNKNOWN
    return known[:, :-1], next_1N


def _next_heading(headings: npt.ArrayLike | None, length: int, dim: int) -> NextHeading | None:
    if headings is None:
        return None
    vectors_ND, fresh_N = headings_ahead(headings, length, dim)
    return NextHeading(torch.from_numpy(vectors_ND)[None], torch.from_numpy(fresh_N)[None])
