"""copy_ratio, spread, shuffled context and rollout on passages worked out by hand or by a slow loop."""

import numpy as np
import pytest
import torch

from nextvec.evaluation.metric import Passage, Setting, predict_last, sample_targets
from nextvec.evaluation.metrics import order
from nextvec.evaluation.metrics.copying import Copying
from nextvec.evaluation.metrics.order import Order
from nextvec.evaluation.metrics.rollout import Rollout
from nextvec.evaluation.metrics.spread import Spread
from nextvec.evaluation.pools import ForeignPool
from nextvec.models.forecast import Forecast
from nextvec.models.memory import Memory, latest
from nextvec.models.predictor import Predictor, PredictorSpec


def unit(shape, seed):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return x / x.norm(dim=-1, keepdim=True)


class Slow:
    """Reads on by going over everything again."""

    def __init__(self, predict):
        self.predict, self.spec = predict, PredictorSpec(name="slow", dim=8, context=None)

    def read(self, x_BTD, memory, breaks_BT=None, next_BT=None, heading=None):
        seen_BTD = latest(memory.kept, x_BTD)
        return Forecast(lambda: self.predict(seen_BTD, None)[:, -1:]), Memory(memory.owner, len(x_BTD), seen_BTD)

    start, step = Predictor.start, Predictor.step


def setting_of(predict=lambda x, mask: x, context=None):
    none = ForeignPool(vectors_PD=torch.zeros(0, 8), owner_P=torch.zeros(0, dtype=torch.long))
    mean = torch.zeros(8)
    return Setting(min_context=5, seed=0, train_mean_D=mean, foreign=none, context=context, predictor=Slow(predict))


def passage_of(vectors, predicted, doc_id="d"):
    return Passage(
        number=0, doc_id=doc_id, vectors_ND=vectors, predicted_MD=predicted, query_MD=predicted, topic_MD=predicted
    )


def order_of(setting, passage):
    metric = Order(setting)
    assert metric.measure(passage) == {}
    return {figure: part for figure, (part,) in metric.settle().items()}


def recording(predict):
    calls = []

    def wrapped(x_BTD, mask_BT):
        calls.append(x_BTD)
        return predict(x_BTD, mask_BT)

    return wrapped, calls


def last(x_BTD, mask_BT):
    return x_BTD


def mean(x_BTD, mask_BT):
    y_BTD = x_BTD.cumsum(dim=1)
    return y_BTD / y_BTD.norm(dim=-1, keepdim=True)


def test_copy_ratio_equals_the_slow_loop():
    vectors, predicted = unit((12, 8), 1), unit((7, 8), 2)
    part = Copying(setting_of()).measure(passage_of(vectors, predicted))["copy_ratio"]
    of_predictions = [max(float(predicted[j] @ vectors[j + i]) for i in range(5)) for j in range(7)]
    of_targets = [max(float(vectors[5 + j] @ vectors[j + i]) for i in range(5)) for j in range(7)]
    assert part.total == pytest.approx(sum(of_predictions), rel=1e-5)
    assert part.count == pytest.approx(sum(of_targets), rel=1e-5)


def test_copying_the_last_vector_copies_entirely():
    vectors = unit((12, 8), 3)
    part = Copying(setting_of()).measure(passage_of(vectors, vectors[4:-1]))["copy_ratio"]
    assert part.total == pytest.approx(7.0)


def test_spread_is_the_ratio_of_total_variances():
    metric, predicted, targets = Spread(setting_of()), [], []
    for seed, length in enumerate((9, 14, 6)):
        passage = passage_of(unit((length, 8), seed), unit((length - 5, 8), 10 + seed))
        assert metric.measure(passage) == {}
        predicted.append(passage.predicted_MD)
        targets.append(passage.target_MD)
    parts = metric.settle()["spread"]
    total = [torch.cat(side).var(dim=0, correction=0).sum() for side in (predicted, targets)]
    assert sum(p.total for p in parts) / sum(p.count for p in parts) == pytest.approx(float(total[0] / total[1]))


def test_shuffled_context_holds_the_same_vectors_in_another_order():
    predict, calls = recording(last)
    vectors = unit((30, 8), 4)
    order_of(setting_of(predict), passage_of(vectors, unit((25, 8), 5)))
    rows = sample_targets(0, "d", 5, 30, 4)
    for row, seen in zip(rows, calls, strict=True):
        given, written = seen[-2:]
        assert torch.equal(written, vectors[:row])
        assert not torch.equal(given, written)
        places = (given @ vectors.T).argmax(dim=1)
        assert sorted(places.tolist()) == list(range(row))


