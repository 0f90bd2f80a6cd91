"""What differs between a file's arrays and those that are expected, in a line."""

from types import SimpleNamespace

import pytest

from nextvec.shapes import difference


def arrays(**shapes):
    return {name: SimpleNamespace(shape=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"a": (2, 3), "b": (5,)}, "1 of 2 tensors differ, for example b: (5,) in the file, (4,) expected"),
        ({"a": (2, 3)}, "1 of 2 tensors differ, for example b: none in the file, (4,) expected"),
        ({"a": (2, 3), "b": (4,), "c": ()}, "1 of 3 tensors differ, for example c: () in the file, none expected"),
        ({}, "2 of 2 tensors differ, for example a: none in the file, (2, 3) expected"),
    ],
)
def test_the_first_and_their_number(found, told):
    expected = arrays(a=(2, 3), b=(4,))
    assert difference(expected, arrays(**found), RuntimeError("size mismatch for a, b, c")) == told


def test_what_was_not_refused_is_no_difference():
    """Fitted numbers may have another size than a fresh baseline's."""
    refusal = RuntimeError("size mismatch for weight: copying a param with shape ...")
    told = difference(arrays(gram=(0,), weight=(3,)), arrays(gram=(9,), weight=(4,)), refusal)
    assert told == "1 of 2 tensors differ, for example weight: (4,) in the file, (3,) expected"


def test_thousands_of_names_are_a_line():
    many = {f"layers.{number}.weight": (8, 8) for number in range(1000)}
    told = difference(arrays(**many), {}, RuntimeError(f"Missing keys: {', '.join(many)}"))
    assert told.startswith("1000 of 1000 tensors differ, for example layers.0.weight: none in the file, ")
    assert len(told) < 120


def test_a_library_s_own_words_are_cut():
    assert difference({}, {}, RuntimeError("one\n\ttwo")) == "one two"
    assert len(difference({}, {}, RuntimeError("x" * 5000))) == 200
