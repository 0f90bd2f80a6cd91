import random

import pytest

from nextvec.encoders.inference.batches import equal_batches


@pytest.mark.parametrize("seed", range(5))
def test_every_text_once_with_its_equals_within_the_budget(seed):
    lengths = random.Random(seed).choices(range(2, 200), k=500)
    batches = list(equal_batches(lengths, budget=512))
    assert sorted(index for batch in batches for index in batch) == list(range(500))
    for batch in batches:
        assert len({lengths[index] for index in batch}) == 1
        assert sum(lengths[index] for index in batch) <= 512


def test_equal_lengths_fill_the_budget():
    assert [len(batch) for batch in equal_batches([10] * 7, budget=30)] == [3, 3, 1]


def test_text_longer_than_the_budget_is_a_batch_of_its_own():
    assert list(equal_batches([100, 3, 100], budget=50)) == [[1], [0], [2]]


def test_no_texts_no_batches():
    assert list(equal_batches([])) == []
