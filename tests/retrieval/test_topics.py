"""Topics among what is searched."""

import pytest
import torch
import torch.nn.functional as F

from nextvec.retrieval.topics import Searched

DIM = 64


def crowd(count, seed):
    """Vectors that have much in common, and vary far more along some axes than along others."""
    generator = torch.Generator().manual_seed(seed)
    spread_D = 1 / torch.arange(1, DIM + 1)
    return F.normalize(torch.randn(count, DIM, generator=generator) * spread_D + spread_D.mean(), dim=1)


def reciprocal_ranks(query_QD, right_QD, others_ND):
    own_Q1 = (F.normalize(query_QD, dim=1) * right_QD).sum(1, keepdim=True)
    return 1 / (1 + (F.normalize(query_QD, dim=1) @ others_ND.T > own_Q1).sum(1))


def test_axes_along_which_everything_varies_count_for_less():
    right_QD, others_ND = crowd(200, 1), crowd(2_000, 2)
    noise_QD = right_QD.std(0) * torch.randn(200, DIM, generator=torch.Generator().manual_seed(3))
    topic_QD = F.normalize(right_QD + noise_QD, dim=1)
    plain, found = (
        reciprocal_ranks(query_QD, right_QD, others_ND).mean()
        for query_QD in (topic_QD, Searched.of(others_ND).query(topic_QD))
    )
    assert found > 1.5 * plain


def test_odds_are_for_what_is_of_the_topic_and_against_the_rest():
    """Their exponentials have a mean of 1 over what is searched: as many nats for as against."""
    others_ND, right_QD = crowd(2_000, 2), crowd(50, 1)
    searched = Searched.of(others_ND)
    for right_D in right_QD:
        query_D = searched.query(right_D[None])[0]
        odds_N = searched.log_odds(query_D, torch.cat([right_D[None], others_ND]))
        assert odds_N[0] > 0 > odds_N[1:].mean()
        assert float(odds_N[1:].exp().mean()) == pytest.approx(1, abs=1e-4)
        assert float(odds_N[1:].std()) == pytest.approx(2, abs=1e-3)
        torch.testing.assert_close(searched.log_odds(1000 * query_D, others_ND), odds_N[1:], atol=1e-3, rtol=1e-4)


def test_odds_are_against_some_of_many(monkeypatch):
    others_ND, (right_D,) = crowd(4_000, 2), crowd(1, 1)
    whole = Searched.of(others_ND)
    monkeypatch.setattr("nextvec.retrieval.topics.RIVALS", 1_000)
    some, query_D = Searched.of(others_ND), whole.query(right_D[None])[0]
    assert len(some.rivals_MD) == 1_000
    torch.testing.assert_close(
        some.log_odds(query_D, others_ND), whole.log_odds(query_D, others_ND), atol=0.3, rtol=0.05
    )


def test_half_precision_and_a_part_of_many_say_the_same(monkeypatch):
    vectors_ND, topic_QD = crowd(4_000, 1), crowd(50, 2)
    exact = F.normalize(Searched.of(vectors_ND).query(topic_QD), dim=1)
    assert ((F.normalize(Searched.of(vectors_ND.half()).query(topic_QD), dim=1) * exact).sum(1) > 0.9999).all()
    monkeypatch.setattr("nextvec.retrieval.topics.MOST", 1_000)
    assert ((F.normalize(Searched.of(vectors_ND).query(topic_QD), dim=1) * exact).sum(1) > 0.98).all()


def test_blocks_change_nothing(monkeypatch):
    vectors_ND, topic_QD = crowd(100, 1), crowd(5, 2)
    whole = Searched.of(vectors_ND).query(topic_QD)
    monkeypatch.setattr("nextvec.retrieval.topics._BLOCK", 7)
    torch.testing.assert_close(Searched.of(vectors_ND).query(topic_QD), whole)


def test_where_what_is_searched_does_not_differ_a_topic_stays_what_it_is():
    topic_QD = crowd(3, 2)
    for vectors_ND in (torch.zeros(0, DIM), crowd(1, 1), crowd(1, 1).expand(20, -1)):
        searched = Searched.of(vectors_ND)
        assert torch.equal(searched.query(topic_QD), topic_QD)
        assert torch.equal(searched.log_odds(topic_QD[0], crowd(4, 3)), torch.zeros(4))
