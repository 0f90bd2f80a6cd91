"""The Gaussian around ridge-mix against NumPy, and on a process whose distribution is known."""

import numpy as np
import pytest
import torch

from nextvec.models.baseline import fit_baseline
from nextvec.models.baselines.gaussian import CERTAINTIES, SHRINKAGES, Gaussian, shrunk
from nextvec.models.predictor import unit

DIM = 8


@pytest.fixture(scope="module")
def parts(chain, make_batches):
    return make_batches(chain(count=60, seed=1)[0], size=4), make_batches(chain(count=20, seed=2)[0])


@pytest.fixture(scope="module")
def gaussian(parts) -> Gaussian:
    return fit_baseline("gaussian", DIM, *parts)


def test_its_point_is_that_of_ridge_mix(parts, gaussian, make_vectors):
    ridge_mix, x_BTD, mask_BT = fit_baseline("ridge-mix", DIM, *parts), make_vectors(2, 9, DIM), torch.ones(2, 9) > 0
    assert torch.equal(gaussian.predict(x_BTD, mask_BT), ridge_mix.predict(x_BTD, mask_BT))
    assert (gaussian.spec.samples, gaussian.spec.density, gaussian.spec.ranks_by) == (True, True, "point")


def test_its_axes_are_those_of_the_shrunk_covariance_of_what_is_left_over(parts, gaussian, gather):
    mean, target = gather(parts[0], lambda x_BTD: gaussian.mean_after(x_BTD, None))
    covariance = (target - mean).T @ (target - mean) / len(target)
    shrinkage = float(gaussian.shrinkage)
    expected = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / DIM * np.eye(DIM)
    root = (gaussian.axes * gaussian.spread).numpy()
    np.testing.assert_allclose(root @ root.T, expected, atol=1e-6)
    assert bool((gaussian.spread.diff() <= 0).all())


def test_what_is_tuned_is_what_validation_targets_are_likeliest_under(parts, gaussian):
    tuned = mean_density(gaussian, parts[1])
    assert any(float(gaussian.shrinkage) == pytest.approx(shrinkage) for shrinkage in SHRINKAGES)
    kept, variance_D = float(gaussian.certainty), gaussian._residuals(parts[0])[0]
    for certainty in CERTAINTIES:
        gaussian.certainty.fill_(certainty)
        assert mean_density(gaussian, parts[1]) <= tuned + 1e-5
    gaussian.certainty.fill_(kept)
    spread = gaussian.spread.clone()
    for shrinkage in SHRINKAGES:
        gaussian.spread.copy_(shrunk(variance_D, shrinkage).sqrt())
        assert mean_density(gaussian, parts[1]) <= tuned + 1e-5
    gaussian.spread.copy_(spread)


def mean_density(gaussian, batches):
    found = [forecast(gaussian, batch).log_density(batch.target_BTD)[batch.target_mask_BT] for batch in batches()]
    return float(torch.cat(found).mean())


def forecast(gaussian, batch):
    return gaussian.forecast(batch.x_BTD, batch.mask_BT)


def test_whitening_can_be_undone(gaussian, make_vectors):
    x_BTD = make_vectors(2, 3, DIM)
    torch.testing.assert_close(gaussian.colour(gaussian.whiten(x_BTD)), x_BTD)


def test_its_density_is_that_of_what_it_draws(gaussian, make_vectors):
    """If y is drawn from p, the mean of q(y) / p(y) is 1 for any density q: here that after a vector close by."""
    x_BTD = make_vectors(1, 1, DIM)
    x_BTD = torch.cat([x_BTD, unit(x_BTD + 0.1 * make_vectors(1, 1, DIM, seed=1))], dim=1)
    one, other = (gaussian.forecast(x_BTD[:, t : t + 1], torch.ones(1, 1) > 0) for t in (0, 1))
    y_NSD = one.sample(100_000, torch.Generator().manual_seed(5))[:, 0]
    ratio_N = (other.log_density(y_NSD.transpose(0, 1)) - one.log_density(y_NSD.transpose(0, 1)))[0].exp()
    assert float(ratio_N.mean()) == pytest.approx(1.0, abs=5 * float(ratio_N.std()) / len(ratio_N) ** 0.5)


def test_samples_are_its_own_and_repeat_with_the_seed(gaussian, make_vectors):
    read = gaussian.forecast(make_vectors(2, 4, DIM), torch.ones(2, 4) > 0)
    draw = [read.sample(4_000, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2])
    assert (unit(draw[0].mean(0)) * read.point).sum(-1).min() > 0.99


def test_it_knows_a_process_that_is_one(make_batches):
    """Independent directions of one Gaussian about a fixed mean: the density found is nearly the true one's."""
    generator = torch.Generator().manual_seed(0)
    spread_D, mean_D = torch.tensor([0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1]), torch.full((DIM,), 0.4)
    documents = [unit(mean_D + torch.randn(40, DIM, generator=generator) * spread_D) for _ in range(240)]
    train, validation = make_batches(documents[:200], 20), make_batches(documents[200:], 20)
    fitted, truth = fit_baseline("gaussian", DIM, train, validation), Gaussian(DIM)
    truth.spread.copy_(spread_D)
    y_ND = torch.cat([batch.target_BTD[batch.target_mask_BT] for batch in validation()])
    expected = truth.log_density(truth.whiten(mean_D).expand(1, len(y_ND), DIM), y_ND[None]).mean()
    assert mean_density(fitted, validation) == pytest.approx(float(expected), abs=0.1)


def test_dimensions_without_vectors_are_dead_and_not_without_width(make_vectors, make_batches):
    flat = [torch.cat([make_vectors(20, 6, seed=seed), torch.zeros(20, 2)], dim=1) for seed in range(12)]
    gaussian = fit_baseline("gaussian", DIM, make_batches(flat), make_batches(flat))
    assert gaussian.alive.tolist() == [True] * 6 + [False] * 2
    assert bool((gaussian.spread > 0.005).all())


def test_shrinking_goes_to_the_mean_and_leaves_no_zero():
    variance_D = torch.tensor([4.0, 1.0, 0.0, 0.0])
    torch.testing.assert_close(shrunk(variance_D, 1.0), torch.full((4,), 1.25))
    torch.testing.assert_close(shrunk(variance_D, 0.2).sum(), variance_D.sum())
    assert bool((shrunk(torch.zeros(4), 0.5) > 0).all())
