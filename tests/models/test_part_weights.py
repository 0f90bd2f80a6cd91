"""Weights of a query's parts: those with which targets are likeliest, known where targets are drawn from such."""

from types import SimpleNamespace

import pytest
import torch

from nextvec.models import part_weights
from nextvec.models.part_weights import PartScores, gain, likeliest, log_loss, part_scores
from nextvec.models.pool import pool_scores

USUAL = torch.tensor([1.0, 1.0, 0.0])
TRUE = torch.tensor([[2.0, 0.5, 0.3], [0.2, 1.5, -0.8]])


def drawn(targets, rows=8, seed=0):
    """Targets of both kinds, drawn with the odds that the true weights give: margins are over the one drawn."""
    random = torch.Generator().manual_seed(seed)
    score_MPN = torch.randn(targets, 3, rows, generator=random)
    kind_M = torch.randint(0, 2, (targets,), generator=random)
    odds_MN = torch.einsum("mpn,mp->mn", score_MPN, TRUE[kind_M]).softmax(1)
    own_M = torch.multinomial(odds_MN, 1, generator=random)
    own_MP1 = score_MPN.gather(2, own_M[:, None].expand(-1, 3, -1))
    return PartScores(score_MPN - own_MP1, torch.zeros(targets, rows).bool(), kind_M)


def test_the_weights_that_targets_were_drawn_with_are_found():
    pieces = [drawn(4_000, seed=seed) for seed in range(3)]
    torch.testing.assert_close(USUAL + likeliest(pieces, USUAL), TRUE, atol=0.1, rtol=0)


def test_few_targets_move_little_and_none_nothing():
    assert float((likeliest([drawn(3)], USUAL)).abs().max()) < part_weights.DEVIATION
    assert torch.equal(likeliest([], USUAL), torch.zeros(2, 3))


def test_weights_are_worth_what_documents_gain_that_they_were_not_fitted_to():
    pieces = [drawn(2_000, seed=seed) for seed in range(4)]
    first, second = pieces[::2], pieces[1::2]
    for_second, for_first = (USUAL + likeliest(half, USUAL) for half in (first, second))
    untold = log_loss(pieces, USUAL.expand(2, -1))
    assert gain(pieces, USUAL) == pytest.approx(
        float(untold - log_loss(first, for_first) - log_loss(second, for_second)), rel=1e-4
    )
    assert gain(pieces, USUAL) < untold - log_loss(pieces, USUAL + likeliest(pieces, USUAL))


def test_weights_that_fit_their_own_documents_alone_are_worth_less_than_none():
    def noise(seed: int) -> PartScores:
        random = torch.Generator().manual_seed(seed)
        margin_MPN = torch.randn(12, 3, 8, generator=random)
        return PartScores(margin_MPN, torch.zeros(12, 8).bool(), torch.randint(0, 2, (12,), generator=random))

    pieces = [noise(seed) for seed in range(2)]
    best_P = USUAL + likeliest([noise(seed) for seed in range(2, 400)], USUAL).mean(0)
    fitted_2P = best_P + likeliest(pieces, best_P)
    assert gain(pieces, best_P) < 0 < log_loss(pieces, best_P.expand(2, -1)) - log_loss(pieces, fitted_2P)


def test_one_document_is_not_enough_to_tell():
    assert gain([drawn(500)], USUAL) <= 0
    assert gain([], USUAL) == 0


def test_what_is_no_candidate_does_not_count():
    piece = drawn(500)
    wild = piece.margin_MPN.clone()
    wild[:, :, 0] += 50.0 * (piece.margin_MPN[:, :, 0] != 0)
    barred = torch.zeros_like(piece.recent_MN)
    barred[:, 0] = (piece.margin_MPN[:, :, 0] != 0).any(1)
    without, with_it = (PartScores(margin, barred, piece.kind_M) for margin in (piece.margin_MPN, wild))
    torch.testing.assert_close(likeliest([without], USUAL), likeliest([with_it], USUAL))


@pytest.fixture
def batch(make_vectors):
    """Two documents, of 12 rows and of 9."""
    rows_BTD, mask_BT = make_vectors(2, 12, 8), torch.arange(11) < torch.tensor([[11], [8]])
    begins_BT = torch.randint(0, 2, (2, 11), generator=torch.Generator().manual_seed(1), dtype=torch.int8)
    return SimpleNamespace(
        x_BTD=rows_BTD[:, :-1],
        target_BTD=rows_BTD[:, 1:],
        mask_BT=mask_BT,
        begins_BT=begins_BT.masked_fill(~mask_BT, -1),
    )


def parts(batch):
    return torch.stack([batch.x_BTD, 2 * batch.x_BTD.flip(1)], dim=2)


def test_parts_score_as_queries_do(batch):
    first, second = part_scores(parts, lambda: [batch])
    assert (len(first.kind_M), len(second.kind_M)) == (7, 4)
    vectors_ND = torch.cat([batch.x_BTD[0, :1], batch.target_BTD[0]])
    scores_MN = pool_scores(parts(batch)[0, 4:].sum(1), vectors_ND)
    own_M1 = scores_MN.gather(1, torch.arange(5, 12)[:, None])
    found_MN = first.margin_MPN.sum(1).masked_fill(first.recent_MN, -torch.inf)
    torch.testing.assert_close(found_MN, scores_MN - own_M1)
    assert torch.equal(first.kind_M, batch.begins_BT[0, 4:].long())


def test_targets_are_spread_evenly_and_unknown_ones_left_out(batch, monkeypatch):
    monkeypatch.setattr(part_weights, "MOST", 4)
    assert sum(len(piece.kind_M) for piece in part_scores(parts, lambda: [batch])) <= 4
    batch.begins_BT[:] = -1
    assert not any(len(piece.kind_M) for piece in part_scores(parts, lambda: [batch]))
    batch.begins_BT[0, 6] = 1
    assert [len(piece.kind_M) for piece in part_scores(parts, lambda: [batch])] == [1, 0]
    assert part_scores(parts, lambda: [SimpleNamespace(begins_BT=None)]) == []
