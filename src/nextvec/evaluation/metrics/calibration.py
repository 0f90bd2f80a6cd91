"""Does a forecast know how sure it is? The share of targets inside its central regions, and the histogram of ranks."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from nextvec.evaluation.drawn import Drawn
from nextvec.evaluation.metric import METRICS, Figure, Part, Passage, Setting

BINS = 10


@METRICS.register("calibration")
class Calibration:
    """A target is as far out as its mean distance to the samples, beside that of each sample to the others and the
    target. All K + 1 are treated alike, so if the target is one more draw, its rank among them, 1 the most central, is
    uniform whatever the distribution, for any K. That any such pre-rank will do is from Gneiting, Stanberry, Grimit,
    Held and Johnson 2008, "Assessing probabilistic forecasts of multivariate quantities", whose own are an order of all
    coordinates and the length of a spanning tree; the mean distance is not theirs. Rank r stands for the interval from
    (r - 1) / (K + 1) to r / (K + 1), ties for all of theirs, which is shared out among the bins that it crosses: each
    then expects a tenth, exactly. A density is not needed, so regions of all samplers are of one kind.

    Many in the last bin: the forecast is too narrow, or beside the truth. Many in the first ones: too wide.
    """

    figures: ClassVar[tuple[Figure, ...]] = (
        *(
            Figure(
                name=f"coverage@{percent}",
                meaning=f"share of targets within the central {percent} % of what is drawn",
                higher_is_better=None,
                low=0.0,
                high=1.0,
                optional=True,
                judges="samples",
            )
            for percent in (50, 90)
        ),
        *(
            Figure(
                name=f"rank_bin@{place}",
                meaning=f"share of targets in tenth {place} from the centre of what is drawn; 0.1 where calibrated",
                higher_is_better=None,
                low=0.0,
                high=1.0,
                optional=True,
                judges="samples",
            )
            for place in range(1, BINS + 1)
        ),
    )
    costly: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __init__(self, setting: Setting) -> None:
        pass

    def measure(self, passage: Passage) -> dict[str, Part]:
        if passage.drawn is None:
            return {}
        shares_MB = bin_shares(passage.drawn)
        within_MB = shares_MB.cumsum(dim=1)
        parts = {f"rank_bin@{place}": Part.of(share_M) for place, share_M in enumerate(shares_MB.T, start=1)}
        return {f"coverage@{percent}": Part.of(within_MB[:, percent // BINS - 1]) for percent in (50, 90)} | parts


def bin_shares(drawn: Drawn) -> Tensor:
    """(M, B) how much of each target's rank lies in each tenth; rows sum to 1."""
    own_M1 = drawn.to_target_MK.sum(dim=1, keepdim=True)
    others_MK = drawn.among_MKK.sum(dim=2) + drawn.to_target_MK
    size = others_MK.shape[1] + 1
    low_M1 = (others_MK < own_M1).sum(dim=1, keepdim=True) / size
    high_M1 = ((others_MK <= own_M1).sum(dim=1, keepdim=True) + 1) / size
    edges_B = torch.arange(BINS + 1, device=own_M1.device) / BINS
    below_MB = ((edges_B - low_M1) / (high_M1 - low_M1)).clamp(0.0, 1.0)
    return below_MB.diff(dim=1)
