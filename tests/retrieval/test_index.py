"""The exact index against brute force, and the choice of an index."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.retrieval import index as index_module
from nextvec.retrieval.index import ExactIndex, build_index, recall_against_exact
from nextvec.retrieval.scan import ByteScan, DeviceScan, HalfScan, Scan
from nextvec.store.snapshot import Snapshot


def unit_rows(count: int, dim: int, seed: int = 0, shared: float = 0.0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, dim)) + shared
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def brute_force(vectors: np.ndarray, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The slow twin: every inner product in float64, rounded to float32, sorted whole, equal scores by row."""
    scores = (queries.astype(np.float64) @ vectors.astype(np.float64).T).astype(np.float32)
    rows = np.stack([np.lexsort((np.arange(len(vectors)), -line))[:k] for line in scores])
    return np.take_along_axis(scores, rows, axis=1), rows


def snapshot_of(vectors: np.ndarray, name: str = "wiki") -> Snapshot:
    middle = len(vectors) // 2
    return Snapshot.from_arrays(
        name,
        vectors,
        np.array([0, middle, len(vectors)]),
        ["left", "right"],
        encoder=EncoderSpec(name="fake", dim=vectors.shape[1]),
        texts=[f"chunk number {row}" for row in range(len(vectors))],
    )


SCANS = [
    HalfScan,
    partial(DeviceScan, device="cpu"),
    pytest.param(ByteScan, marks=pytest.mark.skipif(not ByteScan.supported(), reason="no int8 kernel")),
]


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("queries", [1, 3, index_module.BATCH_QUERIES, index_module.BLOCK_QUERIES + 5])
def test_equals_brute_force(dtype: type, queries: int, scan: type[Scan]) -> None:
    vectors = unit_rows(9_001, 50, shared=0.4).astype(dtype)
    asked = unit_rows(queries, 50, seed=1, shared=0.4)
    found = ExactIndex(vectors, scan=scan).search(asked, 16)
    scores, rows = brute_force(vectors, asked, 16)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.scores, scores)
    assert found.scores.dtype == np.float32
    assert found.rows.dtype == np.int64


