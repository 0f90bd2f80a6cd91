"""The leakage check passes a clean split and fails every kind of leak that is planted."""

from __future__ import annotations

import numpy as np
import pytest

from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import DataError
from nextvec.sequences.identity import row_keys, window_keys
from nextvec.sequences.leakage import Finding, check_leakage, count_closer
from nextvec.sequences.splits import Part, split_snapshot
from nextvec.sequences.windows import IntArray
from nextvec.store.snapshot import Snapshot

LENGTH, DOCUMENTS, DIM = 20, 60, 16
PARTS: dict[Part, IntArray] = {
    "train": np.arange(40),
    "validation": np.arange(40, 50),
    "test": np.arange(50, 60),
}


def vectors(seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((DOCUMENTS * LENGTH, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def snapshot(rows: np.ndarray, doc_ids: list[str] | None = None) -> Snapshot:
    names = doc_ids or [f"d{i}" for i in range(DOCUMENTS)]
    offsets = np.arange(0, len(rows) + 1, LENGTH)
    split = {"salt": "s", "test": 200, "validation": 400}
    return Snapshot.from_arrays("c", rows, offsets, names, encoder=EncoderSpec(name="test", dim=DIM), split=split)


def failed(rows: np.ndarray, parts: dict[Part, IntArray] = PARTS, **options: int) -> list[str]:
    report = check_leakage(snapshot(rows), parts, **options)
    assert report.passed == all(finding.passed for finding in report.findings)
    return [finding.what for finding in report.findings if not finding.passed]


def test_independent_documents_pass() -> None:
    report = check_leakage(snapshot(vectors()), PARTS)
    assert report.passed
    assert all(line.startswith("passed: 0 of ") for line in report.lines())
    assert report.to_dict()["passed"] is True
    assert len(report.findings) == 6


def test_the_split_of_a_snapshot_passes() -> None:
    data = snapshot(vectors())
    assert check_leakage(data, split_snapshot(data).parts).passed


def test_a_document_in_two_parts_fails() -> None:
    leaky = {**PARTS, "train": np.append(PARTS["train"], 55)}
    report = check_leakage(snapshot(vectors()), leaky)
    assert not report.passed
    assert report.lines()[0].startswith("FAILED: 1 of 60 documents are in more than one part")
    assert "d55" in report.lines()[0]


def test_the_same_content_under_another_id_fails() -> None:
    # Snapshots in memory take the content hash from the id, so one id twice is one content twice.
    names = [f"d{i}" for i in range(DOCUMENTS)]
    names[55] = names[3]
    report = check_leakage(snapshot(vectors(), names), PARTS)
    assert [finding.count for finding in report.findings[:2]] == [1, 1]
    assert not report.findings[1].passed


def test_copied_windows_fail() -> None:
    rows = vectors()
    rows[55 * LENGTH : 55 * LENGTH + 6] = rows[3 * LENGTH + 4 : 3 * LENGTH + 10]
    assert failed(rows) == ["windows of test (context 5 and target) are also in training"]
    rows[45 * LENGTH : 45 * LENGTH + 5] = rows[3 * LENGTH + 4 : 3 * LENGTH + 9]
    assert len(failed(rows)) == 1
    assert len(failed(rows, context=4)) == 2


def test_repeated_targets_fail_above_their_share() -> None:
    rows = vectors()
    rows[50 * LENGTH + 1 :: 13][:4] = rows[1]
    assert failed(rows) == []
    rows[50 * LENGTH + 1 :: 13] = rows[1]
    assert failed(rows) == ["targets of test have a training target closer than cosine 0.999"]


def test_a_sample_says_so() -> None:
    report = check_leakage(snapshot(vectors()), PARTS, sampled_targets=50)
    assert "estimated from 50 of 190 targets" in report.lines()[-1]
    assert report.findings[-1].total == 50


def test_a_missing_part_is_an_error() -> None:
    with pytest.raises(DataError, match="no validation documents"):
        check_leakage(snapshot(vectors()), {"train": np.arange(4), "test": np.arange(5, 9)})


def test_count_closer_equals_the_slow_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextvec.sequences.identity._BLOCK_ROWS", 7)
    data = np.random.default_rng(0).standard_normal((60, 5)).astype(np.float32)
    rows, others = np.arange(0, 20), np.arange(15, 60)
    unit = data / np.linalg.norm(data, axis=1, keepdims=True)
    expected = [sum(float(unit[i] @ unit[j]) > 0.5 for j in others) for i in rows]
    assert count_closer(data, rows, others, 0.5).tolist() == expected
    assert count_closer(data, rows, others[:0], 0.5).tolist() == [0] * 20


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_row_keys_are_equal_exactly_for_equal_rows(dtype: type) -> None:
    data = np.random.default_rng(0).integers(-3, 4, (4_000, 3)).astype(dtype)
    keys = row_keys(data)
    assert len(np.unique(keys)) == len(np.unique(data, axis=0))
    _, by_row = np.unique(data, axis=0, return_inverse=True)
    _, by_key = np.unique(keys, return_inverse=True)
    assert len(set(zip(by_row.tolist(), by_key.tolist(), strict=True))) == by_row.max() + 1


def test_window_keys_know_the_order() -> None:
    keys = np.array([1, 2, 3, 2, 1, 1, 2, 3], np.uint64)
    got = window_keys(keys, np.array([2, 4, 7]), 2)
    assert got[0] == got[2] != got[1]


def test_nothing_to_compare_passes() -> None:
    assert Finding(what="x", count=0, total=0, allowed=0.0).passed
