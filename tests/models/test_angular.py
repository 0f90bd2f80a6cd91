"""The density of a projected normal against closed forms, fine grids, drawn samples, and 1, which it integrates to."""

import math

import pytest
import torch

from nextvec.models.angular import log_density, log_radial
from nextvec.models.predictor import unit

TIMES = (-30.0, -5.0, -1.0, 0.0, 1.0, 7.0, 30.0)


def scale(dim):
    """What `log_radial` takes out of the integral."""
    return dim / 2 * (math.log(dim) - 1)


def by_recurrence(t, dim):
    """M_0 by the error function, M_1 = 1 + t M_0, M_n+1 = t M_n + n M_n-1: positive if t >= 0. Scaled on the way."""
    before = math.sqrt(math.pi / 2) * math.exp(t * t / 2) * (1 + math.erf(t / math.sqrt(2)))
    last, log_scale = 1 + t * before, 0.0
    for n in range(1, dim - 1):
        before, last = last, t * last + n * before
        before, last, log_scale = before / last, 1.0, log_scale + math.log(last)
    return math.log(last) + log_scale


def by_grid(t, dim):
    s = torch.linspace(0, 60, 2_000_001, dtype=torch.float64)[1:]
    return float(torch.logsumexp((dim - 1) * s.log() + t * s - s * s / 2, 0) + math.log(60 / 2_000_000))


@pytest.mark.parametrize("dim", [2, 3, 8, 64, 384, 1024])
@pytest.mark.parametrize("t", [t for t in TIMES if 0 <= t <= 7])
def test_the_integral_is_the_recurrence_of_moments(dim, t):
    value = log_radial(torch.tensor(t, dtype=torch.float64), dim)
    assert float(value) == pytest.approx(by_recurrence(t, dim) - scale(dim), abs=1e-6)


@pytest.mark.parametrize("dim", [3, 8, 384])
@pytest.mark.parametrize("t", TIMES)
def test_the_integral_is_that_of_a_fine_grid(dim, t):
    value = log_radial(torch.tensor(t, dtype=torch.float64), dim)
    assert float(value) == pytest.approx(by_grid(t, dim) - scale(dim), abs=1e-5)


def test_at_zero_it_is_a_gamma_function():
    for dim in (2, 9, 384):
        expected = (dim / 2 - 1) * math.log(2) + math.lgamma(dim / 2) - scale(dim)
        assert float(log_radial(torch.zeros((), dtype=torch.float64), dim)) == pytest.approx(expected, abs=1e-5)


def test_single_precision_keeps_five_decimals():
    t = torch.linspace(-40, 40, 81)
    for dim in (2, 8, 384, 1024):
        torch.testing.assert_close(log_radial(t, dim).double(), log_radial(t.double(), dim), atol=1e-4, rtol=1e-6)


def test_its_gradient_is_exact():
    t = torch.tensor(TIMES, dtype=torch.float64, requires_grad=True)
    for dim in (2, 8, 384):
        assert torch.autograd.gradcheck(lambda t, dim=dim: log_radial(t, dim).sum(), (t,))


def density_at(y_ND, mean_D, root_DD):
    """exp of the log density of unit((mean + e L')), against the uniform distribution."""
    whitening = torch.linalg.inv(root_DD).T
    z_ND, m_D = y_ND @ whitening, mean_D @ whitening
    parts = (z_ND * z_ND).sum(1), z_ND @ m_D, (m_D @ m_D).expand(len(y_ND))
    return log_density(*parts, torch.linalg.slogdet(root_DD)[1], len(mean_D)).exp()


def make_root(dim, seed=0):
    return torch.randn(dim, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def circle(count):
    angle = (torch.arange(count, dtype=torch.float64) + 0.5) * 2 * math.pi / count
    return torch.stack([angle.cos(), angle.sin()], 1)


@pytest.mark.parametrize("length", [0.0, 0.3, 2.0])
def test_it_integrates_to_one_on_the_circle_and_on_the_sphere(length):
    mean = length * torch.tensor([1.0, -0.5, 0.3], dtype=torch.float64)
    assert float(density_at(circle(20_000), mean[:2], make_root(2)).mean()) == pytest.approx(1.0, abs=1e-5)
    height = (torch.arange(500, dtype=torch.float64) + 0.5) / 250 - 1
    ring = circle(500) * (1 - height.square()).sqrt()[:, None, None]  # equal areas by Archimedes
    sphere = torch.cat([ring, height[:, None, None].expand(-1, 500, 1)], -1).flatten(0, 1)
    assert float(density_at(sphere, mean, make_root(3)).mean()) == pytest.approx(1.0, abs=1e-3)


def test_in_many_dimensions_it_averages_to_one_over_uniform_vectors():
    uniform_ND = unit(torch.randn(400_000, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    mean_D = torch.tensor([0.8, 0.0, -0.4, 0.0, 0.2, 0.0], dtype=torch.float64)
    density_N = density_at(uniform_ND, mean_D, torch.eye(6, dtype=torch.float64) + 0.2 * make_root(6))
    assert float(density_N.mean()) == pytest.approx(1.0, abs=5 * float(density_N.std()) / 400_000**0.5)


def test_what_is_drawn_falls_where_it_says():
    mean_D, root_DD = torch.tensor([0.7, 0.4], dtype=torch.float64), make_root(2, seed=3)
    noise_ND = torch.randn(200_000, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    y_ND = unit(mean_D + noise_ND @ root_DD.T)
    arc_N = (torch.atan2(y_ND[:, 1], y_ND[:, 0]) % (2 * math.pi) * 12 / (2 * math.pi)).long().clamp(max=11)
    drawn = torch.bincount(arc_N, minlength=12) / len(y_ND)
    expected = density_at(circle(12_000), mean_D, root_DD).view(12, -1).mean(1) / 12
    assert bool(((drawn - expected).abs() < 4.5 * (expected / len(y_ND)).sqrt()).all()), (drawn, expected)


def test_without_a_mean_and_round_it_is_uniform():
    for dim in (2, 8, 384):
        y_ND = unit(torch.randn(3, dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
        density_N = density_at(y_ND, torch.zeros(dim, dtype=torch.float64), 0.2 * torch.eye(dim, dtype=torch.float64))
        torch.testing.assert_close(density_N, torch.ones(3, dtype=torch.float64), atol=1e-5, rtol=0)


def test_mean_and_spread_scaled_alike_change_nothing():
    y_ND, mean_D, root_DD = circle(7), torch.tensor([0.3, 0.9], dtype=torch.float64), make_root(2)
    torch.testing.assert_close(density_at(y_ND, mean_D, root_DD), density_at(y_ND, 3 * mean_D, 3 * root_DD))