def test_a_predictor_of_limited_context_is_shuffled_within_it():
    predict, calls = recording(last)
    vectors = unit((30, 8), 4)
    order_of(setting_of(predict, context=5), passage_of(vectors, unit((25, 8), 5)))
    (given_and_written,) = calls
    for row, given, written in zip(sample_targets(0, "d", 5, 30, 4), *given_and_written.chunk(2), strict=True):
        assert torch.equal(written, vectors[row - 5 : row])
        places = (given @ vectors.T).argmax(dim=1)
        assert sorted(places.tolist()) == list(range(row - 5, row))


def test_paragraphs_are_no_order():
    """A predictor that answers with the truth where it is told of paragraphs: what is asked of order hides them."""
    vectors = unit((30, 8), 4)
    parts = order_of(setting_of(last), passage_of(vectors, vectors[5:]))
    assert parts["ordered_context"].total < parts["ordered_context"].count - 1


def test_order_means_nothing_to_a_mean_and_all_to_a_copy():
    vectors = unit((30, 8), 6)
    predicted = mean(vectors[None, :-1], None)[0, 4:]
    parts = order_of(setting_of(mean), passage_of(vectors, predicted))
    assert parts["shuffled_context"].total == pytest.approx(parts["ordered_context"].total, abs=1e-5)
    walk = torch.randn(60, 8, generator=torch.Generator().manual_seed(7)).cumsum(dim=0)
    walk = walk / walk.norm(dim=-1, keepdim=True)
    parts = order_of(setting_of(last), passage_of(walk, walk[4:-1]))
    assert parts["shuffled_context"].total < parts["ordered_context"].total


def test_targets_are_sampled_by_document_and_seed():
    assert sample_targets(0, "a", 5, 30, 4).tolist() == sample_targets(0, "a", 5, 30, 4).tolist()
    assert sample_targets(0, "a", 5, 300, 4).tolist() != sample_targets(0, "b", 5, 300, 4).tolist()
    assert sample_targets(0, "a", 5, 300, 4).tolist() != sample_targets(1, "a", 5, 300, 4).tolist()
    assert sample_targets(0, "a", 5, 7, 4).tolist() == [5, 6]
    assert sample_targets(0, "a", 5, 4, 4).tolist() == []


@pytest.mark.parametrize(("predict", "context"), [(mean, None), (last, 1)])
def test_rollout_equals_the_slow_loop(predict, context):
    vectors = unit((20, 8), 8)
    parts = Rollout(setting_of(predict, context)).measure(passage_of(vectors, unit((15, 8), 9)))
    expected = np.zeros(5)
    starts = sample_targets(0, "d", 5, 16, 4).tolist()
    for start in starts:
        seen = vectors[:start]
        for step in range(5):
            new = predict(seen[None], None)[0, -1]
            expected[step] += float(new @ vectors[start + step])
            seen = torch.cat([seen, new[None]])
    assert [parts[f"rollout@{h}"].total for h in range(1, 6)] == pytest.approx(expected.tolist(), abs=1e-5)
    assert {part.count for part in parts.values()} == {len(starts)}


def test_rollout_needs_five_vectors_ahead():
    assert Rollout(setting_of()).measure(passage_of(unit((9, 8), 10), unit((4, 8), 11))) == {}
    assert Rollout(setting_of()).measure(passage_of(unit((10, 8), 10), unit((5, 8), 11)))["rollout@5"].count == 1


def test_the_last_prediction_is_taken_at_each_sequences_own_end():
    sequences = [unit((length, 8), length) for length in (3, 1, 6, 3)]
    predict, calls = recording(mean)
    together = predict_last(Slow(predict), sequences)
    alone = torch.stack([mean(sequence[None], None)[0, -1] for sequence in sequences])
    torch.testing.assert_close(together, alone)
    assert [(len(x_BTD), x_BTD.shape[1]) for x_BTD in calls] == [(1, 1), (2, 3), (1, 6)]  # and nowhere else


def test_order_is_the_same_whether_documents_wait_for_each_other_or_not(monkeypatch):
    passages = [passage_of(vectors, vectors[5:], f"d{n}") for n in (30, 9, 6, 17) for vectors in [unit((n, 8), n)]]
    alone = [order_of(setting_of(mean), passage) for passage in passages]
    for at_once in (1, 100, 10_000):
        monkeypatch.setattr(order, "BATCH_POSITIONS", at_once)
        metric = Order(setting_of(mean))
        assert [metric.measure(passage) for passage in passages] == [{}] * 4
        for figure, parts in metric.settle().items():
            assert [part.total for part in parts] == pytest.approx([each[figure].total for each in alone], abs=1e-5)
            assert [part.count for part in parts] == [each[figure].count for each in alone]
