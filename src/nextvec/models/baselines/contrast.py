"""A query in closed form: which of a document's chunks comes next, rather than what the next one is like on average.

A good mean is a bad query: it points at what is typical of the document, and the next chunk is not more typical than
the others. What tells it from them is its difference from the mean of the pool. Under two Gaussians with one covariance
S, "next" around mean + d(context) and "any of this document" around mean, the log-density ratio of a candidate y is

    d' S^-1 y + const,

so d, which ridge regression predicts from the decayed means, times the inverse of the shrunk S is the query.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from nextvec.ahead import Ahead
from nextvec.models.baseline import BASELINES, Batches
from nextvec.models.break_shift import constants
from nextvec.models.memory import Kept
from nextvec.models.part_weights import gain, likeliest, part_scores
from nextvec.models.pool import least_log_loss, own_pools, pool_means, pool_scores, reciprocal_ranks
from nextvec.models.reader import Reader
from nextvec.models.structure import CONTINUES, PLACES
from nextvec.models.targets import TargetBatch, ahead_of

PENALTIES = (1_000.0, 3_000.0, 10_000.0, 30_000.0, 100_000.0, 300_000.0)
"""Of the ridge regression, in units of a feature's mean square."""
SHRINKAGES = (0.3, 1.0, 3.0, 10.0)
"""Of the covariance, in units of its mean eigenvalue."""


