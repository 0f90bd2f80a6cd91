import numpy as np
import pytest

from nextvec.store.encoded import NORM_TOLERANCE, first_bad_vector


@pytest.mark.parametrize("tolerance", [NORM_TOLERANCE, np.inf])
@pytest.mark.parametrize("length", [0, 1e-9, 0.9899, 0.9901, 1, 1.0099, 1.0101, 2, 1e30, np.inf, np.nan])
def test_the_quick_look_finds_what_the_exact_one_finds(length, tolerance):
    vectors = np.eye(3, dtype=np.float32)
    vectors[1] *= 0
    vectors[1, 2] = length
    found = first_bad_vector(vectors, tolerance)
    assert found == first_bad_vector(vectors.astype(np.float64), tolerance)
    assert (found is None) == (0.99 < length < 1.01 or (tolerance > 1 and 0 < length < np.inf))


def test_no_vectors_hold_no_bad_one():
    assert first_bad_vector(np.empty((0, 3), np.float32)) is None
