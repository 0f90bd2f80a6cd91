"""scale-mixture: what it finds where the spread varies by chance, and that dead axes are no source of density."""

import pytest
import torch

from nextvec.models.baseline import fit_baseline
from nextvec.models.baselines.gaussian import Gaussian
from nextvec.models.baselines.scale_mixture import ScaleMixture
from nextvec.models.predictor import unit

DIM = 8


@pytest.fixture(scope="module")
def two_spreads(make_batches):
    """Documents about a direction; their vectors are near it, or, one in three, far away. The last axis is dead."""

    def document(seed):
        generator = torch.Generator().manual_seed(seed)
        far_T1 = (torch.rand(40, 1, generator=generator) < 1 / 3).float()
        noise_TD = (0.05 + 0.6 * far_T1) * torch.randn(40, DIM, generator=generator)
        y_TD = torch.randn(DIM, generator=generator) + noise_TD
        y_TD[:, -1] = 0.0
        return unit(y_TD)

    return [make_batches([document(seed) for seed in range(first, first + 30)]) for first in (0, 100, 200)]


@pytest.fixture(scope="module")
def fitted(two_spreads):
    train, validation, _ = two_spreads
    return {name: fit_baseline(name, DIM, train, validation) for name in ("gaussian", "scale-mixture")}


def densities(baseline, batches):
    forecasts = ((baseline.forecast(b.x_BTD, b.mask_BT, b.breaks_BT), b) for b in batches())
    return torch.cat([forecast.log_density(b.target_BTD)[b.target_mask_BT] for forecast, b in forecasts])


def test_a_spread_that_varies_is_found(fitted, two_spreads):
    held_out = two_spreads[2]
    gained = densities(fitted["scale-mixture"], held_out) - densities(fitted["gaussian"], held_out)
    assert float(gained.mean()) > 0.5


def test_its_samples_are_as_dense_as_it_says(fitted, two_spreads):
    """If y is drawn from p, the mean of q(y) / p(y) is 1 for any density q."""
    mixture, gaussian = fitted["scale-mixture"], fitted["gaussian"]
    batch = next(iter(two_spreads[2]()))
    base_11D = mixture.base_after(batch.x_BTD, batch.breaks_BT, None)[:1, 20:21]
    y_1ND = mixture.sample(base_11D, 50_000, torch.Generator().manual_seed(0))[:, 0].transpose(0, 1)
    base_1ND = base_11D.expand(-1, y_1ND.shape[1], -1)
    ratio_N = (gaussian.log_density(base_1ND, y_1ND) - mixture.log_density(base_1ND, y_1ND))[0].exp()
    assert float(ratio_N.mean()) == pytest.approx(1.0, abs=5 * float(ratio_N.std()) / len(ratio_N) ** 0.5)


def test_what_all_axes_have_in_common_is_no_change(fitted, two_spreads):
    """Longer together they leave the dead axis nearer to zero, where all vectors are: density from nothing."""
    assert not bool(fitted["gaussian"].alive[-1])
    changed = ScaleMixture(DIM)
    changed.load_state_dict(fitted["scale-mixture"].state_dict())
    changed.variance_change += 10.0
    changed.mean_change += 5.0
    held_out = two_spreads[2]
    torch.testing.assert_close(
        densities(changed, held_out), densities(fitted["scale-mixture"], held_out), atol=1e-3, rtol=0
    )


def test_of_nothing_learnt_it_is_gaussian(fitted, make_vectors):
    plain, gaussian = ScaleMixture(DIM), fitted["gaussian"]
    plain.adopt(gaussian)
    assert isinstance(gaussian, Gaussian)
    base_BSD, y_BSD = torch.randn(2, 5, DIM, generator=torch.Generator().manual_seed(3)), make_vectors(2, 5, DIM)
    torch.testing.assert_close(plain.log_density(base_BSD, y_BSD), gaussian.log_density(base_BSD, y_BSD))


def test_it_is_fitted_to_targets_of_all_documents(make_batches, make_vectors, monkeypatch):
    """Batches go from short documents to long ones: the first targets would be those of the shortest alone."""
    monkeypatch.setattr("nextvec.models.baselines.scale_mixture.MOST", 10)
    batches, plain = make_batches([make_vectors(length, DIM, seed=length) for length in (4, 6, 31)]), ScaleMixture(DIM)
    whole_3NG = torch.cat(list(plain._pieces(batches)), 1)
    assert whole_3NG.shape[1] == 38
    torch.testing.assert_close(plain._products(batches), whole_3NG[:, ::4])


def test_a_search_that_ends_at_no_number_gives_the_likeliest_it_met(two_spreads, monkeypatch):
    """As it does where the density has no bound, and on another processor where it nearly has none."""

    class Escaping(torch.optim.LBFGS):
        def step(self, closure):
            super().step(closure)
            for number in self.param_groups[0]["params"]:
                number.data.fill_(float("nan"))
            closure()

    train, validation, held_out = two_spreads
    monkeypatch.setattr(torch.optim, "LBFGS", Escaping)
    found = fit_baseline("scale-mixture", DIM, train, validation)
    gained = densities(found, held_out) - densities(fit_baseline("gaussian", DIM, train, validation), held_out)
    assert float(gained.mean()) > 0.5


def test_changes_under_which_documents_have_no_density_are_not_taken(two_spreads, monkeypatch):
    train, validation, _ = two_spreads
    beyond = tuple(torch.full(shape, 1e30) for shape in ((16,), (16, DIM), (16, DIM)))
    monkeypatch.setattr(ScaleMixture, "_learn", lambda self, products_3NG: beyond)
    found = fit_baseline("scale-mixture", DIM, train, validation)
    assert not found.logit.any()
    assert not found.variance_change.any()
    assert found.mean_change.isfinite().all()
