"""What a forecast draws at the targets of a document, reduced to distances: to the truth, to the point, to each other.

M targets, K samples of each, m targets in a block.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

SAMPLES = 32
"""Drawn for each target."""
_BLOCK_NUMBERS = 1 << 23


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Euclidean distances between unit vectors, 0..2: of samples to the target and to the point (M, K), and among
    samples (M, K, K), zero on the diagonal."""

    to_target_MK: Tensor
    to_point_MK: Tensor
    among_MKK: Tensor

    @classmethod
    def of(cls, samples_KMD: Tensor, target_MD: Tensor, point_MD: Tensor) -> Drawn:
        """A block of targets at a time, so that memory stays bounded by the samples themselves."""
        K, _, D = samples_KMD.shape
        step = max(1, _BLOCK_NUMBERS // (K * max(K, D)))
        parts = zip(samples_KMD.split(step, dim=1), target_MD.split(step), point_MD.split(step), strict=True)
        blocks = [cls._block(*part) for part in parts]
        return cls(**{each.name: torch.cat([getattr(block, each.name) for block in blocks]) for each in fields(cls)})

    @classmethod
    def _block(cls, samples_KmD: Tensor, target_mD: Tensor, point_mD: Tensor) -> Drawn:
        y_mKD = samples_KmD.transpose(0, 1).float()
        # The target among the samples: it is compared with them, so all must be rounded alike.
        all_mLL = _distances(torch.cat([target_mD[:, None], y_mKD], dim=1))
        return cls(
            to_target_MK=all_mLL[:, 0, 1:],
            to_point_MK=(y_mKD - point_mD[:, None]).norm(dim=2),
            among_MKK=all_mLL[:, 1:, 1:],
        )


def _distances(y_mLD: Tensor) -> Tensor:
    """(m, L, L), from the cosines of unit vectors."""
    squares_mLL = (2 - 2 * y_mLD @ y_mLD.transpose(1, 2)).clamp_(min=0.0)
    squares_mLL.diagonal(dim1=1, dim2=2).zero_()
    return squares_mLL.sqrt_()
