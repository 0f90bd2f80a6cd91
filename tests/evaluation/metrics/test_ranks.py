import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nextvec.evaluation.metric import Passage, Setting
from nextvec.evaluation.metrics.ranks import Ranks, rank_parts
from nextvec.evaluation.pools import POOLS, ForeignPool
from nextvec.models.baselines.means import CopyLast

from ..topics import slow_query


def unit(shape, seed):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return x / x.norm(dim=-1, keepdim=True)


def setting_of(foreign, owners, min_context=5):
    return Setting(
        min_context=min_context,
        seed=0,
        train_mean_D=torch.zeros(foreign.shape[1]),
        foreign=ForeignPool(vectors_PD=foreign, owner_P=torch.tensor(owners)),
        context=None,
        predictor=CopyLast(foreign.shape[1]),
    )


def passage_of(vectors, predicted, number=0):
    return Passage(
        number=number, doc_id="d", vectors_ND=vectors, predicted_MD=predicted, query_MD=predicted, topic_MD=predicted
    )


def slow_rank(prediction, target, others):
    """Sorted by hand in double precision; tied candidates share the average of their places."""
    own = float(prediction.double() @ target.double())
    scores = [float(prediction.double() @ other.double()) for other in others]
    closer = sum(score > own + 1e-6 for score in scores)
    tied = sum(abs(score - own) <= 1e-6 for score in scores)
    return closer + np.mean([1 + place for place in range(tied + 1)])


def slow_parts(vectors, predicted, foreign, owners, number, k=5):
    ranks = {pool: [] for pool in POOLS}
    for j, prediction in enumerate(predicted):
        row = k + j
        rest = [i for i in range(len(vectors)) if i != row]
        ranks["document+context"].append(slow_rank(prediction, vectors[row], vectors[rest]))
        outside = [i for i in rest if not row - k <= i < row]
        ranks["document"].append(slow_rank(prediction, vectors[row], vectors[outside]))
        if row + 1 < len(vectors):
            ranks["ahead"].append(slow_rank(prediction, vectors[row], vectors[row + 1 :]))
        others = [v for v, owner in zip(foreign, owners, strict=True) if owner != number]
        ranks["foreign-10k"].append(
            slow_rank(F.normalize(slow_query(prediction, foreign), dim=0), vectors[row], others)
        )
    others, after = 1 + sum(owner != number for owner in owners), range(len(predicted), 1, -1)
    sizes = {
        "document": len(vectors) - k,
        "ahead": list(after),
        "document+context": len(vectors),
        "foreign-10k": others,
    }
    parts = {}
    for pool, column in ranks.items():
        parts.update(rank_parts(pool, np.array(column), np.broadcast_to(sizes[pool], len(column))))
    return parts


@pytest.mark.parametrize("duplicates", [False, True])
def test_ranks_equal_the_slow_ones(duplicates):
    vectors, foreign, owners = unit((23, 8), 1), unit((50, 8), 2), [0] * 5 + [1] * 20 + [-1] * 25
    predicted = vectors[5:] + 0.3 * unit((18, 8), 3)
    predicted = predicted / predicted.norm(dim=-1, keepdim=True)
    if duplicates:
        vectors[12], vectors[9], foreign[30] = vectors[7], vectors[7], vectors[15]
    fast = Ranks(setting_of(foreign, owners)).measure(passage_of(vectors, predicted))
    slow = slow_parts(vectors, predicted, foreign, owners, 0)
    assert fast.keys() == slow.keys()
    for name in slow:
        assert fast[name].total == pytest.approx(slow[name].total, rel=1e-6), name


def test_blocks_of_targets_change_nothing(monkeypatch):
    vectors, foreign = unit((40, 8), 1), unit((30, 8), 2)
    setting, passage = setting_of(foreign, [1] * 30), passage_of(vectors, unit((35, 8), 3))
    whole = Ranks(setting).measure(passage)
    monkeypatch.setattr("nextvec.evaluation.pools._BLOCK_CELLS", 3 * 40)
    assert Ranks(setting).measure(passage) == whole


