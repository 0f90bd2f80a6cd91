"""What is known of the heading under which the next chunk stands. B documents, T positions, D embedding size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class NextHeading:
    """`vector_BTD` is the unit vector of the heading that the chunk after each position stands under, zero where it
    stands under none or nothing is known; `fresh_BT` (bool) says where it stands between the two chunks."""

    vector_BTD: Tensor
    fresh_BT: Tensor

    def __getitem__(self, part: Any) -> NextHeading:
        """Of these sequences, or sequences and positions."""
        return NextHeading(self.vector_BTD[part], self.fresh_BT[part])

    def windows(self, rows_WK: Tensor) -> NextHeading:
        """(W, K) positions, counted over all sequences, as sequences of their own."""
        return NextHeading(self.vector_BTD.flatten(0, 1)[rows_WK], self.fresh_BT.flatten()[rows_WK])

    def to(self, device: torch.device) -> NextHeading:
        return NextHeading(self.vector_BTD.to(device), self.fresh_BT.to(device))

    def hidden(self, hidden_BT: Tensor) -> NextHeading:
        """The same, with nothing known at these positions."""
        return NextHeading(self.vector_BTD.masked_fill(hidden_BT[..., None], 0.0), self.fresh_BT & ~hidden_BT)

    @property
    def known_BT(self) -> Tensor:
        """(B, T) bool, where there is a heading."""
        return self.vector_BTD.any(-1)

    @property
    def features_BTF(self) -> Tensor:
        """(B, T, 2 D) float32: the heading where it is not fresh, and where it is; zeros elsewhere."""
        fresh_BT1 = self.fresh_BT[..., None]
        vector_BTD = self.vector_BTD.float()
        return torch.cat([vector_BTD * ~fresh_BT1, vector_BTD * fresh_BT1], dim=-1)
