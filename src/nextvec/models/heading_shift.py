"""By how much the heading of the next chunk moves what a baseline expects: ridge regression of what it leaves over.

One for headings that are fresh and one for others: a position has one of the two, so they are fitted and tuned apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from nextvec.models.targets import TargetBatch

PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)
"""Of the regressions, in units of a feature's mean square. A document has few headings, and hardly any that another
document has."""


def shifts(residual: Callable[[TargetBatch], Tensor], train: Iterable[TargetBatch]) -> list[Iterator[Tensor]]:
    """Of headings that are not fresh, and of fresh ones: (D, D) for each of `PENALTIES`, the regression of `residual`
    (B, T, D) on their vectors, at training targets; none where there is no such target."""
    sums: dict[bool, tuple[Tensor, Tensor, int]] = {}
    for batch in train:
        if batch.heading is None:
            continue
        residual_BTD, told_BT = residual(batch), batch.heading.known_BT & batch.target_mask_BT
        for fresh in (False, True):
            some_BT = told_BT & (batch.heading.fresh_BT == fresh)
            h_ND, r_ND = batch.heading.vector_BTD[some_BT].double(), residual_BTD[some_BT].double()
            gram_DD, moment_DD, count = sums.get(fresh, (0.0, 0.0, 0))
            sums[fresh] = gram_DD + h_ND.T @ h_ND, moment_DD + h_ND.T @ r_ND, count + len(h_ND)
    return [_solutions(*sums[fresh]) for fresh in sorted(sums)]


def _solutions(gram_DD: Tensor, moment_DD: Tensor, count: int) -> Iterator[Tensor]:
    if count:
        eye_DD = torch.eye(len(gram_DD), dtype=gram_DD.dtype, device=gram_DD.device)
        for penalty in PENALTIES:
            damped_DD = gram_DD + penalty * gram_DD.diagonal().mean() / count * eye_DD
            yield torch.cholesky_solve(moment_DD, torch.linalg.cholesky(damped_DD)).float()