def test_ties_take_the_average_rank():
    vectors = torch.eye(8)[[0, 1, 2, 3, 4, 5, 5, 5, 6]]
    predicted = torch.eye(8)[[5, 5, 5, 6]]
    parts = Ranks(setting_of(torch.eye(8)[:0], [])).measure(passage_of(vectors, predicted))
    ranks = 1 / parts["mrr[document+context]"].total
    assert parts["mrr[document+context]"].total == pytest.approx(3 / 2 + 1), ranks
    assert parts["recall@1[document+context]"].total == 1


def test_equal_vectors_tie_wherever_a_product_places_them():
    target = unit((1, 384), 4)
    vectors = torch.cat([unit((9, 384), 5), target])
    foreign = torch.cat([unit((997, 384), 6), target.expand(3, -1)])
    predicted = unit((5, 384), 7)
    predicted[-1] = target
    parts = Ranks(setting_of(foreign, [-1] * 1000)).measure(passage_of(vectors, predicted))
    alone = Ranks(setting_of(foreign[:997], [-1] * 997)).measure(passage_of(vectors, predicted))
    assert alone["recall@1[foreign-10k]"].total - parts["recall@1[foreign-10k]"].total == 1


def test_copying_the_context_is_punished_where_the_context_is_a_candidate():
    vectors = unit((20, 8), 8)
    parts = Ranks(setting_of(vectors[:0], [])).measure(passage_of(vectors, vectors[4:-1]))
    assert parts["recall@1[document+context]"].total == 0
    assert parts["mrr[document]"].total > parts["mrr[document+context]"].total


def test_pool_sizes_and_chance():
    vectors = unit((20, 8), 9)
    parts = Ranks(setting_of(unit((30, 8), 10), [0] * 10 + [2] * 20)).measure(passage_of(vectors, unit((15, 8), 11)))
    sizes = {pool: parts[f"pool_size[{pool}]"].total / parts[f"pool_size[{pool}]"].count for pool in POOLS}
    assert sizes == {"document": 15, "ahead": 8.5, "document+context": 20, "foreign-10k": 21}
    assert parts["recall@5[document]"].chance == pytest.approx(15 * 5 / 15)
    assert parts["recall@10[foreign-10k]"].chance == pytest.approx(15 * 10 / 21)
    assert parts["mrr[document+context]"].chance == pytest.approx(15 * np.mean(1 / np.arange(1, 21)))
    assert parts["rank_norm[document]"].chance == 7.5


def test_a_pool_of_one_has_no_normalised_rank():
    vectors = unit((6, 8), 12)
    parts = Ranks(setting_of(vectors[:0], [])).measure(passage_of(vectors, unit((1, 8), 13)))
    assert "rank_norm[document]" not in parts
    assert parts["mrr[document]"].total == 1.0
    assert "mrr[foreign-10k]" not in parts
    assert not [name for name in parts if "[ahead]" in name]


def test_every_target_but_the_last_has_its_own_pool_ahead():
    vectors, size = unit((20, 8), 14), np.arange(15, 1, -1)
    parts = Ranks(setting_of(vectors[:0], [])).measure(passage_of(vectors, unit((15, 8), 15)))
    assert {part.count for name, part in parts.items() if "[ahead]" in name} == {14}
    assert parts["mrr[ahead]"].chance == pytest.approx(sum(np.mean(1 / np.arange(1, n + 1)) for n in size))
    assert parts["recall@5[ahead]"].chance == pytest.approx(sum(min(1, 5 / n) for n in size))
    assert parts["rank_norm[ahead]"].chance == 7


def test_what_was_said_costs_nothing_ahead():
    """Each query is nearer to what the document began with than to its target."""
    vectors = torch.eye(12)[[11] * 5 + [0, 1, 2, 3, 4, 5]]
    predicted = F.normalize(vectors[:1] + 0.5 * vectors[5:], dim=-1)
    parts = Ranks(setting_of(vectors[:0], [])).measure(passage_of(vectors, predicted))
    assert parts["mrr[document]"].total == pytest.approx(sum(1 / (1 + said) for said in range(6)), rel=1e-6)
    assert parts["mrr[ahead]"].total == parts["recall@1[ahead]"].total == 5
