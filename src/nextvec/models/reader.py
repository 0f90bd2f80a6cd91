"""Baselines that read the structure of a text: two fits of one kind, without it and with it.

Which of them answers is decided position by position: the one with structure where something is known of it, and where
it was the better one on validation.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from nextvec.models.baseline import Baseline, Batches
from nextvec.models.decay import MIX_DECAYS, continued_means
from nextvec.models.memory import Kept, parts_of
from nextvec.models.structure import PLACES, any_known, known_or_not, paragraph_means, paragraphs_after, places

PARAGRAPHS = 2


class Reader(Baseline):
    """A baseline on decayed means, with a twin that has paragraph means and places besides.

    `structured` is the twin, None in the twin itself; `helps` whether the twin was better on validation.
    """

    reads_breaks = True
    helps: Tensor

    def __init__(self, dim: int, *, is_twin: bool = False) -> None:
        super().__init__(dim)
        self.is_twin = is_twin
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

    @abstractmethod
    def fit_one(self, train: Batches, validation: Batches) -> float:
        """Fit this one of the two; returns how good it is on validation, more is better."""

    @abstractmethod
    def answer(self, f_BTF: Tensor) -> Tensor:
        """Unit predictions y_BTD from features."""

    def ask(self, f_BTF: Tensor) -> Tensor:
        """Queries q_BTD from features; the predictions, where there are no others."""
        return self.answer(f_BTF)

    def forward(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        return self.point_after(x_BTD, breaks_BT, None)

    def rank(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        return self.rank_after(x_BTD, breaks_BT, None)

    def point_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept) -> Tensor:
        return self.either(type(self).answer, x_BTD, breaks_BT, kept)

    def rank_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept) -> Tensor:
        return self.either(type(self).ask, x_BTD, breaks_BT, kept)

    def remember(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept) -> Kept:
        sums_BKD, paragraphs = parts_of(kept, 2)
        if self._has_better_twin:
            paragraphs = paragraphs_after(x_BTD, known_or_not(breaks_BT, x_BTD), paragraphs)
        return continued_means(x_BTD, sums_BKD)[1], paragraphs

    @property
    def _has_better_twin(self) -> bool:
        return self.structured is not None and bool(self.helps)

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
        """What was saved before there were twins has none."""
        for name, tensor in self.state_dict().items():
            if name == "helps" or name.startswith("structured."):
                state_dict.setdefault(prefix + name, tensor)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _has_structure(breaks_BT: Tensor | None) -> bool:
    return breaks_BT is not None and bool(any_known(breaks_BT).any())
