import numpy as np
import pytest
import torch

from nextvec.models.baseline import fit_baseline, mean_cosine
from nextvec.models.baselines import knn
from nextvec.models.decay import decayed_means


def keys_of(x_BTD):
    return decayed_means(x_BTD, (knn.KEY_DECAY,))[:, :, 0]


def brute_force(query_QD, keys, successors, count):
    similarity = query_QD @ keys.T
    answers = []
    for row in similarity:
        near = np.argsort(-row)[:count]
        weight = np.exp(row[near] / knn.TEMPERATURE - row[near].max() / knn.TEMPERATURE)
        vote = (weight[:, None] / weight.sum() * successors[near]).sum(0)
        answers.append(vote / np.linalg.norm(vote))
    return np.array(answers)


@pytest.fixture(scope="module")
def parts(chain, make_batches):
    return make_batches(chain(count=20, seed=1)[0]), make_batches(chain(count=6, seed=2)[0])


def test_votes_equal_brute_force_over_the_tuned_neighbours(parts, gather):
    train, validation = parts
    baseline = fit_baseline("knn-successor", 8, train, validation)
    keys, successors = (part.astype(np.float16).astype(np.float64) for part in gather(train, keys_of))
    queries, target = gather(validation, keys_of)
    scores = {}
    for count in knn.NEIGHBOURS:
        scores[count] = float((brute_force(queries, keys, successors, count) * target).sum(1).mean())
    best = max(scores, key=scores.__getitem__)
    assert int(baseline.neighbours) == best
    assert mean_cosine(baseline.predict, validation) == pytest.approx(scores[best], abs=1e-4)


def test_fewer_contexts_than_neighbours(make_vectors, make_batches):
    batches = make_batches([make_vectors(3, 8)])
    baseline = fit_baseline("knn-successor", 8, batches, batches)
    assert len(baseline.keys) == 2
    assert mean_cosine(baseline.predict, batches) > 0.9


def test_at_most_so_many_contexts_are_kept_evenly_spread(monkeypatch, parts, gather):
    monkeypatch.setattr(knn, "MOST_CONTEXTS", 50)
    train, validation = parts
    baseline = fit_baseline("knn-successor", 8, train, validation)
    every, _ = gather(train, keys_of)
    stride = -(-len(every) // 50)
    assert len(baseline.keys) <= 50
    np.testing.assert_array_equal(baseline.keys.numpy(), every[::stride].astype(np.float16))


def test_queries_in_pieces_equal_queries_at_once(monkeypatch, parts, make_vectors):
    baseline = fit_baseline("knn-successor", 8, *parts)
    x_BTD = make_vectors(2, 11, 8)
    whole_BTD = baseline(x_BTD)
    monkeypatch.setattr(knn, "QUERIES_AT_ONCE", 3)
    torch.testing.assert_close(baseline(x_BTD), whole_BTD, atol=1e-6, rtol=0)
