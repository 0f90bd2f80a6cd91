"""Baselines that read the structure of a text: two fits of one kind, without it and with it.

Which of them answers is decided position by position: the one with structure where something is known of it, and where
it was the better one on validation.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nextvec.models.baseline import Baseline, Batches
from nextvec.models.decay import MIX_DECAYS, decayed_means
from nextvec.models.structure import PLACES, any_known, paragraph_means, places, unknown

PARAGRAPHS = 2


class Reader(Baseline):
    """A baseline on decayed means, with a twin that has paragraph means and places besides.

    `structured` is the twin, None in the twin itself; `helps` whether the twin was better on validation.
    """

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

    def features(self, x_BTD: Tensor, breaks_BT: Tensor | None) -> Tensor:
        """(B, T, F): the K means, K x D numbers, and in the twin the places."""
        means_BTF = decayed_means(x_BTD).flatten(2)
        if not self.is_twin:
            return means_BTF
        breaks_BT = unknown(x_BTD) if breaks_BT is None else breaks_BT
        return torch.cat([means_BTF, paragraph_means(x_BTD, breaks_BT).flatten(2), places(breaks_BT).to(x_BTD)], dim=-1)

    def means_of(self, f_BTF: Tensor) -> Tensor:
        """(B, T, K, D) of features."""
        return f_BTF[..., : self.means * self.dim].unflatten(-1, (self.means, self.dim))

    def fit(self, train: Batches, validation: Batches) -> None:
        score = self.fit_one(train, validation)
        if self.structured is not None and any(_has_structure(batch.breaks_BT) for batch in train()):
            self.helps = torch.tensor(self.structured.fit_one(train, validation) > score)

    @abstractmethod
    def fit_one(self, train: Batches, validation: Batches) -> float:
        """Fit this one of the two; returns how good it is on validation, more is better."""

    def either(self, answer: Callable[[Any, Tensor], Tensor], x_BTD: Tensor, breaks_BT: Tensor | None) -> Tensor:
        """(B, T, D): `answer` of itself or its twin to the features of each."""
        twin = self.structured
        if twin is None or breaks_BT is None or not self.helps:
            return answer(self, self.features(x_BTD, breaks_BT))
        known_BT1 = any_known(breaks_BT)[..., None]
        with_BTD = answer(twin, twin.features(x_BTD, breaks_BT))
        return (
            with_BTD if known_BT1.all() else torch.where(known_BT1, with_BTD, answer(self, self.features(x_BTD, None)))
        )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """What was saved before there were twins has none."""
        for name, tensor in self.state_dict().items():
            if name == "helps" or name.startswith("structured."):
                state_dict.setdefault(prefix + name, tensor)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _has_structure(breaks_BT: Tensor | None) -> bool:
    return breaks_BT is not None and bool(any_known(breaks_BT).any())
