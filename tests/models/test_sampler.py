"""What heads that draw share: where their noise is before they move it, and the point made of what they draw."""

import pytest
import torch

from nextvec.models.baseline import fit_baseline
from nextvec.models.head import State
from nextvec.models.network import build_network
from nextvec.models.predictor import unit
from nextvec.models.sampler import SamplingHead, opposites

SMALL = {"width": 8, "layers": 1}


@pytest.fixture(scope="module")
def gaussian(make_vectors, make_batches):
    pole = unit(torch.arange(8.0))
    batches = make_batches([unit(pole + make_vectors(12, 8, seed=seed)) for seed in range(8)])
    return fit_baseline("gaussian", 8, batches, batches)


def make_head(gaussian, head="energy"):
    network = build_network("gru", 8, SMALL, anchor="none" if gaussian is None else "ridge-mix", heads=(head,))
    network.set_anchors(lambda name: gaussian)
    return network.heads[head]


def make_state(head, x_BTD):
    return State(torch.zeros(*x_BTD.shape[:2], 8), head.base(x_BTD) if head.anchored else None)


@pytest.mark.parametrize(
    ("anchor", "baseline"),
    [("none", None), ("mean", "gaussian"), ("ewma-mix", "gaussian"), ("ridge-mix", "gaussian")],
)
def test_whatever_the_anchor_of_the_point_its_noise_is_that_of_gaussian(anchor, baseline):
    assert SamplingHead.baseline(anchor) == baseline


def test_untrained_it_draws_what_gaussian_draws(gaussian, make_vectors):
    head, x_BTD = make_head(gaussian), make_vectors(2, 5, 8)
    expected = gaussian.sample(gaussian.base_after(x_BTD, None, None), 3, torch.Generator().manual_seed(4))
    drawn = head.eval().sample(make_state(head, x_BTD), 3, torch.Generator().manual_seed(4))
    torch.testing.assert_close(drawn, expected, atol=1e-6, rtol=0)


def test_its_start_has_the_density_of_gaussian(gaussian, make_vectors):
    head, x_BTD, y_BTD = make_head(gaussian), make_vectors(2, 5, 8), make_vectors(2, 5, 8, seed=1)
    expected = gaussian.log_density(gaussian.base_after(x_BTD, None, None), y_BTD)
    assert torch.equal(head.start_density(make_state(head, x_BTD), y_BTD), expected)


def test_without_an_anchor_it_starts_evenly_on_the_sphere(make_vectors):
    head = make_head(None)
    state, noise = State(torch.zeros(2, 5, 8), None), make_vectors(3, 2, 5, 8) * 7
    torch.testing.assert_close(head.start(state, noise), unit(noise))
    assert not head.start_density(state, make_vectors(2, 5, 8)).any()


class Turned:
    """Moves every draw as far in one direction, on the sphere."""

    def __init__(self, head, by_D):
        self.head, self.by_D = head, by_D

    def __call__(self, state, noise_KBSD):
        return unit(self.head.start(state, noise_KBSD) + self.by_D)


def test_the_point_is_the_mean_of_what_is_drawn(gaussian, make_vectors, monkeypatch):
    head, x_BTD = make_head(gaussian).eval(), make_vectors(2, 5, 8)
    state = make_state(head, x_BTD)
    torch.testing.assert_close(head.point(state), gaussian(x_BTD), atol=1e-6, rtol=0)
    monkeypatch.setattr(head, "draw", Turned(head, torch.eye(8)[3] * 0.7))
    mean = unit(head.sample(state, 20_000, torch.Generator().manual_seed(0)).mean(0))
    assert float((head.point(state) * mean).sum(-1).min()) > 0.99
    assert float((gaussian(x_BTD) * mean).sum(-1).max()) < 0.97


def test_opposite_noise_has_no_mean():
    noise_K11D = opposites(3, 8)
    assert noise_K11D.shape == (6, 1, 1, 8)
    assert torch.equal(noise_K11D[:3], -noise_K11D[3:])
    assert torch.equal(opposites(3, 8), noise_K11D)
