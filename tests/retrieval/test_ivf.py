"""FAISS's index: recall, determinism, and a cache that is never stale."""

from pathlib import Path

import numpy as np
import pytest

from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import MissingDependencyError
from nextvec.retrieval import index as index_module
from nextvec.retrieval import ivf, tuning
from nextvec.retrieval.index import ExactIndex, build_index, recall_against_exact
from nextvec.retrieval.ivf import FaissIndex, IVFConfig
from nextvec.store.snapshot import Snapshot
from nextvec.workspace import Workspace

pytest.importorskip("faiss", reason="needs the extra 'index'")


def clustered(seed: int = 0, size: int = 6_000, dim: int = 32) -> np.ndarray:
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((60, dim))
    rows = centres[generator.integers(60, size=size)] + 0.4 * generator.standard_normal((size, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def snapshot_of(vectors: np.ndarray, dtype: type = np.float16) -> Snapshot:
    return Snapshot.from_arrays(
        "wiki",
        vectors.astype(dtype),
        np.array([0, len(vectors)]),
        ["all"],
        encoder=EncoderSpec(name="fake", dim=vectors.shape[1]),
    )


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return snapshot_of(clustered())


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with every index that is built and not read."""
    built, build = [], ivf._build

    def counted(*arguments: object) -> object:
        built.append(1)
        return build(*arguments)

    monkeypatch.setattr(ivf, "_build", counted)
    return built


def test_finds_nearly_all_that_the_exact_index_finds(snapshot: Snapshot) -> None:
    approximate, exact = build_index(snapshot, "faiss"), build_index(snapshot, "exact")
    queries = clustered(seed=0)[::100] + 0.02
    assert recall_against_exact(approximate, exact, queries, 16) >= 0.99
    found, true = approximate.search(queries, 1), exact.search(queries, 1)
    same = found.rows == true.rows
    np.testing.assert_allclose(found.scores[same], true.scores[same], atol=1e-6)


def test_all_lists_probed_and_all_rows_scored_is_exact() -> None:
    snapshot = snapshot_of(clustered(size=400))
    index = FaissIndex.of(snapshot, IVFConfig(lists=8, probes=8))
    assert recall_against_exact(index, build_index(snapshot, "exact"), clustered(seed=1, size=50), 50) == 1.0


def test_a_recall_out_of_reach_is_told(snapshot: Snapshot) -> None:
    index = FaissIndex.of(snapshot, IVFConfig(recall=1.0))
    assert index.spec.options["probes"] == index.spec.options["lists"]
    assert 0.97 < index.recall < 1.0


@pytest.mark.parametrize("target", [0.5, 0.9, 0.97])
def test_probes_are_the_fewest_that_reach_the_recall(snapshot: Snapshot, target: float) -> None:
    index = FaissIndex.of(snapshot, IVFConfig(recall=target))
    assert index.recall is not None
    assert _confident(snapshot, index.spec.options["probes"]) >= target
    fewer = [count for count in tuning.PROBES if count < index.spec.options["probes"]]
    if fewer:
        assert _confident(snapshot, fewer[-1]) < target


def _confident(snapshot: Snapshot, probes: int) -> float:
    """The lower end of the recall of windows of the corpus, what lies around them left out, by the exact index."""
    index, exact = FaissIndex.of(snapshot, IVFConfig(probes=probes)), build_index(snapshot, "exact")
    shares = []
    for rows, query in zip(*tuning.windows(snapshot.vectors), strict=True):
        around = np.abs(np.arange(len(snapshot)) - rows.mean()) <= tuning.WINDOW // 2 + tuning.REACH
        found, true = (kind.search(query[None], 16, around).rows for kind in (index, exact))
        shares.append(len(np.intersect1d(found, true)) / 16)
    return float(np.mean(shares) - 1.645 * np.std(shares) / len(shares) ** 0.5)


def test_tuning_is_kept_with_the_index(tmp_path: Path, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path)
    first = FaissIndex.of(snapshot, IVFConfig(), workspace)
    monkeypatch.setattr(ivf, "tune", None)
    again = FaissIndex.of(snapshot, IVFConfig(), workspace)
    assert (again.spec, again.recall) == (first.spec, first.recall)


def test_exact_neighbours_of_tuning_are_those_of_the_exact_index(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "BLOCK_ROWS", 1_000)
    queries = clustered(seed=5, size=20)
    left_out = [slice(first, first + 1_500) for first in range(0, 2_000, 100)]
    for query, span, rows in zip(queries, left_out, tuning.nearest(snapshot.vectors, queries, left_out), strict=True):
        excluded = np.isin(np.arange(len(snapshot)), np.arange(span.start, span.stop))
        np.testing.assert_array_equal(rows, ExactIndex(snapshot.vectors).search(query[None], 16, excluded).rows[0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_vectors_keep_their_precision(dtype: type) -> None:
    snapshot = snapshot_of(clustered(size=500), dtype)
    queries = clustered(seed=6, size=5)
    found = FaissIndex.of(snapshot, IVFConfig(lists=4, probes=4)).search(queries, 3)
    exact = np.take_along_axis(queries @ snapshot.vectors.astype(np.float32).T, found.rows, axis=1)
    np.testing.assert_allclose(found.scores, exact, atol=1e-6)


def test_the_same_snapshot_gives_the_same_answers(snapshot: Snapshot) -> None:
    queries = clustered(seed=2, size=30)
    first, second = (FaissIndex.of(snapshot, IVFConfig(probes=2)).search(queries, 8) for _ in range(2))
    np.testing.assert_array_equal(first.rows, second.rows)


def test_excluded_rows_are_never_answered(snapshot: Snapshot) -> None:
    index, query = build_index(snapshot, "faiss"), snapshot.vectors[:1].astype(np.float32)
    excluded = np.zeros(len(snapshot), dtype=bool)
    excluded[index.search(query, 10).rows] = True
    again = index.search(query, 10, excluded).rows
    assert not excluded[again].any()
    excluded[:] = True
    assert set(index.search(query, 3, excluded).rows[0].tolist()) == {-1}


def test_equal_scores_come_by_ascending_row() -> None:
    snapshot = snapshot_of(np.tile(clustered(size=100), (10, 1)))
    found = build_index(snapshot, "faiss").search(clustered(size=100)[:1], 10)
    np.testing.assert_array_equal(found.rows[0], np.arange(0, 1000, 100))


def test_kept_in_the_workspace_and_read_again(tmp_path: Path, snapshot: Snapshot, builds: list[int]) -> None:
    workspace = Workspace(tmp_path)
    first = build_index(snapshot, "faiss", workspace)
    second = build_index(snapshot, "faiss", workspace)
    assert len(builds) == 1
    assert first.spec == second.spec
    queries = clustered(seed=3, size=10)
    np.testing.assert_array_equal(first.search(queries, 5).rows, second.search(queries, 5).rows)
    assert {path.suffix for path in (tmp_path / "cache" / "indexes").iterdir()} == {".faiss", ".json"}


def test_another_probe_count_reads_the_same_lists(tmp_path: Path, snapshot: Snapshot, builds: list[int]) -> None:
    workspace = Workspace(tmp_path)
    FaissIndex.of(snapshot, IVFConfig(probes=1), workspace)
    wide = FaissIndex.of(snapshot, IVFConfig(probes=30), workspace)
    assert len(builds) == 1
    assert wide.spec.options["probes"] == 30


@pytest.mark.parametrize("change", ["snapshot", "settings", "record", "cut"])
def test_stale_or_damaged_is_built_anew(tmp_path: Path, snapshot: Snapshot, builds: list[int], change: str) -> None:
    workspace, config = Workspace(tmp_path), IVFConfig()
    FaissIndex.of(snapshot, config, workspace)
    kept = tmp_path / "cache" / "indexes" / "wiki.faiss"
    if change == "snapshot":
        snapshot = snapshot_of(clustered(seed=9))
    elif change == "settings":
        config = IVFConfig(seed=1)
    elif change == "record":
        kept.with_suffix(".json").unlink()
    else:
        kept.write_bytes(kept.read_bytes()[:-100])
    index = FaissIndex.of(snapshot, config, workspace)
    assert len(builds) == 2
    assert index.spec.snapshot == snapshot.fingerprint
    FaissIndex.of(snapshot, config, workspace)
    assert len(builds) == 2


def test_auto_takes_faiss_above_the_size(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "APPROXIMATE_ABOVE", 1_000)
    assert isinstance(build_index(snapshot), FaissIndex)
    monkeypatch.setattr(index_module, "faiss_installed", lambda: False)
    assert isinstance(build_index(snapshot), ExactIndex)


def test_without_the_package_the_error_names_the_extra(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ivf, "faiss_installed", lambda: False)
    with pytest.raises(MissingDependencyError, match=r"nextvec\[index\]"):
        build_index(snapshot, "faiss")


def test_a_handful_of_vectors_is_one_list() -> None:
    index = build_index(snapshot_of(clustered(size=5)), "faiss")
    assert index.search(clustered(size=1), 5).rows.shape == (1, 5)
