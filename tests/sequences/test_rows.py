"""Rows in memory and rows on disk are the same rows, in batches, in fits and in what is trained."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from nextvec.corpus.document import Chunk, Document
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import FullDiskError, IntegrityError
from nextvec.sequences import rows
from nextvec.sequences.batches import Batch, DocumentBatches, SpanBatches, WindowBatches
from nextvec.sequences.rows import (
    AHEAD,
    TOGETHER,
    Place,
    ResidentRows,
    Rows,
    ShardedRows,
    VectorRows,
    place_rows,
    rows_of,
)
from nextvec.sequences.splits import split_snapshot
from nextvec.sequences.windows import target_rows
from nextvec.store.encoded import EncodedDocument
from nextvec.store.snapshot import Snapshot
from nextvec.store.stored import VectorSource
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

PLACES: tuple[Place, ...] = ("resident", "mapped", "sharded")
SPLIT = {"salt": "nextvec", "test": 250, "validation": 500}
LENGTHS = [3, 9, 17, 5, 40, 12]
OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])


@pytest.fixture(params=[np.float16, np.float32])
def array(request: pytest.FixtureRequest) -> np.ndarray:
    made = np.random.default_rng(0).standard_normal((OFFSETS[-1], 8))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(request.param)


@pytest.fixture
def snapshot(array: np.ndarray, tmp_path: Path) -> Snapshot:
    """A corpus of these vectors."""
    spec, workspace = EncoderSpec(name="random", dim=array.shape[1]), Workspace(tmp_path / "workspace")
    corpus = Corpus.create(workspace, "c", encoder=spec, chunker={"name": "none"}, split=SPLIT, dtype=str(array.dtype))
    for number, (first, end) in enumerate(pairwise(OFFSETS.tolist())):
        chunks = [Chunk(text=str(row), position=row - first, start=0, end=1) for row in range(first, end)]
        document = Document(id=f"d{number}", title="", text="", source="random", licence="CC0-1.0")
        corpus.append([EncodedDocument(document=document, chunks=chunks, vectors=array[first:end])])
    return corpus.snapshot()


def kinds(snapshot: Snapshot) -> list[Rows]:
    return [place_rows(snapshot, "cpu", place) for place in PLACES]


def batches(vectors: VectorRows) -> Iterator[Batch]:
    documents = np.arange(len(LENGTHS))
    yield from DocumentBatches(vectors, OFFSETS, documents, 32)
    yield from WindowBatches(vectors, target_rows(OFFSETS, documents, 4), 4, 8, seed=1).epoch(0)
    bases = {"point": vectors}
    yield from SpanBatches(vectors, OFFSETS, documents, 8, 32, seed=1, bases=bases).epoch(1)


def test_what_is_gathered_is_the_same(array: np.ndarray, snapshot: Snapshot) -> None:
    index = torch.tensor([[5, 5, 0], [80, 2, 5]])
    for place, kind in zip(PLACES, kinds(snapshot), strict=True):
        assert kind.kind == place
        assert kind.shape == (86, 8)
        np.testing.assert_array_equal(kind.gather(index), array[index.numpy()].astype(np.float32))
        assert kind.gather(index).dtype == torch.float32
        assert kind.gather(index[:0]).shape == (0, 3, 8)


def test_what_is_gathered_one_after_another_is_what_is_gathered(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    indexes = [random.integers(0, 86, random.integers(1, 30)) for _ in range(24)]
    monkeypatch.setattr(rows, "TOGETHER", 50)
    for kind in kinds(snapshot):
        for index, got in zip(indexes, kind.gather_each(indexes), strict=True):
            assert torch.equal(got, kind.gather(torch.from_numpy(index)))


def test_batches_are_the_same(snapshot: Snapshot) -> None:
    resident, *others = kinds(snapshot)
    for other in others:
        for left, right in zip(batches(resident), batches(other), strict=True):
            assert torch.equal(left.x_BTD, right.x_BTD)
            assert torch.equal(left.target_BTD, right.target_BTD)
            assert all(torch.equal(left.bases[name], right.bases[name]) for name in left.bases)


class Source:
    """An array that notes what is read, and how far that is ahead."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.reads = array, array.shape, 0

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        self.reads += 1
        assert (np.diff(rows) > 0).all()
        if (rows == 13).any():
            raise IntegrityError("a bad place")
        return self.array[rows]


def asked(source: Source, indexes: list[list[int]]) -> Iterator[Tensor]:
    return ShardedRows(cast("VectorSource", source)).gather_each(map(np.array, indexes))


def test_shards_are_read_ahead_and_not_further(array: np.ndarray) -> None:
    source = Source(array)
    gathered = asked(source, [[1, 0, 1] * TOGETHER] * 100)
    assert source.reads == 0
    next(gathered)
    assert source.reads <= AHEAD + 1
    for _ in range(10):
        next(gathered)
    gathered.close()  # type: ignore[attr-defined]
    assert 11 <= source.reads <= AHEAD + 11


