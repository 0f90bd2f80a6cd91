"""A process whose forecasts are known: on the sphere in 3-D, each vector is von Mises-Fisher around the last one.

Its density, its samples and what they are worth have closed forms (Ulrich 1984; Mardia and Jupp 2000, 9.3.2).
"""

import math

import numpy as np
import torch

from nextvec.models.forecast import Forecast
from nextvec.models.predictor import PredictorSpec, unit

KAPPA = 5.0


def divergence(kappa):
    """Nats from the uniform distribution: the mean log density of the truth."""
    return kappa / math.tanh(kappa) - 1 - math.log(math.sinh(kappa) / kappa)


def around(x, kappa, uniform, normal):
    """Unit vectors around `x` (..., 3), from uniform (...) and normal (..., 3) random numbers."""
    cosine = 1 + torch.log(uniform + (1 - uniform) * math.exp(-2 * kappa)) / kappa
    away = unit(normal - (normal * x).sum(-1, keepdim=True) * x)
    return unit(cosine[..., None] * x + (1 - cosine.square()).clamp(min=0).sqrt()[..., None] * away)


def chain(lengths, seed):
    """Documents of the process, each begun anywhere: (rows, 3)."""
    generator = torch.Generator().manual_seed(seed)
    documents = []
    for length in lengths:
        rows = [unit(torch.randn(3, generator=generator))]
        for _ in range(length - 1):
            uniform, normal = torch.rand((), generator=generator), torch.randn(3, generator=generator)
            rows.append(around(rows[-1], KAPPA, uniform, normal))
        documents.append(torch.stack(rows))
    return torch.cat(documents).numpy().astype(np.float32)


class Believes:
    """That the process has another concentration than it has: too narrow where `kappa` is larger, too wide where it is
    smaller."""

    def __init__(self, kappa=KAPPA):
        self.kappa = kappa
        self.spec = PredictorSpec(name=f"kappa-{kappa:g}", dim=3, context=1, samples=True, density=True)

    def forecast(self, x_BTD, mask_BT, breaks_BT=None, next_BT=None, heading=None):
        def sample(n, generator):
            uniform = torch.rand(n, *x_BTD.shape[:2], generator=generator)
            return around(x_BTD, self.kappa, uniform, torch.randn(n, *x_BTD.shape, generator=generator))

        def log_density(y_BTD):
            return self.kappa * (x_BTD * y_BTD).sum(-1) - math.log(math.sinh(self.kappa) / self.kappa)

        return Forecast(lambda: unit(x_BTD), sampler=sample, density=log_density)

    def predict(self, x_BTD, mask_BT, breaks_BT=None):
        return unit(x_BTD)
