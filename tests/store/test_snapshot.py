from __future__ import annotations

import shutil

import numpy as np
import pytest

from nextvec.errors import DataError, IntegrityError, NotFoundError
from nextvec.store.snapshot import Snapshot, load_vectors
from nextvec.store.vectors import Corpus, open_snapshot


@pytest.fixture
def stored(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("a", 4), kit.encoded("b", 3)])
    return workspace


def test_vectors_are_a_read_only_map_of_a_cache_file(stored):
    snapshot = open_snapshot(stored, "c")
    assert isinstance(snapshot.vectors, np.memmap)
    assert not snapshot.vectors.flags.writeable
    (cached,) = stored.cache.iterdir()
    assert cached.name == f"vectors-{snapshot.fingerprint}.npy"
    np.testing.assert_array_equal(np.load(cached), snapshot.vectors)


@pytest.mark.parametrize("content", [b"", b"not an array", None])
def test_a_bad_cache_is_rebuilt(stored, content):
    expected = np.array(open_snapshot(stored, "c").vectors)
    (cached,) = stored.cache.iterdir()
    cached.write_bytes(cached.read_bytes()[:-1] if content is None else content)
    np.testing.assert_array_equal(open_snapshot(stored, "c").vectors, expected)


def test_a_cache_with_holes_is_rebuilt(stored):
    expected = np.array(open_snapshot(stored, "c").vectors)
    (cached,) = stored.cache.iterdir()
    np.save(cached, np.concatenate([expected[:3], np.zeros_like(expected[3:])]))
    np.testing.assert_array_equal(open_snapshot(stored, "c").vectors, expected)


def test_a_cache_of_another_shape_is_rebuilt(stored):
    expected = np.array(open_snapshot(stored, "c").vectors)
    (cached,) = stored.cache.iterdir()
    np.save(cached, expected[:-1])
    np.testing.assert_array_equal(open_snapshot(stored, "c").vectors, expected)
    assert len(list(stored.cache.iterdir())) == 1


def test_a_failed_build_leaves_nothing(tmp_path):
    def blocks():
        yield np.ones((2, 3), dtype=np.float16)
        raise ConnectionError("the store went away")

    with pytest.raises(ConnectionError):
        load_vectors(tmp_path / "v.npy", (4, 3), np.dtype(np.float16), blocks())
    assert list(tmp_path.iterdir()) == []


def test_fewer_vectors_than_promised_is_an_integrity_error(tmp_path):
    with pytest.raises(IntegrityError, match=r"not \(4, 3\) float16"):
        load_vectors(tmp_path / "v.npy", (4, 3), np.dtype(np.float16), [np.ones((2, 3), dtype=np.float16)])


@pytest.mark.parametrize("anew", [False, True])
def test_that_of_a_corpus_that_was_removed_says_so(kit, stored, anew):
    Corpus.open(stored, "c").tag("kept")
    snapshot = open_snapshot(stored, "c@kept")
    shutil.rmtree(stored.corpus("c"))
    if anew:
        kit.corpus(stored)
    told = r"c\.lance is gone: it was removed, renamed or made anew\. See: nextvec corpus list"
    for read in (lambda: snapshot.texts([0]), lambda: snapshot.stored[:1], snapshot.require_there):
        with pytest.raises(NotFoundError, match=told):
            read()


def test_an_empty_corpus_has_a_snapshot(kit, workspace):
    kit.corpus(workspace)
    snapshot = open_snapshot(workspace, "c")
    assert snapshot.vectors.shape == (0, 8)
    assert snapshot.offsets.tolist() == [0]
    assert snapshot.documents == []
    assert snapshot.texts([]) == []


def test_rows_outside_are_refused(stored):
    snapshot = open_snapshot(stored, "c")
    with pytest.raises(DataError, match=r"expected 0\.\.6"):
        snapshot.texts([7])
    with pytest.raises(DataError, match=r"expected 0\.\.6"):
        snapshot.texts(np.array([-1]))


def test_from_arrays_is_a_snapshot_in_memory(kit):
    vectors = kit.vectors(5)
    snapshot = Snapshot.from_arrays("x", vectors, [0, 2, 5], ["a", "b"], encoder=kit.spec, texts=list("vwxyz"))
    assert snapshot.dim == 8
    assert snapshot.lengths.tolist() == [2, 3]
    assert snapshot.texts([4, 0]) == ["z", "v"]
    assert not snapshot.vectors.flags.writeable
    assert vectors.flags.writeable
    same = Snapshot.from_arrays("y", vectors, [0, 2, 5], ["a", "b"], encoder=kit.spec, texts=list("vwxyz"))
    assert snapshot.fingerprint == same.fingerprint
    other = Snapshot.from_arrays("x", vectors, [0, 3, 5], ["a", "b"], encoder=kit.spec, texts=list("vwxyz"))
    assert snapshot.fingerprint != other.fingerprint


def test_from_arrays_without_texts_says_so(kit):
    snapshot = Snapshot.from_arrays("x", kit.vectors(2), [0, 2], ["a"], encoder=kit.spec)
    with pytest.raises(NotFoundError, match="built without texts"):
        snapshot.texts([0])


@pytest.mark.parametrize(
    ("rows", "dim", "offsets", "ids", "texts"),
    [
        (5, 7, [0, 5], ["a"], None),
        (5, 8, [0, 4], ["a"], None),
        (5, 8, [0, 3, 3, 5], ["a", "b", "c"], None),
        (5, 8, [0, 5], ["a", "b"], None),
        (5, 8, [1, 5], ["a"], None),
        (5, 8, [0, 5], ["a"], ["one"]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(kit, rows, dim, offsets, ids, texts):
    with pytest.raises(DataError, match="expected"):
        Snapshot.from_arrays("x", kit.vectors(rows, dim=dim), offsets, ids, encoder=kit.spec, texts=texts)
