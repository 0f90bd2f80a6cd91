"""Vectors that somebody gives: unit vectors as they are, others scaled or refused, always by their number."""

import numpy as np
import pytest

from nextvec.errors import DataError
from nextvec.store.given import NORM_TOLERANCE, directions, headings_ahead, is_unit, require_unit


@pytest.fixture
def unit():
    x = np.random.default_rng(0).standard_normal((4, 6, 32)).astype(np.float32)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def test_unit_vectors_are_taken_as_they_are(unit) -> None:
    assert require_unit(unit, ("context", "vector")) is unit
    assert is_unit(unit.astype(np.float16).astype(np.float32))
    assert is_unit(unit * (1 + 0.9 * NORM_TOLERANCE))


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0, "is zero"), (3.0, "has norm 3, not norm 1"), (np.nan, "is not finite"), (np.inf, "is not finite")],
)
def test_others_are_told_by_their_place(unit, value, told) -> None:
    wrong = unit.copy()
    wrong[2, 5] *= value
    wrong[3, 0] = 0
    assert not is_unit(wrong)
    with pytest.raises(DataError, match=f"^context 2, vector 5 {told}; expected vectors of norm 1"):
        require_unit(wrong, ("context", "vector"))


def test_numbers_beyond_single_precision_are_not_unit() -> None:
    assert not is_unit(np.full((1, 2), 1e30, np.float32))


def test_directions_have_norm_1_whatever_they_had(unit) -> None:
    rows = unit[0]
    scales = np.array([[1e-30], [1e-3], [1], [7], [1e6], [1e30]], np.float32)
    assert np.abs(directions(rows * scales) - rows).max() < 1e-6


@pytest.mark.parametrize(("value", "told"), [(0.0, "is zero"), (np.nan, "is not finite")])
def test_what_has_no_direction_is_told_by_its_number(unit, value, told) -> None:
    rows = unit[0].copy()
    rows[4] = value
    with pytest.raises(DataError, match=f"^in.npy: vector 4 {told}; expected finite numbers with a direction"):
        directions(rows, "in.npy: vector")


class TestHeadings:
    def test_each_is_told_ahead_of_the_chunk_that_stands_under_it(self, unit) -> None:
        one, two, none = unit[0][0], unit[0][1], np.zeros_like(unit[0][0])
        ahead, fresh = headings_ahead(np.stack([none, one, one, two, none]), 4, len(one))
        assert np.array_equal(ahead, np.stack([one, one, two, none]))
        assert fresh.tolist() == [True, False, True, False]

    def test_what_comes_stands_under_the_last_unless_it_is_told(self, unit) -> None:
        one, two = unit[0][:2]
        ahead, fresh = headings_ahead([one, two], 2, len(one))
        assert np.array_equal(ahead, np.stack([two, two]))
        assert fresh.tolist() == [True, False]

    @pytest.mark.parametrize("rows", [1, 4])
    def test_another_number_is_refused(self, unit, rows) -> None:
        with pytest.raises(DataError, match=r"got float32 of shape .* for headings; .* zeros for none"):
            headings_ahead(unit[0][:rows], 2, unit.shape[2])

    def test_what_is_neither_unit_nor_zero_is_told_by_its_number(self, unit) -> None:
        rows = unit[0][:3].copy()
        rows[0], rows[2] = 0, 3 * rows[2]
        with pytest.raises(DataError, match=r"^heading 2 has norm 3"):
            headings_ahead(rows, 3, unit.shape[2])
