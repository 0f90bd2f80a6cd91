"""The query for what is new: what it is made of, and what it is good for where documents do not repeat themselves."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nextvec.models.baseline import BASELINES, fit_baseline
from nextvec.models.baselines.novelty import LEANS, STRENGTHS
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


def ranks_ahead(query_BTD, batch):
    """Reciprocal ranks of targets among themselves and what comes after them."""
    for query_MD, vectors_ND in own_pools(query_BTD, batch):
        scores_MN = query_MD @ vectors_ND.T
        said_MN = torch.ones_like(scores_MN, dtype=torch.bool).tril(len(vectors_ND) - len(query_MD) - 1)
        yield reciprocal_ranks(scores_MN.masked_fill(said_MN, -torch.inf))


def test_ahead_it_leans_to_the_topic_as_far_as_that_ranks_better(data, novelty):
    found = {"query": [], "ahead": []}
    for batch in data.validation_batches():
        forecast = novelty.forecast(batch.x_BTD, batch.mask_BT, batch.breaks_BT)
        topic_BTD = novelty.mix.forecast(batch.x_BTD, batch.mask_BT, batch.breaks_BT).topic
        torch.testing.assert_close(forecast.ahead, forecast.query + novelty.weight * topic_BTD)
        for part, ranks in found.items():
            ranks += ranks_ahead(getattr(forecast, part), batch)
    assert float(novelty.weight) in LEANS[1:]
    assert torch.cat(found["ahead"]).mean() > 1.02 * torch.cat(found["query"]).mean()


def test_what_was_saved_before_it_leaned_does_not(data, novelty):
    older = {name: buffer for name, buffer in novelty.state_dict().items() if not name.startswith(("mix.", "weight"))}
    loaded = BASELINES.get("novelty")(128)
    loaded.load_state_dict(older)
    batch = next(iter(data.validation_batches()))
    forecast = loaded.forecast(batch.x_BTD, batch.mask_BT)
    assert torch.equal(forecast.ahead, forecast.query)
    assert torch.equal(forecast.query, novelty.query(batch.x_BTD, batch.mask_BT))


def test_where_little_comes_twice_it_ranks_better_than_contrast(data, novelty):
    contrast = fit_baseline("contrast", 128, data.fitting_batches, data.validation_batches)
    assert validation_ranks(novelty, data) > 1.1 * validation_ranks(contrast, data)


def test_where_nothing_can_be_ranked_no_scale_is_better_than_another(data):
    def beginnings():
        for batch in data.validation_batches():
            yield replace(batch, mask_BT=batch.mask_BT & (torch.arange(batch.mask_BT.shape[1]) < RECENT - 1))

    assert least_log_loss(lambda batch: batch.x_BTD, beginnings) == (0.0, 1.0)
