"""A mixture of Gaussians around ridge-mix's mean, alike everywhere: what a distribution gains by its shape alone.

Residuals of sentences have no normal distribution: some are far longer than others. Whatever is told the context has to
be better than what is not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Generator, Tensor

from nextvec.ahead import Ahead
from nextvec.models import mixing
from nextvec.models.baseline import BASELINES, Batches
from nextvec.models.baselines.gaussian import Gaussian
from nextvec.models.memory import Kept
from nextvec.models.mixing import KINDS, Components, components, grouped, groups_of, products, weigh
from nextvec.models.predictor import unit
from nextvec.models.targets import ahead_of

STEPS = 30
MOST = 8_000
"""Training targets it is fitted to, three numbers a group each."""
SIZES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of all that was learnt; 0 is `gaussian`."""
CERTAINTIES = (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
"""Lengths of the means beside the spreads, 1 as learnt: training residuals are shorter than others."""
SPREAD = 0.5
"""Variances begin from exp(-0.5) to exp(0.5) times the Gaussian's."""
AT_ONCE = 1024
"""Positions whose components are in memory at one time."""


_SEARCH: dict[str, Any] = {"history_size": 20, "line_search_fn": "strong_wolfe"}

Changes = tuple[Tensor, Tensor, Tensor]
"""Logits (K,), and for mean and variance (K, groups), the dead axes left out."""


def _copied(learnt: Changes) -> Changes:
    logit, mean, variance = (number.detach().clone() for number in learnt)
    return logit, mean, variance


@BASELINES.register("scale-mixture")
class ScaleMixture(Gaussian):
    """sum_k w_k ProjectedNormal(exp(l_k) m, exp(g_k) S): mean m and covariance S of `gaussian`; sixteen weights w, and
    for each of them and each group of axes l and g, fitted to the log density of training targets by L-BFGS.

    How much of what was learnt is used, and how long the mean is beside it, is chosen on validation; its point is the
    direction of the components' mean.
    """

    name = "scale-mixture"
    extends = ("gaussian",)

    def __init__(self, dim: int, *, is_twin: bool = False) -> None:
        super().__init__(dim, is_twin=is_twin)
        if not is_twin:
            groups = groups_of(dim)
            self.register_buffer("logit", torch.zeros(KINDS))
            self.register_buffer("mean_change", torch.zeros(KINDS, groups))
            self.register_buffer("variance_change", torch.zeros(KINDS, groups))

    def fit(self, train: Batches, validation: Batches) -> None:
        learnt = self._learn(self._products(train))
        totals = torch.zeros(len(SIZES), len(CERTAINTIES), dtype=torch.float64, device="cpu")
        for products_3NG in self._pieces(validation):
            for row, column in itertools.product(range(len(SIZES)), range(len(CERTAINTIES))):
                self._take(learnt, SIZES[row], CERTAINTIES[column])
                totals[row, column] += float(self._weigh(products_3NG).double().sum())
        totals[~totals.isfinite()] = -torch.inf
        row, column = divmod(int(totals.argmax()), len(CERTAINTIES))
        self._take(learnt, SIZES[row], CERTAINTIES[column])

    def _take(self, learnt: Changes, size: float, certainty: float) -> None:
        self.logit, mean_KG, self.variance_change = (size * number for number in learnt)
        self.mean_change = mean_KG + math.log(certainty)

    def _learn(self, products_3NG: Tensor) -> Changes:
        """What the search ends at; where that is no number, the likeliest that it has met: of few different vectors, as
        of documents that repeat themselves, the density has no bound."""
        groups = self.mean_change.shape[1]
        spread_K1 = torch.linspace(-SPREAD, SPREAD, KINDS, device=self.logit.device)[:, None]
        uneven_KG = 0.1 * torch.randn(KINDS, groups, generator=torch.Generator().manual_seed(0), device="cpu")
        learnt = (
            torch.zeros_like(self.logit),
            torch.zeros_like(self.mean_change),
            spread_K1 + uneven_KG.to(spread_K1.device),
        )
        optimizer = torch.optim.LBFGS([number.requires_grad_() for number in learnt], max_iter=STEPS, **_SEARCH)
        least, likeliest = math.inf, _copied(learnt)

        def loss() -> Tensor:
            nonlocal least, likeliest
            optimizer.zero_grad()
            logit, mean, variance = (number[None] for number in learnt)
            alike = components(logit, mean, variance, self.members_DG)
            loss = -weigh(alike, products_3NG, self.members_DG, self.volume).mean()
            loss.backward()
            if -math.inf < float(loss.detach()) < least:
                least, likeliest = float(loss.detach()), _copied(learnt)
            return loss.detach()

        with torch.enable_grad():
            optimizer.step(loss)
        return _copied(learnt) if all(number.isfinite().all() for number in learnt) else likeliest

    def _products(self, batches: Batches) -> Tensor:
        """(3, N, G) of up to `MOST` targets, evenly spread: batches go from short documents to long ones."""
        every = math.ceil(sum(int(batch.target_mask_BT.sum()) for batch in batches()) / MOST)
        pieces, seen = [], 0
        for products_3NG in self._pieces(batches):
            pieces.append(products_3NG[:, -seen % every :: every])
            seen += products_3NG.shape[1]
        return torch.cat(pieces, 1)

    def _pieces(self, batches: Batches) -> Iterator[Tensor]:
        for batch in batches():
            mask_BT = batch.target_mask_BT
            base_ND = self.base_after(batch.x_BTD, batch.breaks_BT, None, ahead_of(batch))[mask_BT]
            z_ND = self.whiten(batch.target_BTD[mask_BT])
            for z, base in zip(z_ND.split(AT_ONCE), base_ND.split(AT_ONCE), strict=True):
                yield products(z, base, self.members_DG)

    @property
    def members_DG(self) -> Tensor:
        return grouped(self.alive)

    @property
    def components(self) -> Components:
        """The same at every position: N is 1."""
        return components(self.logit[None], self.mean_change[None], self.variance_change[None], self.members_DG)

    def _weigh(self, products_3NG: Tensor) -> Tensor:
        return weigh(self.components, products_3NG, self.members_DG, self.volume)

    def point_after(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept, ahead: Ahead | None = None) -> Tensor:
        base_ND = self.base_after(x_BTD, breaks_BT, kept, ahead).flatten(0, 1)
        return unit(self.colour(mixing.mean(self.components, base_ND, self.members_DG))).view_as(x_BTD)

    def sample(self, base_BSD: Tensor, n: int, generator: Generator) -> Tensor:
        base_ND = base_BSD.flatten(0, 1)
        drawn_nND = mixing.draw(self.components, base_ND, self.members_DG, n, generator)
        return unit(self.colour(drawn_nND)).unflatten(1, base_BSD.shape[:2])

    def log_density(self, base_BSD: Tensor, y_BSD: Tensor) -> Tensor:
        z_ND, base_ND = self.whiten(y_BSD.float()).flatten(0, 1), base_BSD.flatten(0, 1)
        pieces = zip(z_ND.split(AT_ONCE), base_ND.split(AT_ONCE), strict=True)
        return torch.cat([self._weigh(products(*piece, self.members_DG)) for piece in pieces]).view(y_BSD.shape[:2])
