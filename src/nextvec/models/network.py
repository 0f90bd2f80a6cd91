"""Networks: a backbone, heads, and the anchors they start from. One class for training, evaluation and serving."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import torch
from pydantic import Field
from torch import Generator, Tensor, nn

from nextvec.config import Config
from nextvec.errors import TrainingError, UsageError
from nextvec.heading import NextHeading
from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES, Baseline, Batches
from nextvec.models.forecast import Forecast
from nextvec.models.head import HEADS, Gift, Head, State
from nextvec.models.memory import Kept, Memory, check_memory, parts_of
from nextvec.models.predictor import AnchorName, Predictor, PredictorSpec, check_heading, check_input, unit
from nextvec.models.reading import Reading, StructureInput
from nextvec.models.targets import BatchTargets, TargetBatch, Targets, TrainingBatch

VECTORS_AT_ONCE = 20_480

T = TypeVar("T")


class Positionwise(Protocol):
    """A causal map from a reading of T positions to (B, T, E), or to (B, 1, E), the last one, with `last_only`."""

    def __call__(self, reading: Reading, *, last_only: bool = False) -> Tensor: ...


class NetworkConfig(Config):
    """All that decides a network's function but its weights. `options` are the backbone's own, `head_options` those of
    each head by its name."""

    architecture: str
    dim: int = Field(ge=1)
    anchor: AnchorName = Field(
        "ridge-mix",
        description="the baseline its point starts at; best: that of the best mean; none: all from nothing",
    )
    context: int | None = Field(None, description="last vectors it looks at; None: unlimited")
    structure: bool = Field(False, description="whether its backbone is told of paragraphs; its anchors always are")
    headings: bool = Field(False, description="whether its backbone is told of headings; its anchors always are")
    heads: tuple[str, ...] = Field(("point",), min_length=1, description="what it predicts: point, rank, ...")
    options: dict[str, Any] = Field(default_factory=dict)
    head_options: dict[str, dict[str, Any]] = Field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Without `headings` where they are not told of, as before there were any: such a run is the one it was."""
        return {key: value for key, value in super().to_dict().items() if value or key != "headings"}


@dataclass(frozen=True, slots=True)
class _Views:
    """What heads see at some positions: the backbone's states (B, S, M), and what their anchors say there, (B, S, E),
    of a head and what it is asked by."""

    hidden_BSM: Tensor
    start: Callable[[Head, Callable[..., Tensor]], Tensor]

    def state(self, head: Head) -> State:
        return State(self.hidden_BSM, self.start(head, head.base) if head.anchored else None)


