"""Networks: a backbone, a head, and the anchor they start from. One class for training, evaluation and serving."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.errors import MismatchError, TrainingError, UsageError
from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES, Baseline, Batches, mean_cosine
from nextvec.models.forecast import Forecast
from nextvec.models.heads import PointHead
from nextvec.models.predictor import AnchorName, Predictor, PredictorSpec, check_input, unit
from nextvec.models.state import Memory, State, by_layer, check_state, latest

VECTORS_AT_ONCE = 20_480
SIZES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0)
"""Sizes of the correction that are tried on validation."""


class Positionwise(Protocol):
    """A causal map from x_BTD to (B, T, E), or to (B, 1, E), the last position, with `last_only`."""

    def __call__(self, x_BTD: Tensor, *, last_only: bool = False) -> Tensor: ...


class NetworkConfig(Config):
    """All that decides a network's function but its weights. `options` are the backbone's own."""

    architecture: str
    dim: int
    anchor: AnchorName = Field("ridge-mix", description="the baseline it starts at")
    context: int | None = Field(None, description="last vectors it looks at; None: unlimited")
    options: dict[str, Any] = Field(default_factory=dict)


class Network(nn.Module, Predictor):
    """A trainable predictor: unit(anchor(x) + correction(x)).

    With an anchor the correction starts at zero, so an untrained network *is* its anchor; with anchor `none` the
    network predicts from nothing (AMN: from the context mean, which is part of that architecture).
    The anchor is fitted in closed form before training (`set_anchor`) and does not move in it.

    Raises UsageError for an unknown architecture or option, or a context the backbone cannot hold.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        kind = BACKBONES.get(config.architecture)
        options = kind.Config.parse(config.options, owner=config.architecture)
        self.config = config.model_copy(update={"options": options.to_dict()})
        self.backbone = kind(options, config.dim)
        self._check_context(kind.longest(options))
        self.head = PointHead(self.backbone.readout(), from_zero=config.anchor != "none")
        self.anchor = None if config.anchor == "none" else BASELINES.get(anchor_baseline(config.anchor))(dim=config.dim)

    def _check_context(self, longest: int | None) -> None:
        context = self.config.context
        if context is not None and context < 1:
            raise UsageError(f"context = {context}: expected a positive number of vectors, or 'unlimited'")
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
            options=self.config.options,
        )

    @property
    def correction_size(self) -> float | None:
        """How much of its correction the network adds to its anchor, 0..1; None without an anchor."""
        return None if self.head.size is None else round(float(self.head.size), 2)

    def set_anchor(self, anchor: Baseline | None) -> None:
        """Give the network its fitted anchor. Raises MismatchError unless it is of the configured kind and D."""
        expected, given = (None if part is None else (part.name, part.dim) for part in (self.anchor, anchor))
        if given != expected:
            raise MismatchError(
                f"{self.config.architecture} was configured with anchor {_named(expected)} and was given "
                f"{_named(given)}; fit the one that its configuration names"
            )
        self.anchor = anchor

    def forward(self, x_BTD: Tensor, *, last_only: bool = False, base_BTD: Tensor | None = None) -> Tensor:
        """Unit predictions y_BTD, each from everything before it in x_BTD; with `last_only` (B, 1, D), the last one.

        `base_BTD` is what the anchor predicts, where that is known: from more of the document than x_BTD holds.
        """
        return self.head(*self._state_and_base(x_BTD, last_only, base_BTD))

    def _base_and_move(self, x_BTD: Tensor, *, last_only: bool = False) -> Tensor:
        """What `forward` adds up at size 1, side by side: (B, T, 2D), or (B, 1, 2D) with `last_only`."""
        state_BTM, base_BTD = self._state_and_base(x_BTD, last_only)
        assert base_BTD is not None, "asked only of networks with an anchor"
        return torch.cat([base_BTD, self.head.move(state_BTM)], dim=-1)

    def _state_and_base(
        self, x_BTD: Tensor, last_only: bool, base_BTD: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        scaled_BTD = x_BTD * math.sqrt(self.config.dim)
        if base_BTD is None:
            base_BTD = self._base(x_BTD)
        if last_only:
            return self.backbone.last(scaled_BTD), None if base_BTD is None else base_BTD[:, -1:]
        return self.backbone(scaled_BTD), base_BTD

    def _base(self, x_BTD: Tensor) -> Tensor | None:
        # Reduced precision is for what is trained: an anchor that is off by 1e-3 would be worse than its baseline.
        with torch.autocast(x_BTD.device.type, enabled=False):
            if self.anchor is not None:
                return self.anchor.forward(x_BTD.float())
            if self.backbone.residual:
                count_T1 = torch.arange(1, x_BTD.shape[1] + 1, device=x_BTD.device)[:, None]
                return x_BTD.float().cumsum(1) / count_T1
        return None

    @torch.no_grad()
    def forecast(
        self, x_BTD: Tensor, mask_BT: Tensor, breaks_BT: Tensor | None = None, next_BT: Tensor | None = None
    ) -> Forecast:
        """See `Predictor.forecast`. Raises TrainingError for an anchor never fitted: it would predict zeros."""
        check_input(self.config.architecture, self.config.dim, x_BTD, mask_BT, breaks_BT, next_BT)
        if (weights := getattr(self.anchor, "weights", None)) is not None and not weights.any():
            raise TrainingError(f"{self.config.architecture} has an anchor that was never fitted: call set_anchor")
        point_BTD = self._in_context(self, x_BTD)
        return Forecast(lambda: point_BTD)

    @torch.no_grad()
    def read(
        self, x_BTD: Tensor, state: State, breaks_BT: Tensor | None = None, next_BT: Tensor | None = None
    ) -> tuple[Forecast, State]:
        """See `Predictor.read`. With a context, a step is a pass over the vectors of that context."""
        name = self.config.architecture
        check_input(name, self.config.dim, x_BTD, None, breaks_BT, next_BT)
        check_state(name, len(x_BTD), state)
        self.eval()
        x_BTD = x_BTD.to(next(self.parameters()).device, torch.float32)
        point_B1D, memory = self._recall(x_BTD, state.memory)
        return Forecast(lambda: point_B1D), State(name, len(x_BTD), memory)

    def _recall(self, x_BTD: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        if self.config.context is not None:
            seen_BTD = latest(memory, x_BTD, self.config.context)
            return self(seen_BTD, last_only=True), seen_BTD
        of_base, of_backbone = by_layer(memory, 2)
        base_B1D, of_base = self._recall_base(x_BTD, of_base)
        h_BTM, of_backbone = self.backbone.read(x_BTD * math.sqrt(self.config.dim), of_backbone)
        return self.head(h_BTM[:, -1:], base_B1D), (of_base, of_backbone)

    def _recall_base(self, x_BTD: Tensor, memory: Memory) -> tuple[Tensor | None, Memory]:
        if self.anchor is not None:
            forecast, memory = self.anchor.recall(x_BTD, memory)
            return forecast.point, memory
        if not self.backbone.residual:
            return None, None
        sum_BD, count_B1 = (0.0, 0.0) if memory is None else cast("tuple[Any, Any]", memory)
        sum_BD, count_B1 = sum_BD + x_BTD.sum(1), count_B1 + torch.full_like(x_BTD[:, 0, :1], x_BTD.shape[1])
        return (sum_BD / count_B1)[:, None], (sum_BD, count_B1)

    @torch.no_grad()
    def tune_correction(self, batches: Batches) -> float:
        """Set the size of the correction to the one of `SIZES` with the best mean cosine, and return that cosine.

        A network without an anchor has no size to tune; its cosine is returned. Raises TrainingError without targets.
        """
        if self.anchor is None or self.head.size is None:
            return mean_cosine(self.predict, batches)
        totals, count = torch.zeros(len(SIZES), dtype=torch.float64), 0
        for batch in batches():
            mask_BT = batch.target_mask_BT
            both_NE = self._in_context(self._base_and_move, batch.x_BTD)[mask_BT]
            base_ND, move_ND = both_NE.chunk(2, dim=-1)
            target_ND = batch.target_BTD[mask_BT]
            for i, size in enumerate(SIZES):
                totals[i] += float((unit(base_ND + size * move_ND) * target_ND).sum(-1).double().sum())
            count += len(target_ND)
        if not count:
            raise TrainingError("there is no target to tune the correction on. Give it longer documents.")
        best = int(totals.argmax())
        self.head.size.fill_(SIZES[best])
        return float(totals[best]) / count

    def _in_context(self, function: Positionwise, x_BTD: Tensor) -> Tensor:
        """`function` at every position, seeing as much as this network's context, in evaluation mode."""
        self.eval()
        x_BTD = x_BTD.to(next(self.parameters()).device, torch.float32)
        context = self.config.context
        if context is None or context >= x_BTD.shape[1]:
            return function(x_BTD)
        return in_windows(function, x_BTD, context)


def in_windows(function: Positionwise, x_BTD: Tensor, context: int) -> Tensor:
    """Results that see the last `context` vectors: the short prefixes in one causal pass, then every window."""
    B, T, _ = x_BTD.shape
    prefix_BTD = [function(x_BTD[:, : context - 1])] if context > 1 else []
    first_BW = T * torch.arange(B, device=x_BTD.device)[:, None] + torch.arange(T - context + 1, device=x_BTD.device)
    rows_WK = first_BW.flatten()[:, None] + torch.arange(context, device=x_BTD.device)
    vectors_ND = x_BTD.flatten(0, 1)
    pieces = rows_WK.split(max(1, VECTORS_AT_ONCE // context))
    last_W1D = torch.cat([function(vectors_ND[some], last_only=True) for some in pieces])
    return torch.cat([*prefix_BTD, last_W1D.view(B, T - context + 1, -1)], dim=1)


def _named(anchor: tuple[str, int] | None) -> str:
    return "none" if anchor is None else f"{anchor[0]} of {anchor[1]} dimensions"


def anchor_baseline(anchor: str) -> str:
    """The baseline that an anchor's name stands for."""
    return "context-mean" if anchor == "mean" else anchor


def build_network(architecture: str, dim: int, options: Mapping[str, Any] | None = None, **settings: Any) -> Network:
    """`build_network("gru", 384, {"layers": 2}, anchor="none", context=5)`."""
    return Network(NetworkConfig(architecture=architecture, dim=dim, options=dict(options or {}), **settings))
