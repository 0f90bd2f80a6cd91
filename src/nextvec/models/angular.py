"""The projected normal distribution: the direction of a Gaussian vector, with its exact density on the unit sphere.

y = unit(mu + L e), e standard normal. Everything here is whitened: with z = L^-1 y and m = L^-1 mu, and a = |z|^2,
b = z . m, c = |m|^2, t = b / sqrt(a), the length of the Gaussian vector is integrated out (Mardia and Jupp 2000,
"Directional Statistics", 3.5.6):

    p(y) = (2 pi)^(-D/2) |L|^(-1) a^(-D/2) exp(-c / 2) * integral from 0 to infinity of s^(D-1) exp(t s - s^2 / 2) ds

Mean and spread scaled alike are the same distribution.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_FROM, _TO, _NODES = -20.0, 8.0, 57
"""Nodes of the trapezoid rule, in standard deviations of log s about its mode. The integrand falls off more slowly to
the left, where it is a power of s."""


def log_density(squared: Tensor, along: Tensor, length: Tensor, volume: Tensor, dim: int) -> Tensor:
    """Nats against the uniform distribution on the sphere in `dim` dimensions, in the shape that the arguments have.

    `squared` a = |z|^2, `along` b = z . m, `length` c = |m|^2, `volume` log |L|.
    """
    radial = log_radial(along / squared.sqrt(), dim)
    return _constant(dim) - dim / 2 * (squared.log() + 2 / dim * volume) - length / 2 + radial


def log_radial(t: Tensor, dim: int) -> Tensor:
    """log of the integral of s^(D-1) exp(t s - s^2 / 2 + D / 2) D^(-D/2) over s > 0; it can be differentiated once.

    The scale D^(D/2) exp(-D/2) is near the integral's own, so that float32 keeps five decimals of it at any D.
    """
    with torch.no_grad():
        value, mean = _radial(t, dim)
    return value + mean * (t - t.detach())


def _radial(t: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """That, and the mean of s, which is its derivative. In v = log s - log mode the integrand is log-concave on the
    whole line, and the trapezoid rule is exact to rounding."""
    half = (t.abs() + (t.square() + 4 * dim).sqrt()) / 2
    mode = torch.where(t < 0, dim / half, half)
    deviation = (mode.square() + dim).rsqrt()
    nodes = torch.linspace(_FROM, _TO, _NODES, dtype=t.dtype, device=t.device)
    v = deviation[..., None] * nodes
    s = mode[..., None] * v.exp()
    height = dim * (v + (mode / math.sqrt(dim)).log()[..., None]) + t[..., None] * s - (s.square() - dim) / 2
    step = (_TO - _FROM) / (_NODES - 1)
    return torch.logsumexp(height, -1) + (step * deviation).log(), (height.softmax(-1) * s).sum(-1)


def _constant(dim: int) -> float:
    """log of the sphere's area over (2 pi)^(D/2), times the scale that `log_radial` takes out."""
    return math.log(2) - math.lgamma(dim / 2) - dim / 2 * math.log(2) + dim / 2 * (math.log(dim) - 1)