class Network(nn.Module, Predictor):
    """A trainable predictor: a backbone, and one or more heads that start at baselines.

    With an anchor every head's correction starts at zero, so an untrained network *is* its anchors; with anchor `none`
    it predicts from nothing (AMN: from the context mean, which is part of that architecture).
    Anchors are fitted in closed form before training (`set_anchors`) and do not move in it.

    Raises UsageError for an unknown architecture, head or option, or a context the backbone cannot hold.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        kind = BACKBONES.get(config.architecture)
        options = kind.Config.parse(config.options, owner=config.architecture)
        heads = parse_heads(config.heads, config.head_options)
        described = {name: head.to_dict() for name, head in heads.items()}
        self.config = config.model_copy(update={"options": options.to_dict(), "head_options": described})
        self.backbone = kind(options, config.dim)
        self._check_context(kind.longest(options))
        if config.headings and not config.structure:
            raise UsageError(
                "headings=true tells a backbone of headings where it is told of paragraphs; set structure=true"
            )
        self.structure = StructureInput(config.dim, headings=config.headings) if config.structure else None
        self.heads = nn.ModuleDict({name: self._head(name, options) for name, options in heads.items()})

    def _head(self, name: str, options: Config) -> Head:
        kind = HEADS.get(name)
        anchor = kind.baseline(self.config.anchor)
        return kind(options, self.backbone, None if anchor is None else BASELINES.get(anchor)(dim=self.config.dim))

    def _check_context(self, longest: int | None) -> None:
        context = self.config.context
        if context is not None and context < 1:
            raise UsageError(f"context = {context}: expected a positive number of vectors, or 'unlimited'")
        for name in self.config.heads:
            if context is not None and HEADS.get(name).whole_documents:
                raise UsageError(
                    f"head {name} learns from whole documents and was given context {context}; set context=unlimited, "
                    "or leave the head out"
                )
        if longest is not None and (context is None or context > longest):
            raise UsageError(
                f"{self.config.architecture} holds {longest} positions and was given context "
                f"{context or 'unlimited'}; set context={longest} or fewer"
            )

    @property
    def spec(self) -> PredictorSpec:
        return PredictorSpec(
            name=self.config.architecture,
            dim=self.config.dim,
            context=self.config.context,
            anchor=self.config.anchor,
            parameters=sum(parameter.numel() for parameter in self.parameters()),
            fitted=sum(buffer.numel() for buffer in self.buffers()),
            ranks_by="query" if self._giving("query") else "point",
            samples=self._giving("samples") is not None,
            density=self._giving("density") is not None,
            options=self.config.options,
        )

    def each_head(self) -> Iterator[tuple[str, Head]]:
        """Names and heads, in their order."""
        return ((name, head) for name, head in self.heads.items() if isinstance(head, Head))

    @property
    def contrasts(self) -> bool:
        """Whether any head does."""
        return any(head.contrasts for _, head in self.each_head())

    def _giving(self, gift: Gift) -> Head | None:
        """The first head that has it."""
        return next((head for _, head in self.each_head() if gift in head.gives), None)

    @property
    def calibration(self) -> dict[str, dict[str, float]]:
        """What each head has tuned on validation."""
        return {name: head.calibration for name, head in self.each_head()}

    def set_anchors(self, fitted: Callable[[str], Baseline]) -> None:
        """Give every head that has an anchor the fitted baseline of that name. Raises MismatchError for another."""
        for _, head in self.each_head():
            if head.anchor is not None:
                head.set_anchor(fitted(head.anchor.name))

    def acquaint(self, seen: Batches, held_out: Batches) -> None:
        """Let every head look at the contexts of training and of validation documents, see `Head.acquaint`."""
        for _, head in self.each_head():
            self._judging(partial(head.acquaint, self._bases(head, seen), self._bases(head, held_out)))

    def _bases(self, head: Head, batches: Batches) -> Iterator[Tensor]:
        """(N, E) what a head starts at before the targets of each batch, of as much as forecasts are told."""
        for batch in batches():
            reading = Reading(batch.x_BTD, batch.breaks_BT, heading=batch.heading)
            yield self._in_context(partial(self._start, ask=head.base), reading)[batch.target_mask_BT]

    def forward(self, own: TrainingBatch, whole: BatchTargets | None = None, share: float = 1.0) -> Tensor:
        """The loss: the mean over a batch's targets, the sum over heads.

        Computed here, so that it is the same where the network is wrapped: `own` is this process's part of a batch,
        `whole` has all of its targets (None: `own` has them, or no head contrasts), `share` is what the part's mean
        weighs in that of the batch.
        """
        last_only, targets = self.config.context is not None, Targets.of(own, whole, share)
        hidden_BSM = self._hidden(Reading(own.x_BTD, own.breaks_BT, own.next_BT, own.heading), last_only=last_only)
        losses = [
            _number(name, head.loss(State(hidden_BSM, self._training_base(name, head, own, last_only)), targets))
            for name, head in self.each_head()
        ]
        return sum(losses[1:], start=losses[0])

    def _training_base(self, name: str, head: Head, batch: TrainingBatch, last_only: bool) -> Tensor | None:
        """What the anchor expects, where that is known from more of the document than the batch holds."""
        if not head.anchored:
            return None
        if (known_BTE := batch.bases.get(name)) is not None:
            return known_BTE[:, -1:] if last_only else known_BTE
        reading = Reading(batch.x_BTD, batch.breaks_BT, batch.next_BT, batch.heading)
        return self._start(reading, ask=head.base, last_only=last_only)

    def _hidden(self, reading: Reading, *, last_only: bool = False) -> Tensor:
        input_BTD = self._input(reading)
        return self.backbone.last(input_BTD) if last_only else self.backbone(input_BTD)

    def _input(self, reading: Reading, kept: Kept = None) -> Tensor:
        scaled_BTD = reading.x_BTD * math.sqrt(self.config.dim)
        return scaled_BTD if self.structure is None else scaled_BTD + self.structure(reading, kept)

    def _start(
        self, reading: Reading, kept: Kept = None, *, ask: Callable[..., Tensor], last_only: bool = False
    ) -> Tensor:
        """What a head's anchor says, asked by its `base`, `topic` or `lean`."""
        # Reduced precision is for what is trained: an anchor that is off by 1e-3 would be worse than its baseline.
        with torch.autocast(reading.x_BTD.device.type, enabled=False):
            said_BTE = ask(reading.x_BTD.float(), reading.breaks_BT, kept, reading.ahead)
        return said_BTE[:, -1:] if last_only else said_BTE

    def forecast(
        self,
        x_BTD: Tensor,
        mask_BT: Tensor,
        breaks_BT: Tensor | None = None,
        next_BT: Tensor | None = None,
        heading: NextHeading | None = None,
    ) -> Forecast:
        """See `Predictor.forecast`. Raises TrainingError for an anchor never fitted: it would predict zeros."""
        check_input(self.config.architecture, self.config.dim, x_BTD, mask_BT, breaks_BT, next_BT)
        check_heading(self.config.architecture, x_BTD, heading)
        self._require_fitted()
        return self._forecast(self._views(Reading(x_BTD, breaks_BT, next_BT, heading)))

    def read(
        self,
        x_BTD: Tensor,
        memory: Memory,
        breaks_BT: Tensor | None = None,
        next_BT: Tensor | None = None,
        heading: NextHeading | None = None,
    ) -> tuple[Forecast, Memory]:
        """See `Predictor.read`. With a context, a step is a pass over the vectors of that context.

        Raises TrainingError for an anchor never fitted.
        """
        name, reading = self.config.architecture, Reading(x_BTD, breaks_BT, next_BT, heading)
        check_input(name, self.config.dim, x_BTD, None, breaks_BT, next_BT)
        check_heading(name, x_BTD, heading)
        check_memory(name, len(x_BTD), memory)
        self._require_fitted()
        read = self._read if self.config.context is None else self._read_window
        views, kept = self._judging(lambda: read(reading.to(self._device), memory.kept))
        return self._forecast(views), Memory(name, len(x_BTD), kept)

    def _read(self, reading: Reading, kept: Kept) -> tuple[_Views, Kept]:
        of_backbone, of_structure, of_heads = parts_of(kept, 3)
        hidden_BTM, of_backbone = self.backbone.read(self._input(reading, of_structure), of_backbone)
        if self.structure is not None:
            of_structure = self.structure.remember(reading, of_structure)
        heads = [head for _, head in self.each_head()]
        before = zip(heads, parts_of(of_heads, len(heads)), strict=True)
        at_last, last = {head: reading.before_last(head.remember, kept) for head, kept in before}, reading.last
        after = tuple(head.remember(last.x_BTD, last.breaks_BT, at_last[head]) for head in heads)

        def start(head: Head, ask: Callable[..., Tensor]) -> Tensor:
            return self._start(last, at_last[head], ask=ask)

        return _Views(hidden_BTM[:, -1:], start), (of_backbone, of_structure, after)

    def _read_window(self, reading: Reading, kept: Kept) -> tuple[_Views, Kept]:
        assert self.config.context is not None
        seen, kept = reading.after(kept, self.config.context)
        hidden_B1M = self._hidden(seen, last_only=True)

        def start(head: Head, ask: Callable[..., Tensor]) -> Tensor:
            return self._start(seen, ask=ask, last_only=True)

        return _Views(hidden_B1M, start), kept

    def _forecast(self, views: _Views) -> Forecast:
        point, query = self._giving("point"), self._giving("query")
        samples, density, topic = self._giving("samples"), self._giving("density"), self._with_topic

        def ask_query() -> Tensor:
            assert query is not None
            return self._judging(lambda: query.query(views.state(query)))

        def ask_point() -> Tensor:
            return self._judging(lambda: point.point(views.state(point))) if point else unit(ask_query())

        def draw(n: int, generator: Generator) -> Tensor:
            assert samples is not None
            return self._judging(lambda: samples.sample(views.state(samples), n, generator))

        def weigh(y_BSD: Tensor) -> Tensor:
            assert density is not None
            return self._judging(lambda: density.log_density(views.state(density), y_BSD))

        def ask_topic() -> Tensor:
            assert topic is not None
            return self._judging(lambda: views.start(topic, topic.topic))

        def ask_lean() -> Tensor:
            assert query is not None
            return self._judging(lambda: views.start(query, query.lean))

        leans = query is not None and query.anchor is not None and query.anchor.leans
        return Forecast(
            ask_point, query and ask_query, samples and draw, density and weigh, topic and ask_topic,
            ask_lean if leans else None,
        )  # fmt: skip

    def corrections(self, x_BTD: Tensor) -> dict[str, Tensor]:
        """`Head.correction` of each head that has one, by name: proves by any vectors that it computes what it did."""

        def ask() -> dict[str, Tensor | None]:
            views = self._views(Reading(x_BTD))
            return {name: head.correction(views.state(head)) for name, head in self.each_head()}

        return {name: correction for name, correction in self._judging(ask).items() if correction is not None}

    @property
    def _with_topic(self) -> Head | None:
        """The first head that starts at what has a topic."""
        return next((head for _, head in self.each_head() if head.anchor is not None and head.anchor.has_topic), None)

    def calibrate(self, batches: Batches) -> dict[str, float]:
        """Let every head tune on validation what it tunes there; how good each is then, more is better, by name.

        Raises TrainingError without targets.
        """

        def readings(head: Head) -> Iterator[tuple[State, TargetBatch]]:
            for batch in batches():
                yield self._views(Reading(batch.x_BTD, batch.breaks_BT, heading=batch.heading)).state(head), batch

        return {
            name: self._judging(partial(head.calibrate, partial(readings, head))) for name, head in self.each_head()
        }

    @property
    def _device(self) -> torch.device:
        return next(self.parameters()).device

    def _judging(self, function: Callable[[], T]) -> T:
        """What `function` gives in evaluation mode, without gradients."""
        self.eval()
        with torch.no_grad():
            return function()

    def _views(self, reading: Reading) -> _Views:
        """Of all positions, from as much as this network's context."""
        look = partial(self._in_context, reading=reading.to(self._device))
        hidden_BTM = self._judging(lambda: look(self._hidden))

        def start(head: Head, ask: Callable[..., Tensor]) -> Tensor:
            return look(partial(self._start, ask=ask))

        return _Views(hidden_BTM, start)

    def _in_context(self, function: Positionwise, reading: Reading) -> Tensor:
        context = self.config.context
        if context is None or context >= reading.x_BTD.shape[1]:
            return function(reading)
        return in_windows(function, reading, context)

    def _require_fitted(self) -> None:
        for _, head in self.each_head():
            if (weights := getattr(head.anchor, "weights", None)) is not None and not weights.any():
                raise TrainingError(f"{self.config.architecture} has an anchor that was never fitted: call set_anchors")


