"""Requests that read on together: the same as each alone, whatever they have read before."""

import numpy as np
import pytest

from nextvec.continuation.contexts import Context
from nextvec.continuation.steps import ReadQuery, read_all
from nextvec.models.baseline import BASELINES
from nextvec.models.network import build_network

DIM = 6
KINDS = ("gru", "transformer", "windows", "ridge")


def predictor(kind):
    if kind in BASELINES:
        baseline = BASELINES.get(kind)(DIM)
        baseline.matrix.normal_()
        return baseline
    architecture, context = ("gru", 3) if kind == "windows" else (kind, None)
    return build_network(architecture, DIM, {"width": 8, "layers": 1}, anchor="none", context=context)


class Listening:
    """A predictor that keeps how many documents it was asked about at once."""

    def __init__(self, predictor):
        self.predictor, self.start, self.asked = predictor, predictor.start, []

    def read(self, x_BTD, *rest):
        self.asked.append(tuple(x_BTD.shape[:2]))
        return self.predictor.read(x_BTD, *rest)


def contexts(*lengths):
    random = np.random.default_rng(0)
    rows = (random.standard_normal((length, DIM)).astype(np.float32) for length in lengths)
    return [Context.untold(row / np.linalg.norm(row, axis=1, keepdims=True)) for row in rows]


def going_on(begun, following):
    return [ReadQuery(context=new, memory=before.memory) for new, before in zip(following, begun, strict=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_company_changes_nothing(kind):
    asked = predictor(kind)
    texts, following = contexts(4, 7, 4, 1), contexts(1, 1, 1, 1)
    begun = read_all(asked, [ReadQuery(context=text) for text in texts])
    together = read_all(asked, going_on(begun, following))
    for text, new, found in zip(texts, following, together, strict=True):
        (alone,) = read_all(asked, [ReadQuery(context=text.then(new.vectors[0]))])
        np.testing.assert_allclose(found.prediction, alone.prediction, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "steps"),
    [("gru", {(4, 1)}), ("transformer", {(2, 1), (1, 1)}), ("windows", {(3, 1), (1, 1)})],
)
def test_steps_are_shared_where_memories_can_be_joined(kind, steps):
    """Attention keeps every position, so its memories are joined at equal ages; windows when they are full."""
    asked = Listening(predictor(kind))
    begun = read_all(asked, [ReadQuery(context=text) for text in contexts(4, 7, 4, 1)])
    assert sorted(asked.asked) == [(1, 1), (1, 7), (2, 4)]
    asked.asked.clear()
    read_all(asked, going_on(begun, contexts(1, 1, 1, 1)))
    assert set(asked.asked) == steps


@pytest.mark.parametrize("kind", KINDS)
def test_who_keeps_the_forecast_reads_alone(kind):
    """What it says is then the same to the last bit, whoever else is served."""
    asked = Listening(predictor(kind))
    first, *others = contexts(4, 4, 4)
    kept, *shared = read_all(
        asked, [ReadQuery(context=first, keep=True), *(ReadQuery(context=other) for other in others)]
    )
    assert sorted(asked.asked) == [(1, 4), (2, 4)]
    assert [other.forecast for other in shared] == [None, None]
    assert kept.forecast.point.shape == (1, 1, DIM)
    np.testing.assert_array_equal(kept.forecast.point[0, 0].numpy(), kept.prediction)
    (alone,) = read_all(asked, [ReadQuery(context=first, keep=True)])
    np.testing.assert_array_equal(kept.prediction, alone.prediction)