@BASELINES.register("contrast")
class Contrast(Reader):
    """q = W f with W = (ridge regression of target - pool mean on the features) (S + s I)^-1; features are the decayed
    means and, where there is structure, paragraph means and places.

    Penalty and shrinkage are tuned on the reciprocal ranks of validation targets in their documents. Where it is known
    whether the next chunk begins a paragraph, each mean's part of the query weighs more or less, and what training
    targets of that kind have in common is added, as validation targets are likeliest (`part_weights`). Its point is the
    direction of its query, which is no prediction of the mean.
    """

    name = "contrast"
    ranks_by = "query"
    penalty: Tensor
    shrinkage: Tensor
    matrix: Tensor

    def __init__(self, dim: int, *, is_twin: bool = False) -> None:
        super().__init__(dim, is_twin=is_twin)
        self.register_buffer("penalty", torch.tensor(float("inf")))
        self.register_buffer("shrinkage", torch.tensor(float("inf")))
        self.register_buffer("matrix", torch.zeros(0 if is_twin else self.size, dim))

    def fit_one(self, train: Batches, validation: Batches) -> float:
        moments, best = Moments.of(self.features, train), -1.0
        for penalty in PENALTIES:
            difference_FD = moments.regression(penalty)
            scores = self._scores(difference_FD, moments, validation)
            for shrinkage, score in zip(SHRINKAGES, scores, strict=True):
                if score > best:
                    best, self.matrix = score, difference_FD @ moments.precision(shrinkage)
                    self.penalty.fill_(penalty)
                    self.shrinkage.fill_(shrinkage)
        return best

    def direction(self, f_BTF: Tensor) -> Tensor:
        return f_BTF @ self.matrix.to(f_BTF)

    def rank_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        return self.direction_after(x_BTD, breaks_BT, kept, ahead)

    def score(self, validation: Batches, *, begins: bool = False) -> float:
        """Mean reciprocal rank in the targets' own documents; 0 where nothing can be ranked."""
        total, count = 0.0, 0
        for batch in validation():
            query_BTD = self.rank_after(batch.x_BTD, batch.breaks_BT, None, ahead_of(batch, begins=begins))
            for query_TD, vectors_ND in own_pools(query_BTD, batch):
                total += float(reciprocal_ranks(pool_scores(query_TD, vectors_ND)).sum())
                count += len(query_TD)
        return total / max(count, 1)

    def left_over(self, train: Batches) -> Callable[[TargetBatch], Tensor]:
        precision_DD = Moments.of(_nothing, train).precision(float(cast(Contrast, self.answering).shrinkage))
        return lambda batch: (
            self.wanted(batch) @ precision_DD - self.direction_after(batch.x_BTD, batch.breaks_BT, None)
        )

    def wanted(self, batch: TargetBatch) -> Tensor:
        """(B, T, D): the targets' differences from the means of their pools."""
        return batch.target_BTD - pool_means(batch.x_BTD, batch.target_BTD, batch.mask_BT)

    def fit_weight_shift(self, train: Batches, validation: Batches) -> None:
        """Those with which validation targets are likeliest, at the scale at which its queries are log odds; none where
        those of one half of the documents are worth nothing to the other."""
        self.weight_shift = self.constant = None
        if not any(batch.begins_BT is not None for batch in train()):
            return
        _, scale = least_log_loss(lambda batch: self.rank(batch.x_BTD, batch.breaks_BT), validation)
        common_2D = constants(self.left_over(train), train())
        scores = part_scores(lambda batch: scale * self._parts(batch, common_2D), validation)
        usual_P = torch.ones(len(self._sizes) + 1, device=self.matrix.device)
        usual_P[-1] = 0.0
        if gain(scores, usual_P) > 0:
            change_2P = likeliest(scores, usual_P)
            self.weight_shift, self.constant = change_2P[:, :-1], change_2P[:, -1:] * common_2D

    def moved(self, f_BTF: Tensor, weight_BTW: Tensor) -> Tensor:
        sizes = torch.tensor(self._sizes, device=f_BTF.device)
        return self.direction(f_BTF * weight_BTW.repeat_interleave(sizes, dim=-1))

    @property
    def _sizes(self) -> list[int]:
        """How many features each of its parts has: the means, and in the twin the places together."""
        return [self.dim] * self.means + [PLACES] * self.is_twin

    def _parts(self, batch: TargetBatch, common_2D: Tensor) -> Tensor:
        """(B, T, P, D): what each of its parts gives to the query, and last what targets of their kind have in
        common."""
        assert batch.begins_BT is not None, "asked of those that are known alone"
        f_BTF = self.features(batch.x_BTD, batch.breaks_BT)
        blocks = zip(f_BTF.split(self._sizes, dim=-1), self.matrix.to(f_BTF).split(self._sizes), strict=True)
        common_BTD = common_2D.to(f_BTF)[batch.begins_BT.clamp(min=CONTINUES).long()]
        return torch.stack([*(f_BTf @ matrix_fD for f_BTf, matrix_fD in blocks), common_BTD], dim=2)

    def _scores(self, difference_FD: Tensor, moments: Moments, validation: Batches) -> list[float]:
        """Mean reciprocal rank on validation documents for every shrinkage. Where nothing can be ranked, all are 0."""
        precisions = [moments.precision(shrinkage) for shrinkage in SHRINKAGES]
        totals, count = self.penalty.new_zeros(len(precisions), dtype=torch.float64), 0
        for batch in validation():
            d_BTD = self.features(batch.x_BTD, batch.breaks_BT) @ difference_FD
            for d_TD, vectors_ND in own_pools(d_BTD, batch):
                for i, precision_DD in enumerate(precisions):
                    totals[i] += reciprocal_ranks(pool_scores(d_TD @ precision_DD, vectors_ND)).sum()
                count += len(d_TD)
        return (totals / max(count, 1)).tolist()


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over training targets: features' products (F, F), with the differences (F, D), of the differences (D, D)."""

    gram_FF: Tensor
    moment_FD: Tensor
    spread_DD: Tensor
    count: int

    @classmethod
    def of(cls, features: Callable[[Tensor, Tensor | None], Tensor], train: Batches) -> Moments:
        sums: tuple[Tensor, ...] = ()
        count = 0
        for batch in train():
            mask_BT = batch.target_mask_BT
            pool_BTD = pool_means(batch.x_BTD, batch.target_BTD, batch.mask_BT)
            f_NF = features(batch.x_BTD, batch.breaks_BT)[mask_BT]
            d_ND = (batch.target_BTD - pool_BTD)[mask_BT]
            products = (f_NF.T @ f_NF, f_NF.T @ d_ND, d_ND.T @ d_ND)
            sums = sums or tuple(torch.zeros_like(product, dtype=torch.float64) for product in products)
            for total, product in zip(sums, products, strict=True):
                total += product
            count += len(f_NF)
        gram_FF, moment_FD, spread_DD = sums
        return cls(gram_FF, moment_FD, spread_DD, count)

    def regression(self, penalty: float) -> Tensor:
        """(F, D) ridge regression of the differences, the penalty in units of a feature's mean square."""
        damped_FF = self.gram_FF + penalty * self.gram_FF.diagonal().mean() / self.count * _eye(self.gram_FF)
        return torch.cholesky_solve(self.moment_FD, torch.linalg.cholesky(damped_FF)).float()

    def precision(self, shrinkage: float) -> Tensor:
        """(D, D) inverse of the differences' covariance and a multiple of its mean eigenvalue."""
        covariance_DD = self.spread_DD / self.count
        return torch.linalg.inv(
            covariance_DD + shrinkage * covariance_DD.diagonal().mean() * _eye(covariance_DD)
        ).float()


def _nothing(x_BTD: Tensor, breaks_BT: Tensor | None) -> Tensor:
    """(B, T, 0): features where only the differences matter."""
    return x_BTD[..., :0]


def _eye(like: Tensor) -> Tensor:
    return torch.eye(len(like), dtype=like.dtype, device=like.device)
