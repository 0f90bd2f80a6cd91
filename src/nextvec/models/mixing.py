"""Mixtures of projected normal distributions that differ in a few numbers each.

Everything is whitened by one covariance. A component k changes, for each group of axes, by how much its mean is longer
and its variance larger than the one they all start at: sum_k w_k ProjectedNormal(exp(l_k) m, exp(g_k)). Axes are in
groups by their variance. N positions, K components, D axes, G groups and one more, of dead axes, along which nothing is
known and nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from nextvec.models.angular import log_density

KINDS = 16
"""Components, where nobody says otherwise."""
GROUPS = 16


@dataclass(frozen=True, slots=True)
class Components:
    """Logits of their weights (N, K), and of each group of axes (N, K, G) the logarithms of what mean and variance are
    multiplied by; N is 1 where they are the same everywhere. Made by `components`."""

    logit_NK: Tensor
    mean_NKG: Tensor
    variance_NKG: Tensor


def components(logit_NK: Tensor, mean_NKG: Tensor, variance_NKG: Tensor, members_DG: Tensor) -> Components:
    """Of changes of all groups but the dead axes', as far as they are changes of a direction.

    A factor that all axes have in common changes no direction. Beside dead axes it is one: the longer everything else
    becomes, the closer to zero are they, where all vectors are, and the density has no bound. So it is taken out.
    """
    axes_G = members_DG.sum(0)[:-1]
    common_NK1 = (variance_NKG @ axes_G / axes_G.sum())[..., None]
    changes = mean_NKG - common_NK1 / 2, variance_NKG - common_NK1
    return Components(logit_NK, *(F.pad(change_NKG, (0, 1)) for change_NKG in changes))


def groups_of(dim: int) -> int:
    """How many groups axes that are alive are in."""
    return min(GROUPS, dim)


def grouped(alive_D: Tensor) -> Tensor:
    """(D, G) 1 where an axis is in a group; those that are not alive are in the last, which has no others."""
    dim, groups = len(alive_D), groups_of(len(alive_D))
    group_D = torch.arange(dim, device=alive_D.device) * groups // dim
    return F.one_hot(torch.where(alive_D, group_D, groups), groups + 1).float()


def products(z_ND: Tensor, m_ND: Tensor, members_DG: Tensor) -> Tensor:
    """(3, N, G): z . z, z . m and m . m of whitened vectors and means, group by group."""
    return torch.stack([z_ND.square(), z_ND * m_ND, m_ND.square()]) @ members_DG


def weigh(components: Components, products_3NG: Tensor, members_DG: Tensor, volume: Tensor | float) -> Tensor:
    """(N,) log density in nats against the uniform distribution; `volume` is log |L| of what whitened the vectors."""
    c, axes_G = components, members_DG.sum(0)
    powers = (power * c.mean_NKG - c.variance_NKG for power in range(3))
    parts = zip(products_3NG[:, :, None], powers, strict=True)
    squared_NK, along_NK, length_NK = ((p_N1G * e_NKG.exp()).sum(-1) for p_N1G, e_NKG in parts)
    volume_NK = c.variance_NKG @ axes_G / 2 + volume
    density_NK = log_density(squared_NK, along_NK, length_NK, volume_NK, len(members_DG))
    return torch.logsumexp(c.logit_NK.log_softmax(-1) + density_NK, -1)


def mean(components: Components, m_ND: Tensor, members_DG: Tensor) -> Tensor:
    """(N, D) whitened: the components' mean, before any direction is taken."""
    length_NG = (components.logit_NK.softmax(-1)[..., None] * components.mean_NKG.exp()).sum(1)
    return length_NG @ members_DG.T * m_ND


def draw(components: Components, m_ND: Tensor, members_DG: Tensor, n: int, generator: Generator) -> Tensor:
    """(n, N, D), whitened: first a component of those at a position, then a vector of it."""
    (N, D), c = m_ND.shape, components
    up_to_NK = c.logit_NK.softmax(-1).cumsum(-1)[:, :-1].expand(N, -1).contiguous()
    chance_Nn = torch.rand(N, n, generator=generator, device=generator.device).to(m_ND)
    chosen_NnG = torch.searchsorted(up_to_NK, chance_Nn)[..., None].expand(-1, -1, members_DG.shape[1])
    factor_NnD, deviation_NnD = (
        changes_NKG.expand(N, -1, -1).gather(1, chosen_NnG).exp() @ members_DG.T
        for changes_NKG in (c.mean_NKG, c.variance_NKG / 2)
    )
    noise_NnD = torch.randn(N, n, D, generator=generator, device=generator.device).to(m_ND)
    return (factor_NnD * m_ND[:, None] + deviation_NnD * noise_NnD).transpose(0, 1)
