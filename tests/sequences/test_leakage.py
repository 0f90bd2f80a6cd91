"""The leakage check passes a clean split and fails every kind of leak that is planted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import DataError
from nextvec.sequences import leakage as module
from nextvec.sequences.closeness import count_closer
from nextvec.sequences.findings import Finding, LeakageError, LeakageReport, require_no_leakage
from nextvec.sequences.identity import chunk_keys, row_keys, window_keys
from nextvec.sequences.leakage import Documents, check_leakage, check_pairs
from nextvec.sequences.splits import Part, split_snapshot
from nextvec.sequences.windows import IntArray
from nextvec.store.snapshot import Snapshot

LENGTH, DOCUMENTS, DIM = 20, 60, 16
PARTS: dict[Part, IntArray] = {
    "train": np.arange(40),
    "validation": np.arange(40, 50),
    "test": np.arange(50, 60),
}


def vectors(seed: int = 0, documents: int = DOCUMENTS) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((documents * LENGTH, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def snapshot(
    rows: np.ndarray, doc_ids: list[str] | None = None, *, name: str = "c", texts: Sequence[str] | None = None
) -> Snapshot:
    names = doc_ids or [f"d{i}" for i in range(len(rows) // LENGTH)]
    offsets = np.arange(0, len(rows) + 1, LENGTH)
    split = {"salt": "s", "test": 200, "validation": 400}
    return Snapshot.from_arrays(
        name, rows, offsets, names, encoder=EncoderSpec(name="test", dim=DIM), split=split, texts=texts
    )


def sentences(documents: int = DOCUMENTS, seed: int = 0) -> list[str]:
    """A text of its own for every row."""
    words = np.random.default_rng(seed).integers(0, 1 << 40, (documents * LENGTH, 9))
    return [f"{' '.join(f'w{word}' for word in row)}." for row in words]


def failed(data: Snapshot, parts: dict[Part, IntArray] = PARTS, **options: int) -> list[str]:
    report = check_leakage(data, parts, **options)
    assert report.passed == all(finding.passed for finding in report.findings)
    return [finding.what for finding in report.findings if not finding.passed]


def against(seen: Snapshot, judged: Snapshot, **options: Any) -> LeakageReport:
    """What all documents of one corpus and all of another share."""
    trained = Documents(role="training", snapshot=seen, chosen=np.arange(len(seen.documents)), trained=True)
    other = Documents(role="other", snapshot=judged, chosen=np.arange(len(judged.documents)))
    return check_pairs([(trained, other)], **options)


def found(report: LeakageReport) -> dict[str, int]:
    return {finding.what: finding.count for finding in report.findings if not finding.passed}


def test_independent_documents_pass() -> None:
    report = check_leakage(snapshot(vectors()), PARTS)
    assert report.passed
    assert report.lines() == ["passed: nothing that is judged was seen before, in 17 questions"]
    assert report.to_dict()["passed"] is True
    assert report.warning == ""
    require_no_leakage(report, "c")


def test_the_split_of_a_snapshot_passes() -> None:
    data = snapshot(vectors())
    assert check_leakage(data, split_snapshot(data).parts).passed


def test_a_document_in_two_parts_fails() -> None:
    leaky = {**PARTS, "train": np.append(PARTS["train"], 55)}
    report = check_leakage(snapshot(vectors()), leaky)
    assert not report.passed
    assert "FAILED: 1 of 10 documents of test are in training too (d55): 10 %, none allowed" in report.lines()


def test_a_document_of_validation_and_test_fails() -> None:
    leaky = {**PARTS, "validation": np.append(PARTS["validation"], 55)}
    assert "documents of test are in validation too" in failed(snapshot(vectors()), leaky)


@pytest.mark.parametrize(("copy", "part"), [(3, "training"), (43, "validation")])
def test_the_same_content_under_another_id_fails(copy: int, part: str) -> None:
    rows = vectors()
    rows[55 * LENGTH : 56 * LENGTH] = rows[copy * LENGTH : (copy + 1) * LENGTH]
    report = check_leakage(snapshot(rows), PARTS)
    line = (
        f"FAILED: 1 of 10 documents of test have exactly the text of one in {part} (d55 as d{copy}): 10 %, none allowed"
    )
    assert line in report.lines()
    with pytest.raises(LeakageError, match=rf"c: what is judged was seen before: .*d55 as d{copy}.*--allow-leakage"):
        require_no_leakage(report, "c")


def test_a_few_names_are_told_and_the_rest_counted() -> None:
    rows = vectors()
    rows[50 * LENGTH : 57 * LENGTH] = rows[: 7 * LENGTH]
    report = check_leakage(snapshot(rows), PARTS)
    documents = "7 of 10 documents of test have exactly the text of one in training"
    assert f"{documents} (d50 as d0, d51 as d1, d52 as d2 and 4 more)" in report.warning
    assert (
        "105 of 150 windows of test (context 5 and target) are also in training (d50: 15, d51: 15, d52: 15 and 4 more)"
        in report.warning
    )
    assert report.warning.startswith("LEAKAGE WAS ALLOWED, figures are too good: 7 of 10 documents")


def test_copied_windows_fail() -> None:
    rows = vectors()
    rows[55 * LENGTH : 55 * LENGTH + 6] = rows[3 * LENGTH + 4 : 3 * LENGTH + 10]
    windows = [what for what in failed(snapshot(rows)) if what.startswith("windows")]
    assert windows == ["windows of test (context 5 and target) are also in training"]
    rows[45 * LENGTH : 45 * LENGTH + 5] = rows[3 * LENGTH + 4 : 3 * LENGTH + 9]
    assert not [what for what in failed(snapshot(rows)) if what.startswith("windows of validation")]
    assert [what for what in failed(snapshot(rows), context=4) if what.startswith("windows of validation")]


def test_a_passage_between_validation_and_test_fails() -> None:
    rows = vectors()
    rows[55 * LENGTH + 2 : 55 * LENGTH + 12] = rows[43 * LENGTH + 5 : 43 * LENGTH + 15]
    assert failed(snapshot(rows)) == [
        "documents of test nearly duplicate one in validation",
        "windows of test (context 5 and target) are also in validation",
    ]


def test_one_window_in_five_thousand_is_allowed() -> None:
    assert Finding(what="windows", count=1, total=5_000, allowed=module.WINDOWS_ALLOWED).passed
    assert not Finding(what="windows", count=1, total=4_999, allowed=module.WINDOWS_ALLOWED).passed


def formula(rows: np.ndarray, documents: Sequence[int]) -> Snapshot:
    """Each of these documents ends with the six chunks that document 0 begins with."""
    for document in documents:
        rows[(document + 1) * LENGTH - 6 : (document + 1) * LENGTH] = rows[:6]
    return snapshot(rows)


def test_windows_that_many_documents_have_are_formulas_and_pass_when_they_are_few() -> None:
    few = check_leakage(formula(vectors(), [3, 8, 55]), PARTS)
    assert "windows of test (context 5 and target) are also in training" in found(few)
    many = check_leakage(formula(vectors(), [3, 8, 13, 55]), PARTS)
    assert "windows of test (context 5 and target) are also in training" not in found(many)
    line = (
        "1 of 150 windows of test (context 5 and target) are formulas of training (d55: 1): 0.667 %, up to 1 % allowed"
    )
    assert f"passed: {line}" in many.lines()
    too_many = check_leakage(formula(vectors(), [3, 8, 13, 54, 55]), PARTS)
    assert found(too_many)["windows of test (context 5 and target) are formulas of training"] == 2


def test_repeated_targets_fail_above_their_share() -> None:
    rows = vectors()
    rows[50 * LENGTH + 1 :: 13][:4] = rows[1]
    assert failed(snapshot(rows)) == []
    rows[50 * LENGTH + 1 :: 13] = rows[1]
    assert failed(snapshot(rows)) == ["targets of test have a target in training closer than cosine 0.999"]


def test_targets_that_training_repeats_itself_are_its_language() -> None:
    rows = vectors()
    rows[50 * LENGTH + 1 :: 13] = rows[1]
    rows[1 : 40 * LENGTH : 13] = rows[1]
    report = check_leakage(snapshot(rows), PARTS)
    assert "targets of test have a target in training closer than cosine 0.999" not in found(report)
    assert any("training documents among themselves: 7." in line for line in report.lines())


def test_a_sample_says_so() -> None:
    rows = vectors()
    rows[50 * LENGTH + 1 :: 13] = rows[1]
    report = check_leakage(snapshot(rows), PARTS, sampled_targets=50)
    (line,) = [line for line in report.lines() if "targets of test" in line]
    assert line.endswith(", estimated from 50 of 190 targets")
    assert " of 50 targets of test" in line


def test_a_missing_part_is_an_error() -> None:
    with pytest.raises(DataError, match="no validation documents"):
        check_leakage(snapshot(vectors()), {"train": np.arange(4), "test": np.arange(5, 9)})


def test_corpora_of_other_documents_share_nothing_whatever_their_ids() -> None:
    assert against(snapshot(vectors()), snapshot(vectors(1), name="other")).passed
    texts = sentences(), sentences(seed=1)
    assert against(snapshot(vectors(), texts=texts[0]), snapshot(vectors(1), name="other", texts=texts[1])).passed


@pytest.mark.parametrize("with_texts", [True, False])
def test_a_copy_in_another_corpus_of_another_precision_and_id_is_found(with_texts: bool) -> None:
    """Without texts by the vectors, with texts by the words, whatever the last bits of the vectors."""
    rows, others = vectors(), vectors(1, 10).astype(np.float32)
    texts, of_others = (sentences(), sentences(10, 1)) if with_texts else (None, None)
    noise = 1e-4 if with_texts else 0.0
    others[:LENGTH] = rows[7 * LENGTH : 8 * LENGTH] + np.float32(noise)
    if texts is not None and of_others is not None:
        of_others[:LENGTH] = [text.upper() for text in texts[7 * LENGTH : 8 * LENGTH]]
    judged = snapshot(others, [f"x{i}" for i in range(10)], name="other", texts=of_others)
    report = against(snapshot(rows, texts=texts), judged)
    assert found(report)["documents of other have exactly the text of one in training"] == 1
    assert found(report)["windows of other (context 5 and target) are also in training"] == LENGTH - 5
    assert "(x0 as d7)" in report.warning


def test_a_nearly_equal_document_in_another_corpus_is_found() -> None:
    rows, others, texts, of_others = vectors(), vectors(1, 10), sentences(), sentences(10, 1)
    kept = [i for i in range(LENGTH) if i % 5]
    for i in kept:
        others[i], of_others[i] = rows[7 * LENGTH + i], texts[7 * LENGTH + i]
    report = against(snapshot(rows, texts=texts), snapshot(others, name="other", texts=of_others))
    assert found(report) == {"targets of other have a target in training closer than cosine 0.999": len(kept)}
    for i in range(LENGTH):
        others[i] = rows[7 * LENGTH + i]
    report = against(snapshot(rows, texts=texts), snapshot(others, name="other", texts=of_others))
    assert found(report)["documents of other nearly duplicate one in training"] == 1
    assert "(d0 as d7)" in report.warning


def test_two_halves_of_one_document_are_two_near_copies() -> None:
    rows, others = vectors(), vectors(1, 4)
    others[:10], others[LENGTH : LENGTH + 10] = rows[:10], rows[10:20]
    report = against(snapshot(rows), snapshot(others, name="other"))
    assert found(report)["documents of other nearly duplicate one in training"] == 2


def test_documents_without_texts_are_told_by_their_vectors_alone(make_imported: Any) -> None:
    """Imported corpora keep no texts: documents of the same ids are not the same for that."""
    left, right = make_imported("left", vectors()), make_imported("right", vectors(1))
    assert against(left, right).passed
    assert (
        found(against(left, make_imported("again", vectors())))[
            "documents of other have exactly the text of one in training"
        ]
        == DOCUMENTS
    )


@pytest.fixture
def make_imported(tmp_path: Path) -> Any:
    from nextvec.store.npz import export_npz, import_npz
    from nextvec.store.vectors import open_snapshot
    from nextvec.workspace import Workspace

    def make(name: str, rows: np.ndarray) -> Snapshot:
        place, file = Workspace(tmp_path / "ws"), tmp_path / f"{name}.npz"
        export_npz(snapshot(rows), file)
        import_npz(place, file, name, EncoderSpec(name="test", dim=DIM))
        return open_snapshot(place, name)

    return make


def test_findings_are_kept_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, said = vectors(), list[str]()
    rows[55 * LENGTH : 56 * LENGTH] = rows[3 * LENGTH : 4 * LENGTH]
    first = check_leakage(snapshot(rows), PARTS, cache=tmp_path, say=said.append)
    assert said == [
        "checking what validation shares with training",
        "checking what test shares with training",
        "checking what test shares with validation",
    ]
    monkeypatch.setattr(module, "near_duplicates", None)
    assert check_leakage(snapshot(rows), PARTS, cache=tmp_path, say=said.append) == first
    assert len(said) == 3
    with pytest.raises(TypeError):
        check_leakage(snapshot(vectors(1)), PARTS, cache=tmp_path)


def test_a_damaged_kept_finding_is_made_again(tmp_path: Path) -> None:
    first = check_leakage(snapshot(vectors()), PARTS, cache=tmp_path)
    for path in (tmp_path / "leakage").iterdir():
        path.write_text('{"findings": [{}]}')
    assert check_leakage(snapshot(vectors()), PARTS, cache=tmp_path) == first


def test_a_report_survives_its_record() -> None:
    rows = vectors()
    rows[55 * LENGTH : 56 * LENGTH] = rows[3 * LENGTH : 4 * LENGTH]
    report = check_leakage(snapshot(rows), PARTS)
    assert LeakageReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_count_closer_equals_the_slow_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextvec.sequences.identity._BLOCK_ROWS", 7)
    monkeypatch.setattr("nextvec.sequences.closeness._BLOCK_WANTED", 6)
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


def test_chunks_are_told_by_their_words_where_all_have_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextvec.sequences.identity._BLOCK_ROWS", 7)
    texts = [*sentences(2)[:38], "Well, well!", "..."]
    one = snapshot(vectors(documents=2), texts=texts)
    two = snapshot(vectors(1, 2), texts=[*texts[:38], "well WELL", "!"])
    keys = chunk_keys(one, two)
    assert keys.by_text
    assert (keys.left == keys.right).tolist() == [True] * 39 + [False]
    for other in (snapshot(vectors(1, 2)), snapshot(vectors(1, 2), texts=[*texts[:39], ""])):
        assert not chunk_keys(one, other).by_text
        assert not (chunk_keys(one, other).left == chunk_keys(one, other).right).any()


def test_window_keys_know_the_order() -> None:
    keys = np.array([1, 2, 3, 2, 1, 1, 2, 3], np.uint64)
    got = window_keys(keys, np.array([2, 4, 7]), 2)
    assert got[0] == got[2] != got[1]


def test_nothing_to_compare_passes() -> None:
    assert Finding(what="x", count=0, total=0, allowed=0.0).passed
