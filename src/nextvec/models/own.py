"""A function of one's own as a predictor: vectors of a document so far in, what comes next out.

N vectors of one document, D their size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nextvec.errors import DataError
from nextvec.heading import NextHeading
from nextvec.models.forecast import Forecast
from nextvec.models.memory import Memory, check_memory, latest
from nextvec.models.predictor import Predictor, PredictorSpec, check_input, unit

Vectors = npt.NDArray[np.float32]
Function = Callable[[Vectors], npt.ArrayLike]
"""Of the vectors (N, D) of a document so far, N >= 1: the next one (D,), or what comes after each of them (N, D)."""
SAME = 1e-4
"""Rounding: by how much what is said of a beginning may change once the rest is seen."""


class OwnPredictor(Predictor):
    """Whatever a function says, scaled to norm 1; nothing of it is trained or kept.

    One that answers with a vector is asked anew for every beginning of a document, so that it cannot look ahead. One
    that answers with a vector for each is asked once a document, and once of its first half to see that it does not.

    Args:
        function: see `Function`.
        dim: D.
        name: what tables call it.
    """

    def __init__(self, function: Function, dim: int, name: str) -> None:
        self._function = function
        self._spec = PredictorSpec(name=name, dim=dim, context=None)

    @property
    def spec(self) -> PredictorSpec:
        return self._spec

    def forecast(
        self,
        x_BTD: Tensor,
        mask_BT: Tensor,
        breaks_BT: Tensor | None = None,
        next_BT: Tensor | None = None,
        heading: NextHeading | None = None,
    ) -> Forecast:
        """Raises MismatchError as every predictor, DataError for what is no answer, or looks ahead."""
        check_input(self._spec.name, self._spec.dim, x_BTD, mask_BT)
        return Forecast(lambda: self._points(x_BTD, mask_BT))

    def read(
        self,
        x_BTD: Tensor,
        memory: Memory,
        breaks_BT: Tensor | None = None,
        next_BT: Tensor | None = None,
        heading: NextHeading | None = None,
    ) -> tuple[Forecast, Memory]:
        """All vectors are kept, and the function is asked of all of them."""
        check_input(self._spec.name, self._spec.dim, x_BTD, None)
        check_memory(self._spec.name, len(x_BTD), memory)
        seen_BTD = latest(memory.kept, x_BTD)
        said = Forecast(lambda: unit(torch.stack([self._after(x_TD)[-1] for x_TD in seen_BTD])[:, None]).to(x_BTD))
        return said, Memory(memory.owner, memory.documents, seen_BTD)

    def _points(self, x_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        points_BTD = torch.zeros_like(x_BTD)
        for points_TD, x_TD, length in zip(points_BTD, x_BTD, mask_BT.sum(1).tolist(), strict=True):
            points_TD[:length] = self._document(x_TD[:length]).to(points_TD)
        return unit(points_BTD)

    def _document(self, x_ND: Tensor) -> Tensor:
        """(N, D) of one document."""
        said = self._after(x_ND)
        if len(said) == 1:
            return torch.cat([*(self._after(x_ND[:end]) for end in range(1, len(x_ND))), said])
        self._require_causal(x_ND[: (len(x_ND) + 1) // 2], said)
        return said

    def _after(self, x_ND: Tensor) -> Tensor:
        """(1, D) or (N, D) float32 unit vectors, of any length as the function answers. What it is given is its own."""
        own_ND = x_ND.to("cpu", torch.float32, copy=True).numpy()
        answer = self._function(own_ND)
        try:
            said = np.atleast_2d(np.asarray(answer))
        except (TypeError, ValueError, RuntimeError) as error:
            raise DataError(
                f"{self._spec.name} answered with what is no array of numbers ({str(error).splitlines()[0]}); of a "
                "tensor give tensor.detach().float().cpu()"
            ) from None
        if said.dtype.kind not in "fiu":
            given = "None: it returns nothing" if answer is None else f"an array of {said.dtype}"
            raise DataError(f"{self._spec.name} answered with {given}; expected real numbers, vectors")
        if said.shape not in ((1, self._spec.dim), tuple(x_ND.shape)) or not np.isfinite(said).all():
            raise DataError(
                f"{self._spec.name} answered {len(x_ND)} vectors of {self._spec.dim} numbers with an array of shape "
                f"{said.shape}{'' if np.isfinite(said).all() else ' that is not finite'}; expected the next vector, "
                f"({self._spec.dim},), or one after each, ({len(x_ND)}, {self._spec.dim})"
            )
        if not said.any(axis=1).all():
            raise DataError(
                f"{self._spec.name} answered with zeros, which point nowhere; expected vectors of any length"
            )
        return torch.from_numpy(_directions(said).astype(np.float32))

    def _require_causal(self, half_HD: Tensor, said_ND: Tensor) -> None:
        worst = float((self._after(half_HD) - said_ND[: len(half_HD)]).abs().max())
        if worst > SAME:
            raise looks_ahead(self._spec.name, len(half_HD), worst)


def looks_ahead(name: str, seen: int, worst: float) -> DataError:
    return DataError(
        f"{name} looks ahead: what it says of the first {seen} vectors changes by {worst:.2g} once the rest is there. "
        "Let what it says after vector t depend on the first t alone"
    )


def _directions(said: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Of rows of any length, also of one that float32 does not hold, or whose square is infinite."""
    largest = np.abs(said.astype(np.float64)).max(axis=1, keepdims=True)
    near_one = said / largest
    directions: npt.NDArray[np.float64] = near_one / np.linalg.norm(near_one, axis=1, keepdims=True)
    return directions
