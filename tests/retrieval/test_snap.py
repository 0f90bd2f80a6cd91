"""Manifold snap and topic anchor, against the formulas written out."""

import numpy as np
import pytest

from nextvec.errors import MismatchError, UsageError
from nextvec.retrieval.index import ExactIndex
from nextvec.retrieval.snap import ManifoldSnap, SnapConfig, Snapped, unit


def rows(count: int, dim: int, seed: int, shared: float = 0.5) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((count, dim)) + shared
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


STORED = rows(400, 24, seed=0)


def snap(prediction: np.ndarray, query: np.ndarray, context: np.ndarray, config: SnapConfig | None = None) -> Snapped:
    return ManifoldSnap(ExactIndex(STORED), STORED, config).apply(prediction[None], query[None], context[None])[0]


def by_hand(prediction: np.ndarray, query: np.ndarray, context: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    similarities = STORED @ prediction
    best = np.argsort(-similarities)[:16]
    weights = np.maximum(similarities[best], 0)
    centre = unit((weights / weights.sum()) @ STORED[best])
    return unit(shares[0] * centre + shares[1] * unit(query) + shares[2] * unit(context))


def test_on_topic_the_anchor_is_light() -> None:
    prediction, query, context = rows(3, 24, seed=1, shared=1.5)
    done = snap(prediction, query, 3 * context)
    assert not done.clamped
    np.testing.assert_allclose(done.vector, by_hand(prediction, query, context, (0.75, 0.15, 0.10)), atol=1e-6)


@pytest.mark.parametrize("which", ["query", "context"])
def test_drift_from_either_side_clamps(which: str) -> None:
    prediction, query, context = rows(3, 24, seed=1, shared=1.5)
    if which == "query":
        query = -query
    else:
        context = -context
    done = snap(prediction, query, context)
    assert done.clamped
    np.testing.assert_allclose(done.vector, by_hand(prediction, query, context, (0.60, 0.25, 0.15)), atol=1e-6)


def test_it_reports_what_it_did() -> None:
    prediction, query, context = rows(3, 24, seed=1, shared=1.5)
    done = snap(prediction, query, context)
    assert done.rows.shape == done.weights.shape == (16,)
    assert done.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(done.similarities, STORED[done.rows] @ prediction, atol=1e-6)
    centre = unit(done.weights @ STORED[done.rows])
    assert done.snap_distance == pytest.approx(np.linalg.norm(prediction - centre), abs=1e-6)
    assert done.moved == pytest.approx(np.linalg.norm(prediction - done.vector), abs=1e-6)
    assert done.query_cosine == pytest.approx(centre @ query, abs=1e-6)
    assert np.linalg.norm(done.vector) == pytest.approx(1, abs=1e-6)


def test_a_stored_vector_alone_in_its_neighbourhood_stays() -> None:
    config = SnapConfig(neighbours=1, anchor={"snap": 1, "query": 0, "context": 0})
    done = snap(STORED[5], STORED[5], STORED[5], config)
    assert done.rows.tolist() == [5]
    assert done.moved == pytest.approx(0, abs=1e-5)


def test_without_a_positive_similarity_the_prediction_is_anchored_as_it_is() -> None:
    prediction = unit(-STORED.mean(axis=0))
    close = STORED[STORED @ prediction < 0]
    done = ManifoldSnap(ExactIndex(close), close).apply(prediction[None], prediction[None], prediction[None])[0]
    assert not done.weights.any()
    assert done.snap_distance == 0
    np.testing.assert_allclose(done.vector, prediction, atol=1e-6)


def test_a_batch_equals_one_at_a_time_and_may_exclude() -> None:
    predictions, queries, contexts = rows(7, 24, 1), rows(7, 24, 2), rows(7, 24, 3)
    manifold = ManifoldSnap(ExactIndex(STORED), STORED)
    together = manifold.apply(predictions, queries, contexts)
    for number, done in enumerate(together):
        alone = snap(predictions[number], queries[number], contexts[number])
        np.testing.assert_allclose(done.vector, alone.vector, atol=1e-6)
    excluded = np.ones(400, dtype=bool)
    excluded[[3, 9]] = False
    assert set(manifold.apply(predictions, queries, contexts, excluded)[0].rows) == {3, 9}


def test_weights_must_sum_to_one_and_unknown_options_are_refused() -> None:
    with pytest.raises(UsageError, match="expected 1"):
        SnapConfig.parse({"anchor": {"snap": 0.5, "query": 0.1, "context": 0.1}}, owner="snap")
    with pytest.raises(UsageError, match="'neighbours'"):
        SnapConfig.parse({"neighbors": 4}, owner="snap")


def test_shapes_that_disagree_are_refused() -> None:
    with pytest.raises(MismatchError, match="expected one shape"):
        ManifoldSnap(ExactIndex(STORED), STORED).apply(STORED[:2], STORED[:1], STORED[:2])
    with pytest.raises(MismatchError, match="built from"):
        ManifoldSnap(ExactIndex(STORED), STORED[:10])
