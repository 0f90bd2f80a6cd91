"""What a baseline is, and the registry of all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal, Protocol, cast

import torch
from torch import Tensor, nn

from nextvec.errors import TrainingError
from nextvec.models.decay import MIX_DECAYS, continued_means, decayed_means
from nextvec.models.forecast import Forecast
from nextvec.models.predictor import Predictor, PredictorSpec, check_input
from nextvec.models.state import Memory, State, check_state, latest
from nextvec.registry import Registry


class TargetBatch(Protocol):
    """What a baseline is fitted on: `sequences.batches.Batch`, or anything with these tensors."""

    @property
    def x_BTD(self) -> Tensor: ...
    @property
    def mask_BT(self) -> Tensor: ...
    @property
    def target_BTD(self) -> Tensor: ...
    @property
    def target_mask_BT(self) -> Tensor: ...


Batches = Callable[[], Iterable[TargetBatch]]
"""Every call starts one pass over the same batches of whole documents."""


class Baseline(nn.Module, Predictor, ABC):
    """A causal predictor without trained parameters: what it knows are buffers, set by `fit` in closed form.

    `context` is None for all so far; `ranks_by` "query" is for one that writes `rank`. Buffers may change their size in
    `fit`; loading takes the size that was saved.

    As it stands a step keeps the vectors of the context and goes over them again; where there is less to keep, write
    `recall`.
    """

    name: ClassVar[str]
    context: int | None = None
    ranks_by: Literal["point", "query"] = "point"

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    @abstractmethod
    def forward(self, x_BTD: Tensor) -> Tensor:
        """Unit predictions y_BTD; y[:, t] depends on x[:, :t+1] only."""

    def rank(self, x_BTD: Tensor) -> Tensor:
        """Queries q_BTD, as causal; the predictions, where there are no others."""
        return self(x_BTD)

    def fit(self, train: Batches, validation: Batches) -> None:
        """Set the buffers from training batches; what is tuned, is tuned on the validation batches."""

    @property
    def spec(self) -> PredictorSpec:
        fitted = sum(buffer.numel() for buffer in self.buffers())
        return PredictorSpec(name=self.name, dim=self.dim, context=self.context, fitted=fitted, ranks_by=self.ranks_by)

    def forecast(
        self, x_BTD: Tensor, mask_BT: Tensor, breaks_BT: Tensor | None = None, next_BT: Tensor | None = None
    ) -> Forecast:
        """See `Predictor.forecast`."""
        check_input(self.name, self.dim, x_BTD, mask_BT, breaks_BT, next_BT)
        x_BTD = x_BTD.float()
        return self._forecast(lambda: self(x_BTD), lambda: self.rank(x_BTD))

    @torch.no_grad()
    def read(
        self, x_BTD: Tensor, state: State, breaks_BT: Tensor | None = None, next_BT: Tensor | None = None
    ) -> tuple[Forecast, State]:
        """See `Predictor.read`."""
        check_input(self.name, self.dim, x_BTD, None, breaks_BT, next_BT)
        check_state(self.name, len(x_BTD), state)
        forecast, memory = self.recall(x_BTD.float(), state.memory)
        return forecast, State(self.name, len(x_BTD), memory)

    def recall(self, x_BTD: Tensor, memory: Memory) -> tuple[Forecast, Memory]:
        """The forecast after the last of x, which follow what is remembered, and what to remember from then on."""
        seen_BTD = latest(memory, x_BTD, self.context)
        return self._forecast(lambda: self(seen_BTD)[:, -1:], lambda: self.rank(seen_BTD)[:, -1:]), seen_BTD

    def _forecast(self, point: Callable[[], Tensor], query: Callable[[], Tensor]) -> Forecast:
        return Forecast(torch.no_grad()(point), torch.no_grad()(query) if self.ranks_by == "query" else None)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name, buffer in self._buffers.items():
            saved = state_dict.get(prefix + name)
            if saved is not None and buffer is not None:
                self._buffers[name] = torch.empty_like(saved, device=buffer.device)
        super()._load_from_state_dict(state_dict, prefix, *rest)


class AveragingBaseline(Baseline):
    """A baseline that sees the past as decayed means alone, so that a sum a decay is all that a step keeps."""

    @property
    def decays(self) -> tuple[float, ...]:
        """Of the K means, 0..1."""
        return MIX_DECAYS

    @abstractmethod
    def of_means(self, means_BTKD: Tensor) -> Tensor:
        """Unit predictions y_BTD from `decayed_means`."""

    def rank_means(self, means_BTKD: Tensor) -> Tensor:
        """Queries q_BTD; the predictions, where there are no others."""
        return self.of_means(means_BTKD)

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.of_means(decayed_means(x_BTD, self.decays))

    def rank(self, x_BTD: Tensor) -> Tensor:
        return self.rank_means(decayed_means(x_BTD, self.decays))

    def recall(self, x_BTD: Tensor, memory: Memory) -> tuple[Forecast, Memory]:
        means_BTKD, sums_BKD = continued_means(x_BTD, cast("Tensor | None", memory), self.decays)
        last_B1KD = means_BTKD[:, -1:]
        return self._forecast(lambda: self.of_means(last_B1KD), lambda: self.rank_means(last_B1KD)), sums_BKD


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
    for key, buffer in baseline.named_buffers(recurse=False):
        setattr(baseline, key, buffer.contiguous())
    return baseline


def mean_cosine(predict: Callable[[Tensor, Tensor], Tensor], batches: Batches) -> float:
    """Mean cosine, [-1, 1], of unit predictions (`Predictor.predict`) to unit targets.

    Raises TrainingError when there is no target.
    """
    total, count = 0.0, 0
    for batch in batches():
        cosine_BT = (predict(batch.x_BTD, batch.mask_BT) * batch.target_BTD).sum(-1)[batch.target_mask_BT]
        total += float(cosine_BT.double().sum())
        count += cosine_BT.numel()
    if not count:
        raise TrainingError("there is no target to take the mean cosine over. Give it longer documents.")
    return total / count
