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
from nextvec.heading import NextHeading
from nextvec.models.forecast import Forecast
from nextvec.models.memory import Memory

AnchorName = Literal["none", "mean", "ewma-mix", "ridge-mix", "scale-mixture", "best"]
"""`best` is one of `MEANS`, and until training has chosen one, the first."""
MEANS: tuple[AnchorName, ...] = ("ridge-mix", "scale-mixture")
"""The baselines of which one has the best mean nearly everywhere."""


class PredictorSpec(Config):
    """What identifies a predictor's shape and size.

    `context` is the number of last vectors it looks at (None: all so far, and none is forgotten, see `Predictor.read`);
    `parameters` counts trained numbers, `fitted` the numbers of closed-form parts (an anchor, a baseline); `ranks_by`
    says whether candidates are ranked by the point or by a query of its own; `samples` and `density` whether its
    forecasts have them.
    """

    name: str
    dim: int
    context: int | None
    anchor: AnchorName = "none"
    parameters: int = 0
    fitted: int = 0
    ranks_by: Literal["point", "query"] = "point"
    samples: bool = False
    density: bool = False
    options: dict[str, Any] = Field(default_factory=dict)


@runtime_checkable
class Predictor(Protocol):
    """Who inherits it writes `spec`, `forecast` and `read`."""

    @property
    def spec(self) -> PredictorSpec: ...

    def forecast(
        self,
        x_BTD: Tensor,
        mask_BT: Tensor,
        breaks_BT: Tensor | None = None,
        next_BT: Tensor | None = None,
        heading: NextHeading | None = None,
    ) -> Forecast:
        """What comes after each position; what it says at t depends on the first t + 1 vectors and breaks only.

        Args:
            x_BTD: unit vectors, float; what is not a document's own is padding on the right.
            mask_BT: bool, True where x is real: a prefix of every row. Forecasts elsewhere mean nothing.
            breaks_BT: int8, whether each chunk begins a paragraph (`structure`); None: nothing is known.
            next_BT: int8, the same of the chunk after it, where somebody knows that; None: nothing is known.
            heading: the one that the chunk after it stands under, as with `next_BT`.

        Raises MismatchError when D is not `spec.dim` or the shapes disagree.
        """
        ...

    def read(
        self,
        x_BTD: Tensor,
        memory: Memory,
        breaks_BT: Tensor | None = None,
        next_BT: Tensor | None = None,
        heading: NextHeading | None = None,
    ) -> tuple[Forecast, Memory]:
        """Go on with documents by the same number of vectors, one or more, none of them padding.

        Returns what comes after the last of them (S = 1), equal to `forecast` of the whole documents at their last
        positions, and the memory to go on from. A predictor with a context keeps that many vectors and forgets older
        ones. Without one nothing is forgotten, however long the document: what is kept has a fixed size (running sums,
        recurrent states) or grows with every vector (keys and values of attention), see its `read`.

        Raises MismatchError as `forecast` does, and for a memory of another predictor or number of documents.
        """
        ...

    def start(self, documents: int) -> Memory:
        """The memory of documents of which nothing was read."""
        return Memory(self.spec.name, documents)

    def step(
        self,
        x_BD: Tensor,
        memory: Memory,
        breaks_B: Tensor | None = None,
        next_B: Tensor | None = None,
        heading: NextHeading | None = None,
    ) -> tuple[Forecast, Memory]:
        """`read` by one vector; the heading's T is 1."""
        breaks_B1, next_B1 = (None if known_B is None else known_B[:, None] for known_B in (breaks_B, next_B))
        return self.read(x_BD[:, None], memory, breaks_B1, next_B1, heading)

    def predict(
        self,
        x_BTD: Tensor,
        mask_BT: Tensor,
        breaks_BT: Tensor | None = None,
        heading: NextHeading | None = None,
    ) -> Tensor:
        """The forecast's points y_BTD: unit-norm predictions of the vector after each position."""
        return self.forecast(x_BTD, mask_BT, breaks_BT, heading=heading).point

    def query(
        self,
        x_BTD: Tensor,
        mask_BT: Tensor,
        breaks_BT: Tensor | None = None,
        heading: NextHeading | None = None,
    ) -> Tensor:
        """The forecast's queries q_BTD, of any norm: the candidate with the largest q . y comes first.

        The points, where `spec.ranks_by` says so.
        """
        return self.forecast(x_BTD, mask_BT, breaks_BT, heading=heading).query


def unit(x: Tensor) -> Tensor:
    """x scaled to Euclidean norm 1 over its last axis; a zero vector stays zero."""
    return F.normalize(x, dim=-1, eps=1e-12)


def check_input(name: str, dim: int, x_BTD: Tensor, mask_BT: Tensor | None, *structure: Tensor | None) -> None:
    """Raises MismatchError unless x_BTD has D = dim, at least one position, and mask and structure fit it."""
    if x_BTD.ndim != 3 or x_BTD.shape[-1] != dim or not x_BTD.shape[1]:
        raise MismatchError(
            f"{name} predicts {dim}-D vectors and was given a tensor of shape {tuple(x_BTD.shape)}; "
            f"expected (documents, positions, {dim}) with a position or more"
        )
    if mask_BT is not None and (mask_BT.shape != x_BTD.shape[:2] or mask_BT.dtype != torch.bool):
        raise MismatchError(
            f"mask is {mask_BT.dtype} {tuple(mask_BT.shape)}; expected torch.bool {tuple(x_BTD.shape[:2])} "
            "with True for real positions"
        )
    for known_BT in structure:
        if known_BT is not None and (known_BT.shape != x_BTD.shape[:2] or known_BT.dtype != torch.int8):
            raise MismatchError(
                f"paragraph breaks are {known_BT.dtype} {tuple(known_BT.shape)}; expected torch.int8 "
                f"{tuple(x_BTD.shape[:2])}, one a position"
            )


def check_heading(name: str, x_BTD: Tensor, heading: NextHeading | None) -> None:
    """Raises MismatchError unless the heading has a vector like x_BTD's and a bool at every position."""
    if heading is None:
        return
    given, fresh = tuple(heading.vector_BTD.shape), heading.fresh_BT
    if given != tuple(x_BTD.shape) or fresh.shape != x_BTD.shape[:2] or fresh.dtype != torch.bool:
        raise MismatchError(
            f"{name} was given headings {given} with {fresh.dtype} {tuple(fresh.shape)} beside them; expected vectors "
            f"{tuple(x_BTD.shape)} and torch.bool {tuple(x_BTD.shape[:2])}, one a position"
        )
