"""The closed-form query against NumPy, and on a process whose right answer is known."""

import numpy as np
import pytest
import torch

from nextvec.models.baseline import fit_baseline
from nextvec.models.baselines.contrast import PENALTIES, SHRINKAGES, Moments
from nextvec.models.decay import decayed_means
from nextvec.models.pool import RECENT
from nextvec.training.data import TrainingData


@pytest.fixture(scope="module")
def data(make_process):
    return TrainingData(make_process([24] * 60, dim=8))


@pytest.fixture(scope="module")
def contrast(data):
    return fit_baseline("contrast", 8, data.fitting_batches, data.validation_batches)


def rows_of(data, part):
    offsets = data.snapshot.offsets
    bounds = ((int(offsets[i]), int(offsets[i + 1])) for i in getattr(data.split, part))
    return [data.vectors.gather(torch.arange(first, end)) for first, end in bounds]


def differences(rows):
    """Target minus the mean of its pool, for every row but the first, by hand."""
    pools = ([i for i in range(len(rows)) if not row - RECENT <= i < row] for row in range(1, len(rows)))
    return np.stack([(rows[row] - rows[pool].mean(0)).numpy() for row, pool in enumerate(pools, start=1)])


def test_the_matrix_is_the_ridge_regression_times_the_shrunk_precision(data, contrast):
    documents = rows_of(data, "train")
    features = np.concatenate([decayed_means(rows[None, :-1]).flatten(2)[0].numpy() for rows in documents])
    wanted = np.concatenate([differences(rows) for rows in documents])
    features, wanted = features.astype(np.float64), wanted.astype(np.float64)
    gram = features.T @ features
    damping = float(contrast.penalty) * (features**2).mean() * np.eye(len(gram))
    regression = np.linalg.solve(gram + damping, features.T @ wanted)
    covariance = wanted.T @ wanted / len(wanted)
    shrunk = covariance + float(contrast.shrinkage) * np.trace(covariance) / 8 * np.eye(8)
    assert np.allclose(contrast.matrix.numpy(), regression @ np.linalg.inv(shrunk), rtol=1e-3, atol=1e-5)


def test_what_is_tuned_is_on_the_grid(contrast):
    assert float(contrast.penalty) in PENALTIES
    assert any(abs(float(contrast.shrinkage) - shrinkage) < 1e-6 for shrinkage in SHRINKAGES)
    assert contrast.spec.ranks_by == "query"


def test_moments_of_batches_add_up(data, contrast):
    whole = Moments.of(contrast.features, data.fitting_batches)
    assert whole.count == sum(len(rows) - 1 for rows in rows_of(data, "train"))
    assert torch.allclose(whole.spread_DD, whole.spread_DD.T)


def test_it_finds_the_next_chunk_better_than_any_mean(make_process):
    """Half of the dimensions drift slowly, half are noise of a larger size: means do not know which tells the next."""
    random = np.random.default_rng(1)
    lengths, rows = [40] * 80, []
    for length in lengths:
        topic, state = random.standard_normal(16), random.standard_normal(8)
        for _ in range(length):
            state = 0.8 * state + 0.6 * random.standard_normal(8)
            rows.append(topic + np.concatenate([state, 2 * random.standard_normal(8)]))
    vectors = (np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    data = TrainingData(make_process(lengths, dim=16, vectors=vectors))
    fitted = {
        name: fit_baseline(name, 16, data.fitting_batches, data.validation_batches)
        for name in ("contrast", "copy-last", "ewma", "ewma-mix", "ridge-mix")
    }
    ranks = {name: reciprocal_rank(baseline, data) for name, baseline in fitted.items()}
    assert ranks.pop("contrast") > 1.3 * max(ranks.values()), ranks


def reciprocal_rank(predictor, data):
    """Mean over test documents, by hand."""
    found = []
    for rows in rows_of(data, "test"):
        query = predictor.query(rows[None, :-1], torch.ones(1, len(rows) - 1, dtype=torch.bool))[0]
        for row in range(RECENT, len(rows)):
            candidates = [i for i in range(len(rows)) if not row - RECENT <= i < row]
            scores = rows[candidates] @ query[row - 1]
            found.append(1 / (1 + int((scores > rows[row] @ query[row - 1]).sum())))
    return float(np.mean(found))
