"""A process to fit and train on, every baseline fitted on it, and small networks of every architecture."""

import pytest
import torch

from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES, fit_baseline
from nextvec.models.head import HEADS
from nextvec.models.network import build_network
from nextvec.models.predictor import unit
from nextvec.training.data import TrainingData

DIM = 8
T = 12


@pytest.fixture(scope="package")
def process(make_process):
    """A process whose ewma-mix does not cancel out at a context of 1, where all of its means are one vector: what is
    left of its weights is 0.17, not the 0.04 of other seeds, which would raise rounding a hundredfold."""
    return TrainingData(make_process([17] * 60, dim=DIM, seed=3))


@pytest.fixture(scope="package")
def fitted(process):
    return {name: fit_baseline(name, DIM, process.fitting_batches, process.validation_batches) for name in BASELINES}


@pytest.fixture(scope="package")
def build():
    """Every size of more than 16 is made 16, so that an architecture or a head need not say how to be small."""

    def small(kind):
        fields = kind.Config.model_fields.items()
        return {name: 16 for name, field in fields if isinstance(field.default, int) and field.default > 16}

    def build(architecture, dim=DIM, **settings):
        heads = {name: small(HEADS.get(name)) for name in settings.get("heads", ())}
        return build_network(architecture, dim, small(BACKBONES.get(architecture)), head_options=heads, **settings)

    return build


@pytest.fixture
def x_BTD():
    """(3, T, D) unit vectors."""
    return unit(torch.randn(3, T, DIM, generator=torch.Generator().manual_seed(1)))
