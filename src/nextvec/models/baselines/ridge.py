"""Least squares: on the last vectors, on seven decayed means, and on what those leave unexplained.

Gram matrices are accumulated over the batches, so memory does not grow with the corpus.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from nextvec.ahead import Ahead
from nextvec.models.baseline import BASELINES, Baseline, Batches, cosine_of, mean_cosine
from nextvec.models.break_shift import constants, weight_shifts
from nextvec.models.memory import Kept
from nextvec.models.predictor import unit
from nextvec.models.reader import Reader
from nextvec.models.scalar_weights import ScalarWeights
from nextvec.models.targets import TargetBatch, ahead_of

RIDGE_GRID = (1.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 100_000.0, 1_000_000.0)
RIDGE_CONTEXT = 5
GROUPS = 16
"""Of axes whose lengths change together. On 54,000 chunks of narratives sixteen gain 0.0019 cosine on test documents,
four 0.0016, one for each of 384 axes 0.0017; on textbooks 0.0005, on 252,000 chunks of Wikipedia nothing."""

Features = Callable[[Tensor, Tensor | None], Tensor]
"""x_BTD and breaks_BT to features f_BTF, causal."""


@BASELINES.register("ewma-mix")
class EwmaMix(Reader):
    """unit(sum_j w_j m_j): scalar least-squares weights on the seven unit decayed means m_j of `MIX_DECAYS`, and where
    there is structure, on the two paragraph means; others where it is known how the next chunk begins.

    The sum is the topic of whatever goes on from it, too: a few numbers hold for every kind of text. Of five kinds that
    both were not fitted to, ridge-mix's mean finds the next chunk among other documents' less well in three and better
    in none (LOG.md, 2026-11-27).
    """

    name = "ewma-mix"
    has_topic = True
    weights: Tensor

    def __init__(self, dim: int, *, is_twin: bool = False) -> None:
        super().__init__(dim, is_twin=is_twin)
        self.register_buffer("weights", torch.zeros(self.means))

    def fit_one(self, train: Batches, validation: Batches) -> float:
        sums = ScalarWeights(self.weights.device)
        for batch in train():
            means_BTKD = self.means_of(self.features(batch.x_BTD, batch.breaks_BT))
            sums.add(means_BTKD[batch.target_mask_BT], batch.target_BTD[batch.target_mask_BT])
        self.weights = sums.solve().to(self.weights)
        return mean_cosine(
            lambda x_BTD, mask_BT, breaks_BT: unit(self.mix(self.features(x_BTD, breaks_BT))), validation
        )

    def mix(self, f_BTF: Tensor) -> Tensor:
        """The weighted sum before normalisation, (B, T, D)."""
        return torch.einsum("btkd,k->btd", self.means_of(f_BTF), self.weights.to(f_BTF))

    def mean(self, f_BTF: Tensor) -> Tensor:
        """What is expected, before normalisation, (B, T, D)."""
        return self.mix(f_BTF)

    def direction(self, f_BTF: Tensor) -> Tensor:
        return self.mean(f_BTF)

    def topic_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        mix_BTD = self.either(lambda one, f_BTF: one.mix(f_BTF), x_BTD, breaks_BT, kept)
        return unit(self.under_heading(mix_BTD, ahead))

    def score(self, validation: Batches, *, begins: bool = False) -> float:
        def predict(batch: TargetBatch) -> Tensor:
            return self.point_after(batch.x_BTD, batch.breaks_BT, None, ahead_of(batch, begins=begins))

        return cosine_of(predict, validation)

    def fit_weight_shift(self, train: Batches, validation: Batches) -> None:
        found_2K = weight_shifts(
            lambda batch: self.means_of(self.features(batch.x_BTD, batch.breaks_BT)), train(), self.weights.device
        )
        self.weight_shift = None if found_2K is None else found_2K.to(self.weights)
        self.keep_weight_shift(validation)

    def moved(self, f_BTF: Tensor, weight_BTW: Tensor) -> Tensor:
        return torch.einsum("btkd,btk->btd", self.means_of(f_BTF), weight_BTW)

    def left_over(self, train: Batches) -> Callable[[TargetBatch], Tensor]:
        return lambda batch: batch.target_BTD - self.direction_after(batch.x_BTD, batch.breaks_BT, None)


@BASELINES.register("ridge-mix")
class RidgeMix(EwmaMix):
    """unit((ewma-mix + W f) S): a ridge regression, tuned on validation, of what ewma-mix leaves over, on the decayed
    means and, where there is structure, paragraph means and places.

    Where it is known whether the next chunk begins a paragraph, its means weigh as much more or less as in `ewma-mix`,
    and what training targets of that kind have in common besides is added.

    S shortens the mean along some axes more than along others, as one penalty for all does not: of the axes of the
    training targets' second moments, in groups of equal size, each is multiplied by least squares on validation. It is
    the identity where that does not raise the cosine there.
    """

    name = "ridge-mix"
    penalty: Tensor
    matrix: Tensor
    lengths: Tensor

    def __init__(self, dim: int, *, is_twin: bool = False) -> None:
        super().__init__(dim, is_twin=is_twin)
        self.register_buffer("penalty", torch.tensor(float("inf")))
        self.register_buffer("matrix", torch.zeros(0 if is_twin else self.size, dim))
        self.register_buffer("lengths", torch.eye(dim))

    def fit_one(self, train: Batches, validation: Batches) -> float:
        super().fit_one(train, validation)
        penalty, self.matrix, score = fit_ridge(self.features, train, validation, offset=self.mix)
        self.penalty.fill_(penalty)
        unchanged_DD = torch.eye(self.dim, device=self.lengths.device)
        self.lengths = unchanged_DD
        self.lengths = self._shorter(principal_axes(train), validation)
        shorter = mean_cosine(
            lambda x_BTD, mask_BT, breaks_BT: self.answer(self.features(x_BTD, breaks_BT)), validation
        )
        if shorter <= score:
            self.lengths = unchanged_DD
        return max(shorter, score)

    def _shorter(self, axes_DD: Tensor, validation: Batches) -> Tensor:
        """(D, D) what multiplies each group of axes by its least squares factor on validation.

        In float64 to the end, so that nothing of how axes are signed or rounded is left in it.
        """
        moments_2DD = axes_DD.new_zeros(2, self.dim, self.dim)
        for batch in validation():
            mean_BTD = self.mean(self.features(batch.x_BTD, batch.breaks_BT))
            m_ND, y_ND = (v_BTD[batch.target_mask_BT] for v_BTD in (mean_BTD, batch.target_BTD))
            moments_2DD += torch.stack([m_ND.T @ y_ND, m_ND.T @ m_ND])
        sums_2D = (axes_DD.T @ moments_2DD @ axes_DD).diagonal(dim1=1, dim2=2)
        groups = [group_2d.sum(1, keepdim=True).expand_as(group_2d) for group_2d in sums_2D.tensor_split(GROUPS, dim=1)]
        along_D, squared_D = torch.cat(groups, dim=1)
        factor_D = (along_D / squared_D.clamp(min=1e-12)).clamp(min=0.0)
        return ((axes_DD * factor_D) @ axes_DD.T).float()

    def mean(self, f_BTF: Tensor) -> Tensor:
        return (self.mix(f_BTF) + f_BTF @ self.matrix.to(f_BTF)) @ self.lengths.to(f_BTF)

    def moved(self, f_BTF: Tensor, weight_BTW: Tensor) -> Tensor:
        return super().moved(f_BTF, weight_BTW) @ self.lengths.to(f_BTF)

    def fit_weight_shift(self, train: Batches, validation: Batches) -> None:
        super().fit_weight_shift(train, validation)
        if self.weight_shift is None:
            return
        without, self.constant = self.score(validation, begins=True), constants(self._left_over_told, train())
        if self.score(validation, begins=True) <= without:
            self.constant = None

    def _left_over_told(self, batch: TargetBatch) -> Tensor:
        return batch.target_BTD - self.shifted(self.features(batch.x_BTD, batch.breaks_BT), batch.begins_BT)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """What was saved before there were lengths has none; what is trained without its anchor leaves it as it is."""
        if any(name.startswith(prefix) for name in state_dict):
            state_dict.setdefault(f"{prefix}lengths", self.lengths)
        super()._load_from_state_dict(state_dict, prefix, *rest)


@BASELINES.register("ridge")
class Ridge(Baseline):
    """unit(W [x_t, x_{t-1} .. x_{t-4}, 1]), zeros before the document's beginning; penalty tuned on validation."""

    name = "ridge"
    context = RIDGE_CONTEXT
    penalty: Tensor
    matrix: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.register_buffer("penalty", torch.tensor(float("inf")))
        self.register_buffer("matrix", torch.zeros(RIDGE_CONTEXT * dim + 1, dim))

    def fit(self, train: Batches, validation: Batches) -> None:
        penalty, self.matrix, _ = fit_ridge(lambda x_BTD, breaks_BT: last_vectors(x_BTD), train, validation)
        self.penalty.fill_(penalty)

    def forward(self, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> Tensor:
        return unit(last_vectors(x_BTD) @ self.matrix.to(x_BTD))


def last_vectors(x_BTD: Tensor) -> Tensor:
    """[x_t, x_{t-1} .. x_{t-4}, 1] at every t, zeros where the document has not begun: (B, T, 5 D + 1)."""
    T = x_BTD.shape[1]
    shifted = [torch.nn.functional.pad(x_BTD, (0, 0, lag, 0))[:, :T] for lag in range(RIDGE_CONTEXT)]
    return torch.cat([*shifted, torch.ones_like(x_BTD[..., :1])], dim=-1)


def principal_axes(train: Batches) -> Tensor:
    """(D, D) float64, orthonormal columns, those of the training targets' second moments, the largest first."""
    targets = (batch.target_BTD[batch.target_mask_BT] for batch in train())
    moment_DD = sum((target_ND.T @ target_ND).double() for target_ND in targets)
    return torch.linalg.eigh(cast(Tensor, moment_DD)).eigenvectors.flip(1)


def fit_ridge(
    features: Features, train: Batches, validation: Batches, offset: Callable[[Tensor], Tensor] | None = None
) -> tuple[float, Tensor, float]:
    """Ridge regression of (target - offset(features)) on features: penalty, matrix (F, D), validation cosine.

    The penalty is the one of `RIDGE_GRID` whose unit prediction has the highest validation cosine; it is multiplied by
    the mean square of a feature, so that the grid does not depend on the features' scale.
    """
    gram_FF, moment_FD, scale = _moments(features, train, offset)

    def solve(penalty: float) -> Tensor:
        damped_FF = gram_FF.clone()
        damped_FF.diagonal().add_(penalty * scale)
        return torch.cholesky_solve(moment_FD, torch.linalg.cholesky(damped_FF)).float()

    def score(matrix_FD: Tensor) -> float:
        def predict(x_BTD: Tensor, mask_BT: Tensor, breaks_BT: Tensor | None) -> Tensor:
            f_BTF = features(x_BTD, breaks_BT)
            base_BTD = 0.0 if offset is None else offset(f_BTF)
            return unit(base_BTD + f_BTF @ matrix_FD)

        return mean_cosine(predict, validation)

    best: tuple[float, Tensor, float] | None = None
    for penalty in RIDGE_GRID:
        matrix_FD = solve(penalty)
        cosine = score(matrix_FD)
        if best is None or cosine > best[2]:
            best = penalty, matrix_FD, cosine
    assert best is not None
    return best


def _moments(
    features: Features, train: Batches, offset: Callable[[Tensor], Tensor] | None
) -> tuple[Tensor, Tensor, float]:
    """Gram matrix (F, F), moments with the targets (F, D), both float64, and the mean square of a feature."""
    gram_FF, moment_FD, count = None, None, 0
    for batch in train():
        f_BTF = features(batch.x_BTD, batch.breaks_BT)
        residual_BTD = batch.target_BTD if offset is None else batch.target_BTD - offset(f_BTF)
        f_NF, r_ND = f_BTF[batch.target_mask_BT], residual_BTD[batch.target_mask_BT]
        if gram_FF is None or moment_FD is None:
            gram_FF = f_NF.new_zeros(f_NF.shape[1], f_NF.shape[1], dtype=torch.float64)
            moment_FD = f_NF.new_zeros(f_NF.shape[1], r_ND.shape[1], dtype=torch.float64)
        gram_FF += f_NF.T @ f_NF
        moment_FD += f_NF.T @ r_ND
        count += len(f_NF)
    assert gram_FF is not None, "fit_baseline has checked that there are targets"
    assert moment_FD is not None
    return gram_FF, moment_FD, float(gram_FF.diagonal().mean()) / count
