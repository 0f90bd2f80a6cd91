"""What a baseline is, and the registry of all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from torch import Generator, Tensor, nn

from nextvec.ahead import Ahead
from nextvec.errors import TrainingError
from nextvec.heading import NextHeading
from nextvec.models.forecast import Forecast
from nextvec.models.memory import Kept, Memory, check_memory, latest, parts_of
from nextvec.models.predictor import Predictor, PredictorSpec, check_heading, check_input
from nextvec.models.reading import Reading
from nextvec.models.structure import known_or_not
from nextvec.models.targets import TargetBatch
from nextvec.registry import Registry

Batches = Callable[[], Iterable[TargetBatch]]
"""Every call starts one pass over the same batches of whole documents."""


class Baseline(nn.Module, Predictor, ABC):
    """A causal predictor without trained parameters: what it knows are buffers, set by `fit`, mostly in closed form.

    `context` is None for all so far; `ranks_by` "query" is for one that writes `rank`, `draws` for one that writes
    `sample` and `log_density`; `extends` names the baselines that it goes on from, which it is given fitted (`adopt`);
    `reads_structure` says that it answers otherwise where paragraphs or headings are known, `has_topic` that it writes
    `topic_after`, `leans` that it writes `lean_after`.
    Buffers may change their size in `fit`; loading takes the size that was saved.

    As it stands it keeps the vectors of its context and goes over them again at every step. One that can do with less
    writes `remember`, `point_after`, and if it has queries of its own `rank_after`.
    """

    name: ClassVar[str]
    context: int | None = None
    ranks_by: Literal["point", "query"] = "point"
    draws: bool = False
    extends: ClassVar[tuple[str, ...]] = ()
    reads_structure: ClassVar[bool] = False
    has_topic: ClassVar[bool] = False
    leans: ClassVar[bool] = False

    @property
    def reads_next(self) -> bool:
        """Whether it answers otherwise where it is known if the next chunk begins a paragraph."""
        return False

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    @abstractmethod
    def forward(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        """Unit predictions y_BTD; y[:, t] depends on x[:, :t+1] and breaks[:, :t+1] only (`Predictor.forecast`)."""

    def rank(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        """Queries q_BTD, as causal; the predictions, where there are no others."""
        return self(x_BTD, breaks_BT)

    def point_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        """The predictions at vectors that follow those of which `kept` is kept (None: none)."""
        return self(*self._seen(x_BTD, breaks_BT, kept))[:, -x_BTD.shape[1] :]

    def rank_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        """The queries there."""
        return self.rank(*self._seen(x_BTD, breaks_BT, kept))[:, -x_BTD.shape[1] :]

    def topic_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        """The topics there, see `Forecast.topic`."""
        raise NotImplementedError(f"the topic of {self.name} is its point")

    def lean_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        """(B, T, D) what is added to its queries there where all candidates lie ahead, see `Forecast.ahead`."""
        raise NotImplementedError(f"{self.name} has one query for all candidates")

    def base_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        """(B, T, E) what a head that starts at this baseline is told there: what it ranks by, unless it says more."""
        after = self.rank_after if self.ranks_by == "query" else self.point_after
        return after(x_BTD, breaks_BT, kept, ahead)

    def remember(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept) -> Kept:
        """What to keep from then on; nothing that is kept already is changed in place."""
        return self._seen(x_BTD, breaks_BT, kept, most=None if self.context is None else self.context - 1)

    def _seen(
        self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, most: int | None = None
    ) -> tuple[Tensor, Tensor]:
        vectors_BPD, known_BP = parts_of(kept, 2)
        return latest(vectors_BPD, x_BTD, most), latest(known_BP, known_or_not(breaks_BT, x_BTD), most)

    def sample(self, base_BSE: Tensor, n: int, generator: Generator) -> Tensor:
        """(n, B, S, D) unit vectors, see `Forecast.sample`, where heads are told this base."""
        raise NotImplementedError(f"{self.name} draws nothing")

    def log_density(self, base_BSE: Tensor, y_BSD: Tensor) -> Tensor:
        """(B, S) nats, see `Forecast.log_density`."""
        raise NotImplementedError(f"{self.name} has no density")

    def adopt(self, fitted: Baseline) -> None:
        """Take over a fitted baseline that it `extends`; as it stands, every buffer of the same name."""
        self.load_state_dict(fitted.state_dict(), strict=False)

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
        self,
        x_BTD: Tensor,
        mask_BT: Tensor,
        breaks_BT: Tensor | None = None,
        next_BT: Tensor | None = None,
        heading: NextHeading | None = None,
    ) -> Forecast:
        """See `Predictor.forecast`."""
        check_input(self.name, self.dim, x_BTD, mask_BT, breaks_BT, next_BT)
        check_heading(self.name, x_BTD, heading)
        read = x_BTD.float(), breaks_BT, None, (ahead := Ahead.of(next_BT, heading))
        others = [partial(after, *read) for after in (self.base_after, self.topic_after, self.lean_after)]
        if ahead is None:
            return self._forecast(lambda: self(*read[:2]), lambda: self.rank(*read[:2]), *others)
        return self._forecast(partial(self.point_after, *read), partial(self.rank_after, *read), *others)

    @torch.no_grad()
    def read(
        self,
        x_BTD: Tensor,
        memory: Memory,
        breaks_BT: Tensor | None = None,
        next_BT: Tensor | None = None,
        heading: NextHeading | None = None,
    ) -> tuple[Forecast, Memory]:
        """See `Predictor.read`."""
        check_input(self.name, self.dim, x_BTD, None, breaks_BT, next_BT)
        check_heading(self.name, x_BTD, heading)
        check_memory(self.name, len(x_BTD), memory)
        reading = Reading(x_BTD.float(), breaks_BT, next_BT, heading)
        kept, last = reading.before_last(self.remember, memory.kept), reading.last
        read = last.x_BTD, last.breaks_BT, kept, last.ahead
        answers = (self.point_after, self.rank_after, self.base_after, self.topic_after, self.lean_after)
        forecast = self._forecast(*(partial(after, *read) for after in answers))
        return forecast, Memory(self.name, len(x_BTD), self.remember(*read[:3]))

    def _forecast(
        self,
        point: Callable[[], Tensor],
        query: Callable[[], Tensor],
        base: Callable[[], Tensor],
        topic: Callable[[], Tensor],
        lean: Callable[[], Tensor],
    ) -> Forecast:
        quietly = torch.no_grad()
        return Forecast(
            quietly(point),
            quietly(query) if self.ranks_by == "query" else None,
            quietly(lambda n, generator: self.sample(base(), n, generator)) if self.draws else None,
            quietly(lambda y_BSD: self.log_density(base(), y_BSD)) if self.draws else None,
            quietly(topic) if self.has_topic else None,
            quietly(lean) if self.leans else None,
        )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name, buffer in self._buffers.items():
            saved = state_dict.get(prefix + name)
            if saved is not None and buffer is not None:
                self._buffers[name] = torch.empty_like(saved, device=buffer.device)
        super()._load_from_state_dict(state_dict, prefix, *rest)


BASELINES: Registry[type[Baseline]] = Registry("baselines", "nextvec.models.baselines", base=Baseline)


def fit_baseline(
    name: str,
    dim: int,
    train: Batches,
    validation: Batches,
    fitted: Callable[[str], Baseline] | None = None,
    device: torch.device | str = "cpu",
) -> Baseline:
    """The fitted baseline `name`, on the CPU; `fitted` gives those that it extends (None: they are fitted here, too).

    `device` is where the batches are.

    Raises UsageError for an unknown name, TrainingError without a training target or without a validation target.
    """
    with torch.device(device):
        baseline = BASELINES.get(name)(dim)
    for part, batches in (("training", train), ("validation", validation)):
        if not any(bool(batch.target_mask_BT.any()) for batch in batches()):
            raise TrainingError(f"{name} cannot be fitted: there is no {part} target. Give it longer documents.")
    adopted = fitted or partial(fit_baseline, dim=dim, train=train, validation=validation, device=device)
    for other in baseline.extends:
        baseline.adopt(adopted(other))
    with torch.no_grad():
        baseline.fit(train, validation)
    baseline.cpu()
    # As loading lays them out: products of another layout round differently, and a resumed run loads its anchor.
    for module in baseline.modules():
        for key, buffer in module.named_buffers(recurse=False):
            setattr(module, key, buffer.contiguous())
    return baseline


def mean_cosine(predict: Callable[[Tensor, Tensor, Tensor | None], Tensor], batches: Batches) -> float:
    """Mean cosine, [-1, 1], of unit predictions (`Predictor.predict`) to unit targets.

    Raises TrainingError when there is no target.
    """
    return cosine_of(lambda batch: predict(batch.x_BTD, batch.mask_BT, batch.breaks_BT), batches)


def told_cosine(
    predict: Callable[[Tensor, Tensor, Tensor | None, NextHeading | None], Tensor], batches: Batches
) -> float:
    """The same of predictions that are told headings as well."""
    return cosine_of(lambda batch: predict(batch.x_BTD, batch.mask_BT, batch.breaks_BT, batch.heading), batches)


def cosine_of(predict: Callable[[TargetBatch], Tensor], batches: Batches) -> float:
    """The same of whatever is made of a batch, (B, T, D)."""
    total, count = 0.0, 0
    for batch in batches():
        cosine_BT = (predict(batch) * batch.target_BTD).sum(-1)[batch.target_mask_BT]
        total += float(cosine_BT.double().sum())
        count += cosine_BT.numel()
    if not count:
        raise TrainingError("there is no target to take the mean cosine over. Give it longer documents.")
    return total / count
