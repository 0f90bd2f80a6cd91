"""Vectors in .npy files: floats of any kind are read as they are, everything else is refused by what it is."""

import gzip
import zipfile

import numpy as np
import pytest

from nextvec.errors import DataError, NotFoundError
from nextvec.store.npy import described, read_npy

VECTORS = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32)


@pytest.fixture
def saved(tmp_path):
    def save(array):
        path = tmp_path / "in.npy"
        np.save(path, array)
        return path

    return save


@pytest.mark.parametrize("dtype", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"])
@pytest.mark.parametrize("order", [np.ascontiguousarray, np.asfortranarray])
def test_floats_are_read_as_they_are(saved, dtype, order) -> None:
    given = order(VECTORS).astype(dtype)
    vectors, found = read_npy(saved(given))
    assert (vectors.dtype, found) == (np.float32, np.dtype(dtype))
    assert vectors.flags.c_contiguous
    assert (vectors == given.astype(np.float32)).all()


def test_the_order_of_bytes_is_told_where_it_is_not_the_machine_s() -> None:
    other = np.dtype(np.float32).newbyteorder()
    assert described(np.dtype(np.float32)) == "float32"
    assert described(other) == ("big-endian float32" if np.little_endian else "little-endian float32")


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.zeros((2, 3), np.int32), "holds int32, whole numbers, not vectors"),
        (np.zeros((2, 3), np.int8), "holds int8, whole numbers, not vectors: multiply quantised ones with their scale"),
        (np.zeros((2, 3), ">u8"), "holds big-endian uint64, whole numbers"),
        (np.zeros((2, 3), bool), "holds bool, true and false"),
        (np.zeros((2, 3), np.complex64), "holds complex64, complex numbers"),
        (np.array([[1.0, None]], object), "holds object, Python objects, which are never unpickled"),
        (np.array(["a"]), "holds str32, texts: encode them"),
        (np.array([b"a"]), "texts: encode them"),
        (np.zeros(2, [("x", "f4"), ("y", "f4", (3,))]), "records with fields"),
        (np.zeros((2, 3), "M8[s]"), "holds datetime64[s], not vectors"),
        (np.zeros((2, 3), np.longdouble), "Expected float16, float32 or float64"),
        (VECTORS[0], "holds one row of 8 numbers; expected (N, D): save array[None] for one vector"),
        (VECTORS[None], "has shape (1, 5, 8); expected (N, D)"),
        (np.float32(1), "has shape (); expected (N, D)"),
        (VECTORS[:0], "has shape (0, 8); expected (N, D), one vector or more"),
        (VECTORS[:, :0], "has shape (5, 0)"),
        (VECTORS.astype(np.float64) * 1e300, "vector 0 holds NaN, infinity or numbers beyond float32"),
    ],
)
def test_everything_else_is_refused_by_what_it_is(saved, array, told) -> None:
    path = saved(array)
    with pytest.raises(DataError) as error:
        read_npy(path)
    assert str(error.value).startswith(str(path))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_vector_that_is_not_finite_is_told(saved, value) -> None:
    vectors = VECTORS.copy()
    vectors[3, 1] = value
    with pytest.raises(DataError, match="vector 3 holds NaN, infinity"):
        read_npy(saved(vectors))


def damaged(content: bytes) -> dict[str, tuple[bytes, str]]:
    huge = content.replace(b"(5, 8)", b"(9999999999999, 8)").replace(b" " * 12 + b"\n", b"\n")
    return {
        "empty": (b"", "is no .npy file"),
        "a text": (b"0.1 0.2\n", "is no .npy file; expected one array"),
        "compressed": (gzip.compress(content), "is compressed by gzip; expected one array"),
        "another version": (content[:6] + b"\x09" + content[7:], "has version (9, 0) of .npy"),
        "cut in its header": (content[:30], "its header cannot be read"),
        "another header": (content[:12] + b"(" * 20 + content[32:], "its header cannot be read"),
        "cut": (content[:200], "is cut off: it holds 72 of 160 bytes"),
        "a claim": (huge, "is cut off: it holds 160 of 319,999,999,999,968 bytes"),
    }


@pytest.mark.parametrize("kind", list(damaged(b"")))
def test_a_damaged_file_is_told_before_memory_is_given_to_it(saved, kind) -> None:
    path = saved(VECTORS)
    content, told = damaged(path.read_bytes())[kind]
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_npy(path)
    assert told in str(error.value)
    assert len(str(error.value)) < 150 + len(str(path))


def test_an_archive_under_this_name_is_told_as_such(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "in.npy", "w") as archive:
        archive.writestr("a.npy", b"")
    with pytest.raises(DataError, match=r"is an \.npz archive or another zip"):
        read_npy(tmp_path / "in.npy")


def test_without_a_file_it_says_how_to_make_one(tmp_path) -> None:
    with pytest.raises(NotFoundError, match="write one with: nextvec encode"):
        read_npy(tmp_path / "in.npy")
