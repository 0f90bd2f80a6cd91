import numpy as np
import pytest
import torch

from nextvec.models.baseline import fit_baseline, mean_cosine
from nextvec.models.baselines.means import DECAY_GRID
from nextvec.models.decay import decayed_means
from nextvec.models.predictor import unit


def predicted(baseline, x_BTD):
    return baseline.predict(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool))


def test_global_mean_is_the_direction_of_all_training_targets(chain, make_batches, make_vectors):
    documents = chain(count=5, length=9)[0]
    baseline = fit_baseline("global-mean", 8, make_batches(documents), make_batches(documents))
    expected_D = unit(torch.cat([document[1:] for document in documents]).sum(0))
    torch.testing.assert_close(predicted(baseline, make_vectors(2, 3, 8)), expected_D.expand(2, 3, 8))


def test_copy_last_and_context_mean(make_batches, chain, make_vectors):
    batches = make_batches(chain(count=3)[0])
    x_BTD = make_vectors(2, 70, 8)
    torch.testing.assert_close(predicted(fit_baseline("copy-last", 8, batches, batches), x_BTD), x_BTD)
    mean_BTD = unit(x_BTD.double().cumsum(1)).float()
    context_mean = fit_baseline("context-mean", 8, batches, batches)
    torch.testing.assert_close(predicted(context_mean, x_BTD), mean_BTD, atol=1e-6, rtol=0)


def test_ewma_takes_the_best_decay_of_the_grid_on_validation(make_batches, make_vectors):
    noisy = [unit(make_vectors(20, 8, seed=i) + 2 * make_vectors(1, 8, seed=100 + i)) for i in range(8)]
    train, validation = make_batches(noisy[:2]), make_batches(noisy[2:])
    baseline = fit_baseline("ewma", 8, train, validation)

    def slow(decay):
        cosines = []
        for document in noisy[2:]:
            means = decayed_means(document[None], (decay,))[0, :-1, 0]
            cosines += (means * document[1:]).sum(-1).tolist()
        return np.mean(cosines)

    assert float(baseline.decay) == pytest.approx(max(DECAY_GRID, key=slow))
    assert mean_cosine(baseline.predict, validation) == pytest.approx(slow(float(baseline.decay)), abs=1e-6)
    assert float(baseline.decay) > 0.9