def in_windows(function: Positionwise, reading: Reading, context: int) -> Tensor:
    """Results that see the last `context` vectors: the short prefixes in one causal pass, then every window."""
    B, T, _ = reading.x_BTD.shape
    device = reading.x_BTD.device
    prefix_BTD = [function(reading.until(context - 1))] if context > 1 else []
    first_BW = T * torch.arange(B, device=device)[:, None] + torch.arange(T - context + 1, device=device)
    rows_WK = first_BW.flatten()[:, None] + torch.arange(context, device=device)
    pieces = rows_WK.split(max(1, VECTORS_AT_ONCE // context))
    last_W1D = torch.cat([function(reading.windows(some), last_only=True) for some in pieces])
    return torch.cat([*prefix_BTD, last_W1D.view(B, T - context + 1, -1)], dim=1)


def _number(head: str, loss: object) -> Tensor:
    if not isinstance(loss, Tensor) or loss.ndim:
        given = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise UsageError(f"head '{head}': loss gave {given}; expected one number, a tensor of shape ()")
    return loss


def parse_heads(names: tuple[str, ...], options: Mapping[str, Mapping[str, Any]]) -> dict[str, Config]:
    """The configuration of every head, by name. Raises UsageError for an unknown head or option, one named twice,
    options of a head that is not there, and where none predicts a vector."""
    if len(set(names)) < len(names):
        raise UsageError(f"heads = {','.join(names)}: each can be there once")
    for name in options:
        if name not in names:
            raise UsageError(f"options of head '{name}' are given, the heads are {', '.join(names)}: add it to heads")
    if not any({"point", "query"} & HEADS.get(name).gives for name in names):
        raise UsageError(f"heads = {','.join(names)}: none gives a point or a query; add one that does, point or rank")
    return {name: HEADS.get(name).Config.parse(options.get(name, {}), owner=f"head {name}") for name in names}


def build_network(architecture: str, dim: int, options: Mapping[str, Any] | None = None, **settings: Any) -> Network:
    """`build_network("gru", 384, {"layers": 2}, anchor="none", context=5)`."""
    return Network(NetworkConfig(architecture=architecture, dim=dim, options=dict(options or {}), **settings))