@pytest.mark.parametrize("excluded", [False, True])
def test_what_is_chosen_where_the_scores_are_holds_the_same_best(
    excluded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, whose place the CPU takes here."""
    vectors, asked = unit_rows(5_000, 32).astype(np.float16), unit_rows(3, 32, seed=1)
    barred = np.arange(5_000) % 3 == 0 if excluded else None
    expected = ExactIndex(vectors).search(asked, 7, barred)
    monkeypatch.setattr(index_module, "chosen_here", index_module.chosen_there)
    found = ExactIndex(vectors, scan=partial(DeviceScan, device="cpu")).search(asked, 7, barred)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.scores, expected.scores)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")
@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("queries", [1, 70])
def test_a_gpu_finds_the_same(queries: int, fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", fast)
    vectors, asked = unit_rows(9_001, 50, shared=0.4).astype(np.float16), unit_rows(queries, 50, seed=1, shared=0.4)
    found = ExactIndex(vectors, device="cuda").search(asked, 16)
    scores, rows = brute_force(vectors, asked, 16)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.scores, scores)


def test_an_answer_does_not_depend_on_the_batch() -> None:
    vectors, asked = unit_rows(5_000, 32).astype(np.float16), unit_rows(40, 32, seed=1)
    index = ExactIndex(vectors)
    together = index.search(asked, 7)
    alone = [index.search(asked[i : i + 1], 7) for i in range(40)]
    np.testing.assert_array_equal(together.rows, np.concatenate([one.rows for one in alone]))
    np.testing.assert_array_equal(together.scores, np.concatenate([one.scores for one in alone]))


@pytest.mark.parametrize("scan", SCANS)
def test_orders_rows_that_a_scan_cannot_tell_apart(scan: type[Scan]) -> None:
    query = unit_rows(1, 24)
    vectors = query + 1e-5 * np.random.default_rng(1).standard_normal((3_000, 24)).astype(np.float32)
    found = ExactIndex(vectors, scan=scan).search(query, 10)
    scores, rows = brute_force(vectors, query, 10)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.scores, scores)


@pytest.mark.parametrize("queries", [1, 20])
def test_equal_scores_come_by_ascending_row(queries: int) -> None:
    vectors = np.tile(unit_rows(4, 8), (50, 1)).astype(np.float16)
    found = ExactIndex(vectors).search(vectors[:1].repeat(queries, 0).astype(np.float32), 50)
    np.testing.assert_array_equal(found.rows[-1], np.arange(0, 200, 4))


@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(1, 200),
    dim=st.integers(1, 40),
    scale=st.sampled_from([1e-3, 1.0, 1000.0]),
    queries=st.sampled_from([1, 9]),
    half=st.booleans(),
    data=st.data(),
)
def test_equals_brute_force_at_any_scale(
    size: int, dim: int, scale: float, queries: int, half: bool, data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, size))
    vectors = (unit_rows(size, dim, seed=size) * scale).astype(np.float16 if half else np.float32)
    asked = unit_rows(queries, dim, seed=dim) * np.float32(scale**2)
    found = ExactIndex(vectors).search(asked, k)
    scores, rows = brute_force(vectors, asked, k)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.scores, scores)


@pytest.mark.parametrize("queries", [1, 12])
def test_excluded_rows_are_never_answered(queries: int) -> None:
    vectors, asked = unit_rows(300, 16), unit_rows(queries, 16, seed=1)
    excluded = np.zeros(300, dtype=bool)
    excluded[brute_force(vectors, asked, 20)[1].ravel()] = True
    kept = np.flatnonzero(~excluded)
    found = ExactIndex(vectors).search(asked, 5, excluded)
    np.testing.assert_array_equal(found.rows, kept[brute_force(vectors[kept], asked, 5)[1]])


def test_says_when_too_few_rows_are_left() -> None:
    excluded = np.ones(10, dtype=bool)
    excluded[3] = False
    found = ExactIndex(unit_rows(10, 4)).search(unit_rows(1, 4), 3, excluded)
    assert found.rows.tolist() == [[3, -1, -1]]
    assert found.scores[0, 1:].tolist() == [-np.inf, -np.inf]


def test_a_zero_query_ties_with_everything() -> None:
    found = ExactIndex(unit_rows(30, 4)).search(np.zeros((1, 4), np.float32), 3)
    assert found.rows.tolist() == [[0, 1, 2]]


def test_reads_a_memory_map_in_place(tmp_path) -> None:
    np.save(tmp_path / "v.npy", unit_rows(100, 8).astype(np.float16))
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    index = ExactIndex(mapped)
    assert index._rows_ND.data_ptr() == mapped.ctypes.data
    assert index.search(unit_rows(1, 8), 1).rows.shape == (1, 1)


def test_takes_a_tensor() -> None:
    vectors = unit_rows(50, 8)
    found = ExactIndex(torch.from_numpy(vectors)).search(vectors[7:8], 1)
    assert found.rows.tolist() == [[7]]


@pytest.mark.parametrize(
    "bad",
    [np.zeros((0, 4), np.float32), np.zeros(4, np.float32), np.zeros((3, 4), np.float64), np.zeros((3, 4), np.int8)],
)
def test_refuses_what_is_not_vectors(bad: np.ndarray) -> None:
    with pytest.raises(DataError, match="float16 or float32"):
        ExactIndex(bad)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e5, 1e30])
def test_refuses_values_it_cannot_scan(value: float) -> None:
    vectors = unit_rows(20, 4)
    vectors[11, 2] = value
    with pytest.raises(DataError, match="NaN, infinity"):
        ExactIndex(vectors)


def test_refuses_bad_questions() -> None:
    index = ExactIndex(unit_rows(10, 4))
    with pytest.raises(MismatchError, match=r"\(queries, 4\)"):
        index.search(unit_rows(1, 5), 1)
    with pytest.raises(UsageError, match="expected 1 to 10"):
        index.search(unit_rows(1, 4), 11)
    with pytest.raises(MismatchError, match=r"expected bool \(10,\)"):
        index.search(unit_rows(1, 4), 1, np.zeros(9, dtype=bool))
    with pytest.raises(DataError, match="query 1 holds"):
        index.search(np.array([[1, 0, 0, 0], [np.nan, 0, 0, 0]], np.float32), 1)


def test_auto_is_exact_for_a_small_corpus() -> None:
    snapshot = snapshot_of(unit_rows(20, 8))
    index = build_index(snapshot)
    assert isinstance(index, ExactIndex)
    assert index.spec.kind == "exact"
    assert (index.spec.corpus, index.spec.snapshot) == ("wiki", snapshot.fingerprint)
    assert index.spec.encoder == snapshot.encoder.fingerprint


def test_the_fingerprint_of_an_index_follows_its_snapshot() -> None:
    first, second = snapshot_of(unit_rows(20, 8)), snapshot_of(unit_rows(20, 8, seed=5))
    assert build_index(first).spec.fingerprint == build_index(first).spec.fingerprint
    assert build_index(first).spec.fingerprint != build_index(second).spec.fingerprint


def test_unknown_kinds_are_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="'exact'"):
        build_index(snapshot_of(unit_rows(20, 8)), kind="exakt")  # type: ignore[arg-type]


def test_recall_of_the_exact_index_is_one_and_of_a_stranger_an_error() -> None:
    exact = ExactIndex(unit_rows(200, 8))
    assert recall_against_exact(exact, exact, unit_rows(10, 8, seed=1), 4) == 1.0
    with pytest.raises(MismatchError, match="100 rows"):
        recall_against_exact(ExactIndex(unit_rows(100, 8)), exact, unit_rows(10, 8), 4)


def test_a_corpus_without_a_chunk_has_no_index():
    empty = Snapshot.from_arrays(
        "none", np.empty((0, 8), np.float32), np.array([0]), [], encoder=EncoderSpec(name="fake", dim=8), texts=[]
    )
    with pytest.raises(DataError, match=r"none.* holds no chunk: nextvec corpus ingest SOURCE --corpus none"):
        build_index(empty)
