"""Which words a vector tells: the log ratio of Gaussians, block by block as at once."""

import numpy as np
import pytest
import torch

from nextvec.decoding.discriminant import PRIOR, Discriminant, Moments

TEXTS, DIM, WORDS = 4000, 6, 5


@pytest.fixture(scope="module")
def texts():
    """Each text has one of words 0, 1, 2, whose texts' vectors lie about centres of their own; every one has word 3."""
    random = np.random.default_rng(0)
    which = random.integers(0, 3, TEXTS)
    centres = 0.3 * random.standard_normal((3, DIM))
    mixing = random.standard_normal((DIM, DIM))
    vectors = (centres[which] + random.standard_normal((TEXTS, DIM)) @ mixing * 0.2).astype(np.float32)
    return vectors, [np.array([word, 3, 3]) for word in which], which


def moments_of(vectors, has, blocks=1):
    moments = Moments(DIM, WORDS)
    for rows in np.array_split(np.arange(len(vectors)), blocks):
        moments.add(vectors[rows], [has[row] for row in rows])
    return moments


def slow(vectors, which):
    """Densities of both Gaussians, without shrinking a covariance: PRIOR texts at the mean are added to each word."""
    mean, covariance = vectors.mean(axis=0), np.cov(vectors.T, bias=True)
    covariance += 0.1 * covariance.diagonal().mean() * np.eye(DIM)
    ratios = []
    for word in range(3):
        own = vectors[which == word]
        centre = (own.sum(axis=0) + PRIOR * mean) / (len(own) + PRIOR)

        def log_density(at):
            away = vectors - at
            return -0.5 * np.einsum("nd,de,ne->n", away, np.linalg.inv(covariance), away)

        ratios.append(log_density(centre) - log_density(mean))
    return np.stack(ratios, axis=1)


@pytest.mark.parametrize("blocks", [1, 7])
def test_it_is_the_log_ratio_of_two_gaussians(texts, blocks):
    vectors, has, which = texts
    found = Discriminant.of(moments_of(vectors, has, blocks))
    ratios = torch.from_numpy(vectors) @ found.weight.T + found.bias
    assert np.allclose(ratios[:, :3], slow(vectors.astype(np.float64), which), atol=1e-3)


def test_a_word_of_all_texts_or_of_none_says_nothing(texts):
    found = Discriminant.of(moments_of(*texts[:2]))
    assert found.weight[3:].abs().max() < 1e-4
    assert found.bias[3:].abs().max() < 1e-4
    assert not found.weight[4].any()


def test_texts_that_are_all_alike_say_nothing():
    same = np.ones((4, DIM), dtype=np.float32)
    found = Discriminant.of(moments_of(same, [np.array([0])] * 4))
    assert torch.isfinite(found.weight).all()
    assert not found.weight.any()
