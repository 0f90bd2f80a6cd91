"""A document's own chunks as candidates: means, scores and ranks of the pool, against doing it by hand."""

import math

import numpy as np
import pytest
import torch

from nextvec.models.pool import RECENT, best_lean, lowest, pool_means, pool_scores, reciprocal_ranks


def documents(lengths, dim=6, seed=0):
    """x, targets, mask of whole documents, padded; and the documents themselves."""
    generator = torch.Generator().manual_seed(seed)
    own = [torch.randn(length, dim, generator=generator) for length in lengths]
    x, target, mask = (torch.zeros(len(own), max(lengths) - 1, *rest) for rest in ((dim,), (dim,), ()))
    for b, rows in enumerate(own):
        x[b, : len(rows) - 1], target[b, : len(rows) - 1], mask[b, : len(rows) - 1] = rows[:-1], rows[1:], 1
    return x, target, mask.bool(), own


def test_the_pool_is_all_but_the_recent_context():
    x, target, mask, own = documents([3, 9, 17])
    means = pool_means(x, target, mask)
    for b, rows in enumerate(own):
        for t in range(len(rows) - 1):
            pool = [i for i in range(len(rows)) if not t + 1 - RECENT <= i <= t]
            assert torch.allclose(means[b, t], rows[pool].mean(0), atol=1e-5)


def test_ranks_by_hand():
    rows = torch.nn.functional.normalize(torch.randn(14, 4, generator=torch.Generator().manual_seed(1)), dim=-1)
    query = torch.randn(9, 4, generator=torch.Generator().manual_seed(2))
    found = reciprocal_ranks(pool_scores(query, rows))
    for j, q in enumerate(query):
        row = 5 + j
        scores = [float(q @ rows[i]) for i in range(14) if i == row or not row - RECENT <= i < row]
        rank = 1 + sum(score > float(q @ rows[row]) for score in scores)
        assert abs(float(found[j]) - 1 / rank) < 1e-6


class Asked:
    """What a batch asks of documents."""

    def __init__(self, lengths, seed):
        self.x_BTD, self.target_BTD, self.mask_BT, self.own = documents(lengths, seed=seed)


@pytest.mark.parametrize("seed", range(4))
def test_the_weight_of_a_topic_is_that_of_the_best_ranks_of_what_lies_ahead(seed):
    batches = [Asked([9, 17, 4], seed), Asked([12], seed + 10)]
    generator = torch.Generator().manual_seed(seed)
    query = {batch: torch.randn(*batch.x_BTD.shape, generator=generator) for batch in batches}
    topic = {batch: torch.randn(*batch.x_BTD.shape, generator=generator) for batch in batches}
    weights = (0.0, 0.5, 1.0, 2.0)
    totals = dict.fromkeys(weights, 0.0)
    for batch in batches:
        for b, rows in enumerate(batch.own):
            for row in range(RECENT, len(rows)):
                for weight in weights:
                    q = query[batch][b, row - 1] + weight * topic[batch][b, row - 1]
                    own = float(q @ rows[row])
                    totals[weight] += 1 / (1 + sum(float(q @ rows[i]) > own for i in range(row + 1, len(rows))))
    assert best_lean(query.get, topic.get, weights, lambda: batches) == max(weights, key=totals.get)


def test_where_nothing_can_be_ranked_no_topic_is_added():
    assert best_lean(lambda batch: batch.x_BTD, lambda batch: batch.x_BTD, (0.0, 1.0), lambda: [Asked([3], 0)]) == 0.0


def test_equal_candidates_share_their_rank():
    rows = torch.ones(8, 3)
    assert torch.allclose(reciprocal_ranks(pool_scores(torch.ones(1, 3), rows)), torch.tensor([1 / 2.0]))
    assert np.isfinite(reciprocal_ranks(pool_scores(torch.ones(3, 3), rows)).numpy()).all()


class TestLowest:
    def test_it_is_that_of_a_parabola_wherever_it_lies_between(self):
        place_K = torch.arange(6, dtype=torch.float64)
        for least in (1.6, 2.0, 3.3):
            assert lowest(0.3 * (place_K - least) ** 2 + 4.0) == pytest.approx(4.0)

    def test_at_an_end_it_is_what_was_measured(self):
        assert lowest(torch.tensor([1.0, 2.0, 3.0])) == 1.0
        assert lowest(torch.tensor([3.0, 2.0, 1.5])) == 1.5

    def test_equals_are_themselves_and_what_is_no_number_is_seen(self):
        assert lowest(torch.ones(4)) == 1.0
        assert math.isnan(lowest(torch.tensor([1.0, torch.nan, 3.0])))
