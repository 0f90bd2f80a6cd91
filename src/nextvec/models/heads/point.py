"""The point head: one unit vector, the base moved by what the backbone reads out of its state."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Self

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor, nn

from nextvec.ahead import Ahead
from nextvec.config import Config
from nextvec.errors import TrainingError, UsageError
from nextvec.models.backbone import Backbone
from nextvec.models.baseline import Baseline
from nextvec.models.familiarity import Familiarity
from nextvec.models.head import HEADS, SIZES, Head, Readings, State, least_as_good, start_at_zero
from nextvec.models.losses import LOSSES
from nextvec.models.memory import Kept, parts_of
from nextvec.models.predictor import MEANS, AnchorName, unit
from nextvec.models.targets import Targets


class PointConfig(Config):
    loss: str = Field("cosine", description="cosine, mse, infonce or balanced")
    rho: float | None = Field(None, gt=0, description="balanced alone: share of the contrastive gradient; default 0.3")

    @field_validator("loss")
    @classmethod
    def _known_loss(cls, name: str) -> str:
        if name not in LOSSES:
            raise UsageError.unknown("loss", name, LOSSES)
        return name

    @model_validator(mode="after")
    def _rho_is_used(self) -> Self:
        if self.rho is not None and self.loss != "balanced":
            raise UsageError(f"rho = {self.rho} means nothing to loss {self.loss}; leave it out, or set loss=balanced")
        return self

    def make_loss(self) -> nn.Module:
        return LOSSES.get(self.loss)(**({} if self.rho is None else {"rho": self.rho}))


@HEADS.register("point")
class PointHead(Head):
    """unit(base + size * familiarity(base) * readout(state) / sqrt(D)).

    A unit vector's components are of order 1/sqrt(D). Without the factor a few steps of Adam, which moves every weight
    by about its learning rate, would throw the prediction off its base. The size of a correction that starts from zero
    is 1 while it trains and tuned on validation afterwards, like the penalty of a ridge regression: a network that has
    learnt as much noise as signal still improves on its base when it moves a third of the way. And a context that is
    like none of those that it has learnt from is left with its base: see `Familiarity`, which is 1 while it trains. A
    head without an anchor has neither; its base is nothing, or where that is part of the architecture, the context's
    mean.
    """

    Config = PointConfig
    gives = frozenset({"point"})

    def __init__(self, config: PointConfig, backbone: Backbone, anchor: Baseline | None) -> None:
        super().__init__(config, backbone, anchor)
        self.readout = backbone.readout()
        self.from_mean = backbone.residual and anchor is None
        self.loss_of = config.make_loss()
        self.contrasts = getattr(self.loss_of, "contrasts", True)
        self.size: Tensor | None
        self.register_buffer("size", None if anchor is None else torch.ones(()))
        self.familiarity = None if anchor is None else Familiarity(self.dim)
        if anchor is not None:
            start_at_zero(self.readout)

    @classmethod
    def baseline(cls, anchor: AnchorName) -> str | None:
        return {"none": None, "mean": "context-mean", "best": MEANS[0]}.get(anchor, anchor)

    @property
    def anchored(self) -> bool:
        return self.from_mean or super().anchored

    def base(
        self,
        x_BTD: Tensor,
        breaks_BT: Tensor | None = None,
        kept: Kept = None,
        ahead: Ahead | None = None,
    ) -> Tensor:
        if self.anchor is not None:
            return self.anchor.point_after(x_BTD, breaks_BT, kept, ahead)
        count_T1 = torch.arange(1, x_BTD.shape[1] + 1, device=x_BTD.device)[:, None]
        if kept is None:
            return x_BTD.cumsum(1) / count_T1
        sum_B1D, count_B11 = parts_of(kept, 2)
        return (sum_B1D + x_BTD.cumsum(1)) / (count_B11 + count_T1)

    def remember(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept) -> Kept:
        """Without an anchor the context's sum (B, 1, D) and size (B, 1, 1), where it starts at its mean."""
        if not self.from_mean:
            return super().remember(x_BTD, breaks_BT, kept)
        sum_B1D, count_B11 = parts_of(kept, 2) if kept is not None else (0.0, 0.0)
        length_B11 = torch.full_like(x_BTD[:, :1, :1], x_BTD.shape[1])
        return sum_B1D + x_BTD.sum(1, keepdim=True), count_B11 + length_B11

    def acquaint(self, seen: Iterable[Tensor], held_out: Iterable[Tensor]) -> None:
        if self.familiarity is not None:
            self.familiarity.fit(seen, held_out)

    def correction(self, state: State) -> Tensor:
        return self.readout(state.hidden_BSM).float() / math.sqrt(self.dim)

    def move(self, state: State) -> Tensor:
        """The correction at size 1, (B, S, D), not normalised: less of it the less familiar the context is."""
        move_BSD = self.correction(state)
        if self.familiarity is None or state.base_BSE is None or self.training:
            return move_BSD
        return self.familiarity(state.base_BSE) * move_BSD

    def point(self, state: State) -> Tensor:
        move_BSD = self.move(state)
        if self.size is not None and not self.training:
            move_BSD = self.size * move_BSD
        return unit(move_BSD if state.base_BSE is None else state.base_BSE + move_BSD)

    def loss(self, state: State, targets: Targets) -> Tensor:
        point_ND = self.point(state)[targets.mask_BS]
        with torch.autocast(point_ND.device.type, enabled=False):
            loss: Tensor = self.loss_of(point_ND, targets)
            return loss

    def calibrate(self, readings: Readings) -> float:
        """Mean cosine, with the correction as small as is as good as the best.

        That is the least of `SIZES` whose mean cosine is within a standard error of the highest: a gain that chance may
        have made would as often be a loss elsewhere, and without one the head is its base.
        """
        totals, counts = [], []
        for state, batch in readings():
            mask_BT = batch.target_mask_BT
            points = self._at_sizes(state.at(mask_BT))
            cosines_NK = torch.stack([(point_ND * batch.target_BTD[mask_BT]).sum(-1) for point_ND in points], dim=-1)
            none_BK = torch.zeros(len(mask_BT), len(points), dtype=torch.float64, device="cpu")
            totals.append(none_BK.index_add(0, mask_BT.nonzero()[:, 0].cpu(), cosines_NK.double().cpu()))
            counts.append(mask_BT.sum(1).cpu())
        if not (count := sum(int(each.sum()) for each in counts)):
            raise TrainingError("there is no target to tune the correction on. Give it longer documents.")
        totals_CK = torch.cat(totals)
        best = least_as_good(totals_CK, torch.cat(counts))
        if self.size is not None:
            self.size.fill_(SIZES[best])
        return float(totals_CK[:, best].sum()) / count

    def _at_sizes(self, state: State) -> list[Tensor]:
        """Points (N, D) at each of `SIZES`; the one there is for a head that has no size."""
        if self.size is None or state.base_BSE is None:
            return [self.point(state)[0]]
        base_ND, move_ND = state.base_BSE[0], self.move(state)[0]
        return [unit(base_ND + size * move_ND) for size in SIZES]

    @property
    def calibration(self) -> dict[str, float]:
        return {} if self.size is None else {"size": round(float(self.size), 2)}
