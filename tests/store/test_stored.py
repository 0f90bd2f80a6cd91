"""Vectors read from a corpus are those of the array: ranges, rows in any order, from several threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nextvec.errors import IntegrityError
from nextvec.store.vectors import open_snapshot


@pytest.fixture
def snapshot(kit, workspace):
    corpus = kit.corpus(workspace)
    for number in range(5):
        corpus.append([kit.encoded(f"d{number}", 4, seed=number)])
    return open_snapshot(workspace, "c")


def test_it_is_the_array_that_they_make(snapshot):
    stored, array = snapshot.stored, snapshot.vectors
    assert (stored.shape, stored.dtype, stored.nbytes, len(stored)) == (array.shape, array.dtype, array.nbytes, 20)
    np.testing.assert_array_equal(np.concatenate(list(stored.blocks())), array)


@pytest.mark.parametrize(
    "rows",
    [slice(3, 9), slice(0, 20), slice(18, 99), slice(4, 4), slice(None), *map(np.array, ([3, 7], [7, 3, 7, 19]))],
)
def test_rows_are_those_of_the_array(snapshot, rows):
    np.testing.assert_array_equal(snapshot.stored[rows], snapshot.vectors[rows])


def test_no_rows_are_none(snapshot):
    assert snapshot.stored[np.array([], np.int64)].shape == (0, 8)


def test_threads_read_what_one_reads(snapshot):
    asked = [np.random.default_rng(seed).integers(0, 20, 9) for seed in range(40)]
    with ThreadPoolExecutor(4) as readers:
        for rows, read in zip(asked, readers.map(snapshot.stored.__getitem__, asked), strict=True):
            np.testing.assert_array_equal(read, snapshot.vectors[rows])


def test_what_cannot_be_read_is_an_integrity_error(snapshot, workspace):
    for file in workspace.corpus("c").glob("data/*"):
        file.unlink()
    for rows in (slice(0, 3), np.array([0, 5])):
        with pytest.raises(IntegrityError, match=r"c\.lance is damaged: "):
            snapshot.stored[rows]


def test_all_of_it_is_copied_when_it_is_asked_for(snapshot):
    assert not snapshot.map_file.exists()
    assert len(snapshot) == 20
    assert snapshot.dim == 8
    assert not snapshot.map_file.exists()
    assert isinstance(snapshot.vectors, np.memmap)
    assert snapshot.map_file.exists()
