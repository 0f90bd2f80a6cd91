"""Least squares against numpy's, and recovery of a process that is linear."""

import numpy as np
import pytest
import torch

from nextvec.models.baseline import fit_baseline, mean_cosine
from nextvec.models.baselines.ridge import RIDGE_GRID, RidgeMix, last_vectors, principal_axes
from nextvec.models.decay import MIX_DECAYS, decayed_means
from nextvec.models.predictor import unit


@pytest.fixture(scope="module")
def parts(chain, make_batches):
    return make_batches(chain(seed=1)[0], size=4), make_batches(chain(count=9, seed=2)[0])


def slow_ridge(features, target, penalty):
    """Normal equations, the penalty in units of the mean square of a feature."""
    gram = features.T @ features
    return np.linalg.solve(
        gram + penalty * (np.trace(gram) / gram.size * len(gram)) / len(features) * np.eye(len(gram)),
        features.T @ target,
    )


def best_cosine(predict, validation):
    features, target = validation
    y = predict(features)
    return float(((y / np.linalg.norm(y, axis=1, keepdims=True)) * target).sum(1).mean())


def test_mixture_weights_are_least_squares(parts, gather):
    train, validation = parts
    means, target = gather(train, decayed_means)
    expected = np.linalg.lstsq(means.transpose(0, 2, 1).reshape(-1, len(MIX_DECAYS)), target.reshape(-1))[0]
    weights = fit_baseline("ewma-mix", 8, train, validation).weights
    np.testing.assert_allclose(weights.numpy(), expected, atol=2e-4)


def test_mixture_of_equal_means_has_a_finite_solution(make_vectors, make_batches):
    pairs = make_batches([make_vectors(2, 8, seed=i) for i in range(6)])
    baseline = fit_baseline("ewma-mix", 8, pairs, pairs)
    assert bool(torch.isfinite(baseline.weights).all())


def test_ridge_solves_the_normal_equations_with_the_best_penalty(parts, gather):
    train, validation = parts
    baseline = fit_baseline("ridge", 8, train, validation)
    features, target = gather(train, last_vectors)
    held_out = gather(validation, last_vectors)
    solutions = {penalty: slow_ridge(features, target, penalty) for penalty in RIDGE_GRID}
    scores = {p: best_cosine(lambda f, w=w: f @ w, held_out) for p, w in solutions.items()}
    best = max(scores, key=scores.__getitem__)
    assert float(baseline.penalty) == best
    np.testing.assert_allclose(baseline.matrix.numpy(), solutions[best], atol=1e-4)
    assert mean_cosine(baseline.predict, validation) == pytest.approx(scores[best], abs=1e-5)


def test_ridge_mix_regresses_what_the_mixture_leaves(parts, gather):
    train, validation = parts
    mix = fit_baseline("ewma-mix", 8, train, validation)
    baseline = fit_baseline("ridge-mix", 8, train, validation)
    assert torch.equal(baseline.weights, mix.weights)
    features, target = gather(train, lambda x_BTD: decayed_means(x_BTD).flatten(2))
    base, _ = gather(train, lambda x_BTD: mix.mix(decayed_means(x_BTD).flatten(2)))
    expected = slow_ridge(features, target - base, float(baseline.penalty))
    np.testing.assert_allclose(baseline.matrix.numpy(), expected, atol=1e-4)
    assert mean_cosine(baseline.predict, validation) >= mean_cosine(mix.predict, validation) - 1e-3


@pytest.fixture
def noisy(make_vectors, make_batches):
    """Documents around a mean along the first axis, which is known, with noise along the others, which is not."""

    def make(seed):
        documents = [make_vectors(12, 8, seed=seed + i) * 0.4 for i in range(8)]
        for document in documents:
            document[:, 0] += 1.0
        return make_batches([unit(document) for document in documents])

    return make(1), make(50)


def test_axes_that_are_not_known_are_shortened_and_the_others_are_not(noisy):
    train, validation = noisy
    baseline = fit_baseline("ridge-mix", 8, train, validation)
    assert float(baseline.lengths[0, 0]) > 0.95
    assert float(torch.linalg.eigvalsh(baseline.lengths)[-2]) < 0.7
    plain = fit_baseline("ridge-mix", 8, train, validation)
    plain.lengths = torch.eye(8)
    assert mean_cosine(baseline.predict, validation) > mean_cosine(plain.predict, validation)


def test_lengths_are_least_squares_on_validation(noisy, gather):
    train, validation = noisy
    baseline = fit_baseline("ridge-mix", 8, train, validation)
    lengths_DD, baseline.lengths = baseline.lengths, torch.eye(8)
    axes_DD = principal_axes(train).float()
    mean, target = gather(validation, lambda x_BTD: baseline.mean(baseline.features(x_BTD, None)))
    along, truth = mean @ axes_DD.numpy(), target @ axes_DD.numpy()
    factor = (along * truth).sum(0) / (along**2).sum(0)
    expected = axes_DD.numpy() * factor.clip(min=0) @ axes_DD.numpy().T
    np.testing.assert_allclose(lengths_DD.numpy(), expected, atol=1e-4)


def test_a_state_from_before_there_were_lengths_is_loaded(parts):
    baseline = fit_baseline("ridge-mix", 8, *parts)
    saved = {name: value for name, value in baseline.state_dict().items() if "lengths" not in name}
    fresh = RidgeMix(8)
    fresh.load_state_dict(saved)
    assert torch.equal(fresh.lengths, torch.eye(8))
    assert torch.equal(fresh.matrix, baseline.matrix)


def test_last_vectors_are_zero_before_the_beginning(make_vectors):
    x_BTD = make_vectors(2, 7, 3)
    f_BTF = last_vectors(x_BTD)
    assert f_BTF.shape == (2, 7, 16)
    assert torch.equal(f_BTF[:, 6, :15].view(2, 5, 3), x_BTD[:, [6, 5, 4, 3, 2]])
    assert torch.equal(f_BTF[:, 1, :6].view(2, 2, 3), x_BTD[:, [1, 0]])
    assert not f_BTF[:, 1, 6:15].any()
    assert bool((f_BTF[..., 15] == 1).all())


@pytest.mark.parametrize("name", ["ridge", "ridge-mix"])
def test_a_rotation_is_recovered(name, chain, make_batches):
    train, validation = (make_batches(chain(noise=0.1, seed=seed)[0]) for seed in (1, 2))
    cosine = {n: mean_cosine(fit_baseline(n, 8, train, validation).predict, validation) for n in (name, "ewma-mix")}
    assert cosine[name] > 0.99
    assert cosine["ewma-mix"] < 0.9


def test_ridge_finds_the_rotation_itself(chain, make_batches):
    documents, rotation = chain(count=60, noise=0.1, seed=1)
    batches = make_batches(documents)
    y_D = fit_baseline("ridge", 8, batches, batches)(documents[0][None, :10])[0, -1]
    torch.testing.assert_close(y_D, unit(rotation @ documents[0][9]), atol=0.1, rtol=0)
