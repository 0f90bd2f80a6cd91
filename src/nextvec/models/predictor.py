"""What every predictor is: a causal map from the vectors of a document so far to the next one.

Shape suffixes here and in all of `models`: B documents or windows, T positions, D embedding size, M state width,
K decays, H heads.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from nextvec.config import Config
from nextvec.errors import MismatchError

AnchorName = Literal["none", "mean", "ewma-mix", "ridge-mix"]


class PredictorSpec(Config):
    """What identifies a predictor's shape and size.

    `context` is the number of last vectors it looks at (None: all so far); `parameters` counts trained numbers,
    `fitted` the numbers of closed-form parts (an anchor, a baseline); `ranks_by` says whether candidates are ranked by
    the point or by a query of its own.
    """

    name: str
    dim: int
    context: int | None
    anchor: AnchorName = "none"
    parameters: int = 0
    fitted: int = 0
    ranks_by: Literal["point", "query"] = "point"
    options: dict[str, Any] = Field(default_factory=dict)


@runtime_checkable
class Predictor(Protocol):
    @property
    def spec(self) -> PredictorSpec: ...

    def predict(self, x_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        """Unit-norm predictions y_BTD of the vector after each position; y[:, t] depends on x[:, :t+1] only.

        Args:
            x_BTD: unit vectors, float; what is not a document's own is padding on the right.
            mask_BT: bool, True where x is real: a prefix of every row. Predictions elsewhere mean nothing.

        Raises MismatchError when D is not `spec.dim` or the shapes disagree.
        """
        ...

    def query(self, x_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        """q_BTD, of any norm: the candidate y with the largest q_BTD[:, t] . y comes after position t first.

        The point, where `spec.ranks_by` says so. Arguments and errors as for `predict`.
        """
        ...


def unit(x: Tensor) -> Tensor:
    """x scaled to Euclidean norm 1 over its last axis; a zero vector stays zero."""
    return F.normalize(x, dim=-1, eps=1e-12)


def check_input(name: str, dim: int, x_BTD: Tensor, mask_BT: Tensor) -> None:
    """Raises MismatchError unless x_BTD has D = dim, at least one position, and mask_BT fits it."""
    if x_BTD.ndim != 3 or x_BTD.shape[-1] != dim or not x_BTD.shape[1]:
        raise MismatchError(
            f"{name} predicts {dim}-D vectors and was given a tensor of shape {tuple(x_BTD.shape)}; "
            f"expected (documents, positions, {dim}) with a position or more"
        )
    if mask_BT.shape != x_BTD.shape[:2] or mask_BT.dtype != torch.bool:
        raise MismatchError(
            f"mask is {mask_BT.dtype} {tuple(mask_BT.shape)}; expected torch.bool {tuple(x_BTD.shape[:2])} "
            "with True for real positions"
        )
