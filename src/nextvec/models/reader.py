"""Baselines that read the structure of a text: two fits of one kind, without it and with it.

Which of them answers is decided position by position: the one with structure where something is known of it, and where
it was the better one on validation. What is known of the next chunk, its heading and whether it begins a paragraph,
moves what it answers.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from nextvec.ahead import Ahead
from nextvec.models.baseline import Baseline, Batches
from nextvec.models.decay import MIX_DECAYS, continued_means
from nextvec.models.heading_shift import shifts
from nextvec.models.memory import Kept, parts_of
from nextvec.models.predictor import unit
from nextvec.models.structure import PLACES, any_known, known_or_not, paragraph_means, paragraphs_after, places
from nextvec.models.targets import TargetBatch
from nextvec.structure import CONTINUES, UNKNOWN

PARAGRAPHS = 2


class Reader(Baseline):
    """A baseline on decayed means, with a twin that has paragraph means and places besides.

    `structured` is the twin, None in the twin itself; `helps` whether the twin was better on validation; `shift`
    (2, D, D) what headings are multiplied by that are not fresh and that are, None where neither was better for it;
    `weight_shift` (2, W) by how much more each of its parts weighs where the next chunk goes on with its paragraph and
    where it begins one, and `constant` (2, D) what is added there, both of the one of the two that answers where
    structure is known; None where that was no better.
    """

    reads_structure = True
    optional: ClassVar[tuple[str, ...]] = ("shift", "weight_shift", "constant")
    helps: Tensor
    shift: Tensor | None
    weight_shift: Tensor | None
    constant: Tensor | None

    def __init__(self, dim: int, *, is_twin: bool = False) -> None:
        super().__init__(dim)
        self.is_twin = is_twin
        self.register_buffer("shift", None)
        self.register_buffer("weight_shift", None)
        self.register_buffer("constant", None)
        self.structured = None if is_twin else type(self)(dim, is_twin=True)
        if not is_twin:
            self.register_buffer("helps", torch.tensor(False))

    @property
    def means(self) -> int:
        """K, how many means its features begin with."""
        return len(MIX_DECAYS) + (PARAGRAPHS if self.is_twin else 0)

    @property
    def size(self) -> int:
        """F, how many features it has."""
        return self.means * self.dim + (PLACES if self.is_twin else 0)

    def features(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept = None) -> Tensor:
        """(B, T, F): the K means, K x D numbers, and in the twin the places."""
        sums_BKD, paragraphs = parts_of(kept, 2)
        means_BTF = continued_means(x_BTD, sums_BKD)[0].flatten(2)
        if not self.is_twin:
            return means_BTF
        breaks_BT = known_or_not(breaks_BT, x_BTD)
        paragraphs_BTF = paragraph_means(x_BTD, breaks_BT, paragraphs).flatten(2)
        return torch.cat([means_BTF, paragraphs_BTF, places(breaks_BT, paragraphs).to(x_BTD)], dim=-1)

    def means_of(self, f_BTF: Tensor) -> Tensor:
        """(B, T, K, D) of features."""
        return f_BTF[..., : self.means * self.dim].unflatten(-1, (self.means, self.dim))

    def fit(self, train: Batches, validation: Batches) -> None:
        score = self.fit_one(train, validation)
        if self.structured is not None and any(_has_structure(batch.breaks_BT) for batch in train()):
            self.helps.fill_(self.structured.fit_one(train, validation) > score)
        self.answering.fit_weight_shift(train, validation)
        if any(batch.heading is not None for batch in train()):
            self.fit_shift(train, validation)

    @abstractmethod
    def fit_weight_shift(self, train: Batches, validation: Batches) -> None:
        """Set `weight_shift`, and `constant` where it has one, from how targets begin."""

    def keep_weight_shift(self, validation: Batches) -> None:
        """Only where it is better on validation than none."""
        if self.weight_shift is not None and self.score(validation, begins=True) <= self.score(validation):
            self.weight_shift = self.constant = None

    def fit_shift(self, train: Batches, validation: Batches) -> None:
        """Set `shift` to the best on validation of none and those that explain what is left over in training."""
        self.shift = None
        residual = self.left_over(train)
        best, found_2DD = self.score(validation), torch.zeros(2, self.dim, self.dim, device=next(self.buffers()).device)
        for fresh, candidates in enumerate(shifts(residual, train())):
            tried_2DD = found_2DD.clone()
            for shift_DD in candidates:
                tried_2DD[fresh] = shift_DD
                self.shift = tried_2DD
                if (score := self.score(validation)) > best:
                    best, found_2DD[fresh] = score, shift_DD
        self.shift = found_2DD if found_2DD.any() else None

    @abstractmethod
    def fit_one(self, train: Batches, validation: Batches) -> float:
        """Fit this one of the two; returns how good it is on validation, more is better."""

    @abstractmethod
    def score(self, validation: Batches, *, begins: bool = False) -> float:
        """How good its answers are, told headings and, where that is asked, how targets begin; more is better."""

    @abstractmethod
    def moved(self, f_BTF: Tensor, weight_BTW: Tensor) -> Tensor:
        """(B, T, D): what its parts add to `direction` that weigh so much more."""

    @abstractmethod
    def left_over(self, train: Batches) -> Callable[[TargetBatch], Tensor]:
        """Of a batch, (B, T, D): what a heading is to add to `direction_after`."""

    @abstractmethod
    def direction(self, f_BTF: Tensor) -> Tensor:
        """(B, T, D) of any norm, from features: what it expects before it is projected onto the sphere."""

    def answer(self, f_BTF: Tensor) -> Tensor:
        """Unit predictions y_BTD from features."""
        return unit(self.direction(f_BTF))

    def forward(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        return self.point_after(x_BTD, breaks_BT, None)

    def rank(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        return self.rank_after(x_BTD, breaks_BT, None)

    def point_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        return unit(self.direction_after(x_BTD, breaks_BT, kept, ahead))

    def rank_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        return self.point_after(x_BTD, breaks_BT, kept, ahead)

    def direction_after(
        self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None
    ) -> Tensor:
        """(B, T, D): `direction` of itself or its twin, moved by what is known of the next chunk."""
        begins_BT = None if ahead is None else self._begins(ahead)
        direction_BTD = self.either(lambda one, f_BTF: one.shifted(f_BTF, begins_BT), x_BTD, breaks_BT, kept)
        return self.under_heading(direction_BTD, ahead)

    def under_heading(self, direction_BTD: Tensor, ahead: Ahead | None) -> Tensor:
        """The same, moved by what the heading of the next chunk says, where it is known."""
        if ahead is None or ahead.heading is None or self.shift is None:
            return direction_BTD
        return direction_BTD + ahead.heading.features_BTF @ self.shift.flatten(0, 1).to(direction_BTD)

    def shifted(self, f_BTF: Tensor, begins_BT: Tensor | None) -> Tensor:
        """`direction`, moved where it is known how the next chunk begins."""
        direction_BTD, known_BT = self.direction(f_BTF), None if begins_BT is None else begins_BT != UNKNOWN
        if self.weight_shift is None or begins_BT is None or known_BT is None or not known_BT.any():
            return direction_BTD
        kind_BT = begins_BT.clamp(min=CONTINUES).long()
        moved_BTD = self.moved(f_BTF, self.weight_shift.to(f_BTF)[kind_BT])
        if self.constant is not None:
            moved_BTD = moved_BTD + self.constant.to(f_BTF)[kind_BT]
        return direction_BTD + moved_BTD * known_BT[..., None]

    def _begins(self, ahead: Ahead) -> Tensor | None:
        """How the next chunk begins, as far as a fresh heading has not said it: its shift has that in it."""
        if ahead.begins_BT is None or ahead.heading is None or self.shift is None or not self.shift[1].any():
            return ahead.begins_BT
        return ahead.begins_BT.masked_fill(ahead.heading.fresh_BT, UNKNOWN)

    def remember(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept) -> Kept:
        sums_BKD, paragraphs = parts_of(kept, 2)
        if self._has_better_twin:
            paragraphs = paragraphs_after(x_BTD, known_or_not(breaks_BT, x_BTD), paragraphs)
        return continued_means(x_BTD, sums_BKD)[1], paragraphs

    @property
    def _has_better_twin(self) -> bool:
        return self.structured is not None and bool(self.helps)

    @property
    def answering(self) -> Reader:
        """The one of the two that answers where structure is known."""
        return cast(Reader, self.structured) if self._has_better_twin else self

    @property
    def reads_next(self) -> bool:
        return self.answering.weight_shift is not None

    def either(
        self, answer: Callable[[Any, Tensor], Tensor], x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept
    ) -> Tensor:
        """(B, T, D): `answer` of itself or its twin to the features of each."""
        known_BT1 = self._twin_knows(x_BTD, breaks_BT, kept)[..., None]
        if not known_BT1.any():
            return answer(self, self.features(x_BTD, breaks_BT, kept))
        with_BTD = answer(self.structured, cast(Reader, self.structured).features(x_BTD, breaks_BT, kept))
        if known_BT1.all():
            return with_BTD
        return torch.where(known_BT1, with_BTD, answer(self, self.features(x_BTD, breaks_BT, kept)))

    def _twin_knows(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept) -> Tensor:
        """(B, T) bool: whether the twin is to answer."""
        if not self._has_better_twin:
            return torch.zeros(x_BTD.shape[:2], dtype=torch.bool, device=x_BTD.device)
        _, paragraphs = parts_of(kept, 2)
        return any_known(known_or_not(breaks_BT, x_BTD), paragraphs)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """What was saved before there were twins has none, and only what reads the next chunk has shifts; where nothing
        of this baseline was saved, as in a network's best epoch, it stays as it is."""
        device, known = next(self.buffers()).device, any(name.startswith(prefix) for name in state_dict)
        for name in self.optional if known else ():
            saved = state_dict.get(prefix + name)
            self._buffers[name] = None if saved is None else torch.empty_like(saved, device=device)
        has_twin = any(name.startswith(f"{prefix}structured.") for name in state_dict)
        for name, tensor in self.state_dict().items():
            if name == "helps" or (name.startswith("structured.") and not has_twin):
                state_dict.setdefault(prefix + name, tensor)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _has_structure(breaks_BT: Tensor | None) -> bool:
    return breaks_BT is not None and bool(any_known(breaks_BT).any())
