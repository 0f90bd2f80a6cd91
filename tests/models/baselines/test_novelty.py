"""The query for what is new: what it is made of, and what it is good for where documents do not repeat themselves."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nextvec.models.baseline import fit_baseline
from nextvec.models.baselines.novelty import STRENGTHS
from nextvec.models.innovations import innovations, without
from nextvec.models.pool import RECENT, least_log_loss, log_losses, own_pools, pool_scores, reciprocal_ranks
from nextvec.training.data import TrainingData


@pytest.fixture(scope="module")
def data(make_process):
    """Documents that move slowly around topics of their own: what comes next is near, and so is much that was said."""
    random, rows = np.random.default_rng(0), []
    for _ in range(60):
        state, path = random.standard_normal(128), []
        for _ in range(40):
            state = 0.9 * state + 0.45 * random.standard_normal(128)
            path.append(state.copy())
        rows.append(np.array(path) + random.standard_normal(128) + 1.2 * random.standard_normal((40, 128)))
    vectors = np.concatenate(rows)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return TrainingData(make_process([40] * 60, dim=128, vectors=vectors))


@pytest.fixture(scope="module")
def novelty(data):
    return fit_baseline("novelty", 128, data.fitting_batches, data.validation_batches)


def validation_ranks(predictor, data):
    found = []
    for batch in data.validation_batches():
        query_BTD = predictor.query(batch.x_BTD, batch.mask_BT, batch.breaks_BT)
        found += [reciprocal_ranks(pool_scores(*pool)) for pool in own_pools(query_BTD, batch)]
    return float(torch.cat(found).mean())


def test_it_is_contrast_without_what_was_said(data, novelty):
    batch = next(iter(data.validation_batches()))
    query_BTD = novelty.contrast.query(batch.x_BTD, batch.mask_BT)
    known_BTD = innovations(batch.x_BTD, float(novelty.strength))
    expected_BTD = float(novelty.scale) * without(query_BTD, known_BTD, RECENT)
    torch.testing.assert_close(novelty.query(batch.x_BTD, batch.mask_BT), expected_BTD)


def test_strength_and_scale_are_tuned_on_the_log_loss(data, novelty):
    assert any(abs(float(novelty.strength) - strength) < 1e-6 for strength in STRENGTHS)
    best, scale = least_log_loss(lambda batch: novelty.rank(batch.x_BTD, batch.breaks_BT), data.validation_batches)
    assert scale == pytest.approx(1.0)
    losses = torch.cat(
        [
            log_losses(pool_scores(*pool), (1.0,))[0]
            for batch in data.validation_batches()
            for pool in own_pools(novelty.rank(batch.x_BTD), batch)
        ]
    )
    assert float(losses.mean()) == pytest.approx(best, rel=1e-4)


def test_where_little_comes_twice_it_ranks_better_than_contrast(data, novelty):
    contrast = fit_baseline("contrast", 128, data.fitting_batches, data.validation_batches)
    assert validation_ranks(novelty, data) > 1.1 * validation_ranks(contrast, data)


def test_where_nothing_can_be_ranked_no_scale_is_better_than_another(data):
    def beginnings():
        for batch in data.validation_batches():
            yield replace(batch, mask_BT=batch.mask_BT & (torch.arange(batch.mask_BT.shape[1]) < RECENT - 1))

    assert least_log_loss(lambda batch: batch.x_BTD, beginnings) == (0.0, 1.0)
