"""Batches hold every chunk once, keep to their budget, and say what is wanted after what."""

import itertools

import numpy as np
import pytest

from nextvec.decoding.inverter.network import BOUNDARY
from nextvec.training.inverter.chunks import (
    IGNORED,
    Chunks,
    Stream,
    Texts,
    disturbed,
    make_batch,
    make_hypothesis,
    token_batches,
)

LENGTHS = np.random.default_rng(0).integers(1, 40, size=300)


@pytest.fixture(scope="module")
def chunks():
    vectors = np.random.default_rng(1).standard_normal((3, 8)).astype(np.float16)
    return Chunks(texts=Texts.of([[5, 6, 7], [8], [9, 10]]), vectors=vectors / np.linalg.norm(vectors, axis=1)[:, None])


def unit(rows, dim=64):
    x = np.random.default_rng(2).standard_normal((rows, dim)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_what_is_wanted_is_what_is_given_one_token_later(chunks):
    batch = make_batch(chunks, np.array([0, 1]))
    assert batch.given_BL.tolist() == [[BOUNDARY, 5, 6, 7], [BOUNDARY, 8, BOUNDARY, BOUNDARY]]
    assert batch.wanted_BL.tolist() == [[5, 6, 7, BOUNDARY], [8, BOUNDARY, IGNORED, IGNORED]]
    assert batch.tokens == 6
    assert np.allclose(batch.target_BD.numpy(), chunks.vectors[:2])


def test_a_hypothesis_is_masked_where_it_ends(chunks):
    made = make_hypothesis(chunks, np.array([2, 0]))
    assert made.tokens_BH.tolist() == [[9, 10, BOUNDARY], [5, 6, 7]]
    assert made.keep_BH.tolist() == [[True, True, False], [True, True, True]]


def test_an_empty_hypothesis_has_a_place_too():
    empty = Chunks(texts=Texts.of([[], []]), vectors=unit(2, 8))
    assert make_hypothesis(empty, np.array([0, 1])).keep_BH.tolist() == [[False], [False]]


@pytest.mark.parametrize("seed", [None, (0, 0), (0, 1)])
def test_batches_hold_every_text_once_within_their_budget(seed):
    batches = token_batches(LENGTHS, 128, seed)
    assert sorted(np.concatenate(batches).tolist()) == list(range(300))
    assert all((LENGTHS[batch].max() + 1) * len(batch) <= 128 for batch in batches if len(batch) > 1)


def test_little_of_a_batch_is_padding():
    batches = token_batches(LENGTHS, 256, (0, 0))
    room = sum((LENGTHS[batch].max() + 1) * len(batch) for batch in batches)
    assert (LENGTHS + 1).sum() / room > 0.9


def test_a_text_above_the_budget_is_a_batch_of_its_own():
    assert [len(batch) for batch in token_batches(np.array([500, 2]), 64, None)] == [1, 1]


def test_a_stream_goes_on_where_another_was():
    whole = list(itertools.islice(iter(Stream(LENGTHS, 128, seed=3)), 200))
    first = Stream(LENGTHS, 128, seed=3)
    begun = list(itertools.islice(iter(first), 70))
    rest = itertools.islice(iter(Stream(LENGTHS, 128, seed=3, epoch=first.epoch, place=first.place)), 130)
    assert all(np.array_equal(one, other) for one, other in zip(whole, [*begun, *rest], strict=True))


def test_epochs_differ():
    stream = Stream(LENGTHS, 128, seed=0)
    count = stream.batches_an_epoch
    batches = list(itertools.islice(iter(stream), 2 * count))
    assert not all(np.array_equal(a, b) for a, b in zip(batches[:count], batches[count:], strict=False))


def test_noise_moves_no_vector_further_than_its_bound():
    vectors = unit(500)
    moved = disturbed(
        Chunks(texts=Texts.of([[2]] * 500), vectors=vectors), np.arange(500), noise=0.3, predicted=1.0, seed=(0,)
    )
    cosines = np.einsum("nd,nd->n", vectors, moved)
    assert np.allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    assert cosines.min() > np.sqrt(1 - 0.3**2) - 1e-3
    assert cosines.mean() < 0.999


def test_a_share_of_vectors_is_what_a_predictor_took_them_for():
    vectors = unit(1000)
    chunks = Chunks(texts=Texts.of([[2]] * 1000), vectors=vectors, predicted=-vectors)
    moved = disturbed(chunks, np.arange(1000), noise=0.0, predicted=0.25, seed=(1,))
    turned = np.einsum("nd,nd->n", vectors, moved) < 0
    assert 0.2 < turned.mean() < 0.3
    again = disturbed(chunks, np.arange(1000), noise=0.0, predicted=0.25, seed=(1,))
    assert np.array_equal(moved, again)