def test_small_batches_are_read_together(array: np.ndarray) -> None:
    source = Source(array)
    assert [len(each) for each in asked(source, [[1, 0, 1], [5]] * 100)] == [3, 1] * 100
    assert source.reads == 1


def test_what_cannot_be_read_ahead_fails_when_its_turn_comes(array: np.ndarray) -> None:
    gathered = asked(Source(array), [[0] * TOGETHER, [1] * TOGETHER, [13], [2]])
    assert [len(next(gathered)), len(next(gathered))] == [TOGETHER, TOGETHER]
    with pytest.raises(IntegrityError, match="a bad place"):
        next(gathered)


def test_long_runs_are_read_in_parts(array: np.ndarray, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "RUN", 7)
    index = torch.from_numpy(np.delete(np.arange(len(array)), [3, 40, 41]))
    assert torch.equal(place_rows(snapshot, "cpu", "mapped").gather(index), torch.from_numpy(array)[index].float())


def test_a_file_that_was_cut_short_is_an_error(snapshot: Snapshot) -> None:
    mapped = place_rows(snapshot, "cpu", "mapped")
    file = snapshot.map_file
    assert file is not None
    os.truncate(file, file.stat().st_size - 1)
    with pytest.raises(IntegrityError, match="86 vectors has become shorter"):
        mapped.gather(torch.tensor([0, 85]))


def test_a_file_that_is_gone_is_read_all_the_same(array: np.ndarray, snapshot: Snapshot) -> None:
    mapped, index = place_rows(snapshot, "cpu", "mapped"), torch.tensor([85, 2])
    file = snapshot.map_file
    assert file is not None
    file.unlink()
    again = place_rows(snapshot, "cpu", "mapped")
    for each in (mapped, again):
        assert torch.equal(each.gather(index), torch.from_numpy(array)[index].float())


def test_shards_need_no_copy(snapshot: Snapshot) -> None:
    list(batches(place_rows(snapshot, "cpu", "sharded")))
    split_snapshot(snapshot)
    assert snapshot.map_file is not None
    assert not snapshot.map_file.exists()
    place_rows(snapshot, "cpu", "mapped")
    assert snapshot.map_file.exists()


def test_what_is_put_into_rows_alike_is_gathered(snapshot: Snapshot) -> None:
    for kind in kinds(snapshot):
        alike = kind.like(3)
        assert alike.kind == {"sharded": "mapped"}.get(kind.kind, kind.kind)
        alike.put(torch.tensor([4, 1]), torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).half())
        found = alike.gather(torch.tensor([[0, 1], [4, 4]]))
        expected = [[[0.0, 0.0, 0.0], [4.0, 5.0, 6.0]], [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]]
        assert found.tolist() == expected


def test_rows_alike_that_fit_on_no_disk_are_an_error(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(file: int, first: int, size: int) -> None:
        raise OSError(errno.ENOSPC, f"{size} bytes")

    resident, *others = kinds(snapshot)
    monkeypatch.setattr(rows.os, "posix_fallocate", refuse, raising=False)
    assert resident.like(3, tmp_path / "not" / "there").kind == "resident"
    for kind in others:
        with pytest.raises(FullDiskError, match="what heads start at"):
            kind.like(3, tmp_path / "not" / "there")
    assert not list((tmp_path / "not" / "there").iterdir())


def test_rows_stay_where_they_fit(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    size = snapshot.stored.nbytes
    monkeypatch.setattr(rows, "free_memory", lambda device: size)
    monkeypatch.setattr(rows, "free_disk", lambda file: size)
    assert place_rows(snapshot, "cpu").kind == "sharded"
    assert place_rows(snapshot, "cpu", "resident").kind == "resident"
    assert place_rows(snapshot, "cpu").kind == "mapped", "a copy is there now"
    assert snapshot.map_file is not None
    snapshot.map_file.unlink()
    monkeypatch.setattr(rows, "free_disk", lambda file: 2 * size)
    assert place_rows(snapshot, "cpu").kind == "mapped"
    monkeypatch.setattr(rows, "free_memory", lambda device: 2 * size)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert rows.choose_place(snapshot, torch.device("cpu")) == "mapped"
    monkeypatch.delenv("LOCAL_WORLD_SIZE")
    assert place_rows(snapshot, "cpu").kind == "resident"


def test_what_is_free_is_some(tmp_path: Path) -> None:
    assert rows.free_memory(torch.device("cpu")) > 1 << 20
    assert rows.free_disk(tmp_path / "not" / "there") > 1 << 20


def test_rows_are_taken_as_they_are_given(snapshot: Snapshot) -> None:
    _, mapped, _ = kinds(snapshot)
    assert rows_of(mapped) is mapped
    tensor = torch.zeros(2, 3)
    shared = rows_of(tensor)
    assert isinstance(shared, ResidentRows)
    assert shared.tensor_ND is tensor
