from dataclasses import replace

import torch

from nextvec.evaluation.metric import Passage
from nextvec.evaluation.pools import ForeignPool, Pools


def unit(shape, seed):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return x / x.norm(dim=-1, keepdim=True)


def pools(foreign=50):
    return Pools(ForeignPool(vectors_PD=unit((foreign, 8), 1), owner_P=torch.arange(foreign) % 3), reach=5)


def passage(number=0, length=20):
    query = 2 * unit((length - 5, 8), 2)
    return Passage(
        number=number,
        doc_id="d",
        vectors_ND=unit((length, 8), 3),
        predicted_MD=query / 2,
        query_MD=query,
        topic_MD=query / 2,
    )


def test_metrics_share_the_scores_of_a_document_and_the_next_one_has_its_own():
    some, first, second = pools(), passage(0), passage(1)
    assert some.blocks(first) is some.blocks(first)
    assert some.blocks(second) is not some.blocks(first)


def test_a_long_document_is_scored_in_blocks_that_nobody_keeps(monkeypatch):
    monkeypatch.setattr("nextvec.evaluation.pools._BLOCK_CELLS", 4 * 50)
    some, long = pools(), passage()
    sizes = [len(scores.own_m1) for scores in some.blocks(long)]
    assert sizes == [4, 4, 4, 3]
    assert len(list(some.blocks(long))) == 4


def test_margins_are_scores_of_rivals_less_the_targets_own():
    one = passage()
    scores = pools().scores(one, torch.tensor([3, 9]))
    raw_2N = one.query_MD[[3, 9]] @ one.vectors_ND.T
    margins = scores.margins("document")
    assert margins.isinf().sum(1).tolist() == [6, 6]
    expected = raw_2N - raw_2N[[0, 1], [8, 14]][:, None]
    torch.testing.assert_close(margins[margins.isfinite()], expected[margins.isfinite()])
    assert margins[0, 3:9].isinf().all()
    ahead = scores.margins("ahead")
    assert [row.isfinite().nonzero().flatten().tolist() for row in ahead] == [[*range(9, 20)], [*range(15, 20)]]
    torch.testing.assert_close(ahead[ahead.isfinite()], expected[ahead.isfinite()])
    assert scores.margins("foreign-10k").isinf().sum(1).tolist() == [17, 17]


def test_what_lies_ahead_is_ranked_by_a_query_of_its_own():
    one = passage()
    other = replace(one, ahead_MD=3 * unit((15, 8), 7))
    usual, scores = pools().scores(one, torch.tensor([3, 9])), pools().scores(other, torch.tensor([3, 9]))
    raw_2N = other.ahead_MD[[3, 9]] @ one.vectors_ND.T
    expected, ahead = raw_2N - raw_2N[[0, 1], [8, 14]][:, None], scores.margins("ahead")
    assert [row.isfinite().nonzero().flatten().tolist() for row in ahead] == [[*range(9, 20)], [*range(15, 20)]]
    torch.testing.assert_close(ahead[ahead.isfinite()], expected[ahead.isfinite()])
    for pool in ("document", "foreign-10k"):
        assert torch.equal(scores.margins(pool), usual.margins(pool))


def test_the_pool_ahead_shrinks_to_two_and_leaves_the_last_chunk_out():
    sizes = pools().sizes(passage(length=9))
    assert {pool: size_M.tolist() for pool, size_M in sizes.items()} == {
        "document": [4] * 4, "ahead": [4, 3, 2], "document+context": [9] * 4, "foreign-10k": [34] * 4,
    }  # fmt: skip
    assert "ahead" not in pools().sizes(passage(length=6))
