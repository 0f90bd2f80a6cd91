"""By how much the heading of the next chunk moves what a baseline expects: ridge regression of what it leaves over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from nextvec.models.targets import TargetBatch

PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0)
"""Of the regression, in units of a feature's mean square. A document has few headings, and hardly any that another
document has."""


def shifts(residual: Callable[[TargetBatch], Tensor], train: Iterable[TargetBatch]) -> Iterator[Tensor]:
    """(2 D, D) for each of `PENALTIES`: the regression of `residual` (B, T, D) on `NextHeading.features_BTF`, at the
    training targets that stand under a heading; none where none does."""
    sums: tuple[Tensor, Tensor] | None = None
    count = 0
    for batch in train:
        if batch.heading is None:
            continue
        told_BT = batch.heading.known_BT & batch.target_mask_BT
        f_NF, r_ND = batch.heading.features_BTF[told_BT].double(), residual(batch)[told_BT].double()
        products = f_NF.T @ f_NF, f_NF.T @ r_ND
        sums = products if sums is None else (sums[0] + products[0], sums[1] + products[1])
        count += len(f_NF)
    if sums is not None and count:
        yield from (_solve(*sums, penalty / count) for penalty in PENALTIES)


def _solve(gram_FF: Tensor, moment_FD: Tensor, penalty: float) -> Tensor:
    damped_FF = gram_FF + penalty * gram_FF.diagonal().mean() * torch.eye(len(gram_FF), device=gram_FF.device)
    return torch.cholesky_solve(moment_FD, torch.linalg.cholesky(damped_FF)).float()
