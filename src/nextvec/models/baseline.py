"""What a baseline is, and the registry of all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal

import torch
from torch import Generator, Tensor, nn

from nextvec.errors import TrainingError
from nextvec.models.forecast import Forecast
from nextvec.models.predictor import PredictorSpec, check_input
from nextvec.models.targets import TargetBatch
from nextvec.registry import Registry

Batches = Callable[[], Iterable[TargetBatch]]
"""Every call starts one pass over the same batches of whole documents."""


class Baseline(nn.Module, ABC):
    """A causal predictor without trained parameters: what it knows are buffers, set by `fit` in closed form.

    `context` is None for all so far; `ranks_by` "query" is for one that writes `rank`, `draws` for one that writes
    `expect`, `sample` and `log_density`. Buffers may change their size in `fit`; loading takes the size that was saved.
    """

    name: ClassVar[str]
    context: int | None = None
    ranks_by: Literal["point", "query"] = "point"
    draws: bool = False

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    @abstractmethod
    def forward(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        """Unit predictions y_BTD; y[:, t] depends on x[:, :t+1] and breaks[:, :t+1] only (`Predictor.forecast`)."""

    def rank(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        """Queries q_BTD, as causal; the predictions, where there are no others."""
        return self(x_BTD, breaks_BT)

    def expect(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        """(B, T, E), as causal: what its distributions depend on; the predictions, where that is not said."""
        return self(x_BTD, breaks_BT)

    def sample(self, expected_BSE: Tensor, n: int, generator: Generator) -> Tensor:
        """(n, B, S, D) unit vectors, see `Forecast.sample`."""
        raise NotImplementedError(f"{self.name} draws nothing")

    def log_density(self, expected_BSE: Tensor, y_BSD: Tensor) -> Tensor:
        """(B, S) nats, see `Forecast.log_density`."""
        raise NotImplementedError(f"{self.name} has no density")

    def fit(self, train: Batches, validation: Batches) -> None:
        """Set the buffers from training batches; what is tuned, is tuned on the validation batches."""

    @property
    def spec(self) -> PredictorSpec:
        fitted = sum(buffer.numel() for buffer in self.buffers())
        return PredictorSpec(
            name=self.name,
            dim=self.dim,
            context=self.context,
            fitted=fitted,
            ranks_by=self.ranks_by,
            samples=self.draws,
            density=self.draws,
        )

    def forecast(
        self, x_BTD: Tensor, mask_BT: Tensor, breaks_BT: Tensor | None = None, next_BT: Tensor | None = None
    ) -> Forecast:
        """See `Predictor.forecast`."""
        check_input(self.name, self.dim, x_BTD, mask_BT, breaks_BT, next_BT)
        read = x_BTD.float(), breaks_BT
        return self._forecast(lambda: self(*read), lambda: self.rank(*read), lambda: self.expect(*read))

    def _forecast(
        self, point: Callable[[], Tensor], query: Callable[[], Tensor], expected: Callable[[], Tensor]
    ) -> Forecast:
        quietly = torch.no_grad()
        return Forecast(
            quietly(point),
            quietly(query) if self.ranks_by == "query" else None,
            quietly(lambda n, generator: self.sample(expected(), n, generator)) if self.draws else None,
            quietly(lambda y_BSD: self.log_density(expected(), y_BSD)) if self.draws else None,
        )

    def predict(self, x_BTD: Tensor, mask_BT: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        """See `Predictor.predict`."""
        return self.forecast(x_BTD, mask_BT, breaks_BT).point

    def query(self, x_BTD: Tensor, mask_BT: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        """See `Predictor.query`."""
        return self.forecast(x_BTD, mask_BT, breaks_BT).query

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name, buffer in self._buffers.items():
            saved = state_dict.get(prefix + name)
            if saved is not None and buffer is not None:
                self._buffers[name] = torch.empty_like(saved, device=buffer.device)
        super()._load_from_state_dict(state_dict, prefix, *rest)


BASELINES: Registry[type[Baseline]] = Registry("baselines", "nextvec.models.baselines")


def fit_baseline(name: str, dim: int, train: Batches, validation: Batches) -> Baseline:
    """The fitted baseline `name`.

    Raises UsageError for an unknown name, TrainingError without a training target or without a validation target.
    """
    baseline = BASELINES.get(name)(dim)
    for part, batches in (("training", train), ("validation", validation)):
        if not any(bool(batch.target_mask_BT.any()) for batch in batches()):
            raise TrainingError(f"{name} cannot be fitted: there is no {part} target. Give it longer documents.")
    with torch.no_grad():
        baseline.fit(train, validation)
    # As loading lays them out: products of another layout round differently, and a resumed run loads its anchor.
    for module in baseline.modules():
        for key, buffer in module.named_buffers(recurse=False):
            setattr(module, key, buffer.contiguous())
    return baseline


def mean_cosine(predict: Callable[[Tensor, Tensor, Tensor | None], Tensor], batches: Batches) -> float:
    """Mean cosine, [-1, 1], of unit predictions (`Predictor.predict`) to unit targets.

    Raises TrainingError when there is no target.
    """
    total, count = 0.0, 0
    for batch in batches():
        cosine_BT = (predict(batch.x_BTD, batch.mask_BT, batch.breaks_BT) * batch.target_BTD).sum(-1)[
            batch.target_mask_BT
        ]
        total += float(cosine_BT.double().sum())
        count += cosine_BT.numel()
    if not count:
        raise TrainingError("there is no target to take the mean cosine over. Give it longer documents.")
    return total / count
