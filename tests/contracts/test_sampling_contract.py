"""What every head that draws must hold: draws are its own, from the generator it is given, and fit its density."""

import math

import pytest
import torch

from nextvec.models.baseline import fit_baseline
from nextvec.models.head import HEADS
from nextvec.models.predictor import unit

DIM = 8
POINTS = 4_000
DRAWS = 20_000
SAMPLERS = [name for name in HEADS if "samples" in HEADS.get(name).gives]
DENSITIES = [name for name in SAMPLERS if "density" in HEADS.get(name).gives]

every_sampler = pytest.mark.parametrize("name", SAMPLERS)
anchored_or_not = pytest.mark.parametrize("anchor", ["none", "ridge-mix"])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def stir(network, std):
    torch.manual_seed(0)
    for parameter in network.heads.parameters():
        torch.nn.init.normal_(parameter, std=std)


@pytest.fixture
def make_network(fitted, build):
    def make(name, anchor, *, std=0.1):
        network = build("gru", anchor=anchor, heads=(name,))
        network.set_anchors(fitted.__getitem__)
        if std:
            stir(network, std)
        return network

    return make


def forecast_of(network, x_BTD):
    return network.forecast(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool))


@every_sampler
@anchored_or_not
def test_draws_are_those_of_their_seed_and_differ(name, anchor, make_network, x_BTD):
    forecast = forecast_of(make_network(name, anchor), x_BTD)
    y_KBTD = forecast.sample(6, seeded())
    assert torch.equal(forecast.sample(6, seeded()), y_KBTD)
    assert not torch.isclose(forecast.sample(6, seeded(1)), y_KBTD).all(-1).any()
    flat_ND = y_KBTD.flatten(0, 2)
    cosines_NN = flat_ND @ flat_ND.T - 2 * torch.eye(len(flat_ND))
    assert float(cosines_NN.max()) < 1 - 1e-6


@every_sampler
def test_draws_go_on_where_the_generator_is_and_leave_others_alone(name, make_network, x_BTD):
    forecast, generator = forecast_of(make_network(name, "ridge-mix"), x_BTD), seeded()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second = forecast.sample(2, generator), forecast.sample(2, generator)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.isclose(first, second).all(-1).any()


@every_sampler
def test_drawing_in_pieces_changes_nothing(name, make_network, x_BTD, monkeypatch):
    forecast = forecast_of(make_network(name, "ridge-mix"), x_BTD)
    whole = forecast.sample(5, seeded())
    monkeypatch.setattr("nextvec.models.sampler.VECTORS_AT_ONCE", 2 * x_BTD.shape[0] * x_BTD.shape[1])
    torch.testing.assert_close(forecast.sample(5, seeded()), whole)


@every_sampler
def test_training_draws_from_the_generator_that_is_in_a_checkpoint(name, make_network, process):
    from nextvec.training.recipe import TrainingConfig

    network = make_network(name, "ridge-mix").train()
    batch = next(process.training_batches(network, TrainingConfig(batch=64)).epoch(0))
    losses = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        losses.append(float(network(batch).detach()))
    assert losses[0] == losses[1] != losses[2]


@pytest.fixture(scope="module")
def low():
    """Of three dimensions: vectors around a pole, and baselines fitted on such, by name."""
    from types import SimpleNamespace

    pole = torch.tensor([0.0, 0.6, 0.8])
    x_BTD = unit(pole + 0.4 * torch.randn(40, 9, 3, generator=seeded()))
    mask_BT = torch.ones(40, 8, dtype=torch.bool)
    batch = SimpleNamespace(
        x_BTD=x_BTD[:, :-1], target_BTD=x_BTD[:, 1:], mask_BT=mask_BT, target_mask_BT=mask_BT, breaks_BT=None,
        heading=None, begins_BT=None,
    )  # fmt: skip
    kinds = {kind for name in SAMPLERS if (kind := HEADS.get(name).baseline("ridge-mix")) is not None}
    batches = [lambda: iter([batch])] * 2
    return x_BTD[:1, :1], {kind: fit_baseline(kind, 3, *batches) for kind in kinds}


def points_on_the_sphere():
    """(POINTS, 3) evenly spread: a Fibonacci lattice."""
    place = torch.arange(POINTS, dtype=torch.float64) + 0.5
    height, angle = 1 - 2 * place / POINTS, math.pi * (1 + 5**0.5) * place
    flat = (1 - height**2).sqrt()
    return torch.stack([flat * angle.cos(), flat * angle.sin(), height], -1).float()


@pytest.mark.parametrize("name", DENSITIES)
@anchored_or_not
def test_a_density_is_that_of_what_is_drawn(name, anchor, low, build):
    """In three dimensions: it integrates to 1 over the sphere, and gives draws their means and squares."""
    x_11D, known = low
    network = build("gru", dim=3, anchor=anchor, heads=(name,))
    network.set_anchors(known.__getitem__)
    stir(network, 0.2)
    lattice_ND = points_on_the_sphere()
    forecast = forecast_of(network, x_11D.expand(POINTS, -1, -1))
    density_N = forecast.log_density(lattice_ND[:, None])[:, 0].double().exp()
    assert float(density_N.mean()) == pytest.approx(1.0, abs=0.003)
    drawn_ND = forecast_of(network, x_11D).sample(DRAWS, seeded())[:, 0, 0].double()
    weights_N1, lattice_ND = density_N[:, None] / POINTS, lattice_ND.double()
    for moment in (lambda y: y, lambda y: y**2, lambda y: y * y.roll(1, -1)):
        torch.testing.assert_close(
            moment(drawn_ND).mean(0), (weights_N1 * moment(lattice_ND)).sum(0), atol=0.02, rtol=0
        )
