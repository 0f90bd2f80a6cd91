"""Rows in memory and rows on disk are the same rows, in batches, in fits and in what is trained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from nextvec.sequences import rows
from nextvec.sequences.batches import Batch, DocumentBatches, SpanBatches, WindowBatches
from nextvec.sequences.rows import MappedRows, ResidentRows, VectorRows, place_rows, rows_of
from nextvec.sequences.windows import target_rows

LENGTHS = [3, 9, 17, 5, 40, 12]
OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])


@pytest.fixture(params=[np.float16, np.float32])
def array(request: pytest.FixtureRequest, tmp_path: Path) -> np.ndarray:
    made = np.random.default_rng(0).standard_normal((OFFSETS[-1], 8)).astype(request.param)
    np.save(tmp_path / "rows.npy", made)
    return np.load(tmp_path / "rows.npy", mmap_mode="r")


def kinds(array: np.ndarray) -> tuple[ResidentRows | MappedRows, ResidentRows | MappedRows]:
    return place_rows(array, "cpu", "resident"), place_rows(array, "cpu", "mapped")


def batches(vectors: VectorRows) -> Iterator[Batch]:
    documents = np.arange(len(LENGTHS))
    yield from DocumentBatches(vectors, OFFSETS, documents, 32)
    yield from WindowBatches(vectors, target_rows(OFFSETS, documents, 4), 4, 8, seed=1).epoch(0)
    bases = {"point": vectors}
    yield from SpanBatches(vectors, OFFSETS, documents, 8, 32, seed=1, bases=bases).epoch(1)


def test_what_is_gathered_is_the_same(array: np.ndarray) -> None:
    resident, mapped = kinds(array)
    index = torch.tensor([[5, 5, 0], [80, 2, 5]])
    assert (resident.kind, mapped.kind) == ("resident", "mapped")
    assert resident.shape == mapped.shape == (86, 8)
    np.testing.assert_array_equal(mapped.gather(index), array[index.numpy()].astype(np.float32))
    assert torch.equal(resident.gather(index), mapped.gather(index))
    assert mapped.gather(index).dtype == torch.float32
    assert mapped.gather(index[:0]).shape == (0, 3, 8)


def test_batches_are_the_same(array: np.ndarray) -> None:
    resident, mapped = kinds(array)
    for left, right in zip(batches(resident), batches(mapped), strict=True):
        assert torch.equal(left.x_BTD, right.x_BTD)
        assert torch.equal(left.target_BTD, right.target_BTD)
        assert all(torch.equal(left.bases[name], right.bases[name]) for name in left.bases)


def test_what_is_put_into_rows_alike_is_gathered(array: np.ndarray) -> None:
    for kind in kinds(array):
        alike = kind.like(3)
        assert alike.kind == kind.kind
        alike.put(torch.tensor([4, 1]), torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).half())
        found = alike.gather(torch.tensor([[0, 1], [4, 4]]))
        expected = [[[0.0, 0.0, 0.0], [4.0, 5.0, 6.0]], [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]]
        assert found.tolist() == expected


def test_rows_stay_on_disk_where_they_do_not_fit(array: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place_rows(array, "cpu").kind == "resident"
    monkeypatch.setattr(rows, "free_memory", lambda device: array.nbytes)
    assert place_rows(array, "cpu").kind == "mapped"
    assert place_rows(array, "cpu", "resident").kind == "resident"


def test_free_memory_is_some() -> None:
    assert rows.free_memory(torch.device("cpu")) > 1 << 20


def test_rows_are_taken_as_they_are_given(array: np.ndarray) -> None:
    _, mapped = kinds(array)
    assert rows_of(mapped) is mapped
    tensor = torch.zeros(2, 3)
    shared = rows_of(tensor)
    assert isinstance(shared, ResidentRows)
    assert shared.tensor_ND is tensor
