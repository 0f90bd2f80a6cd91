"""Ordered prose passes; chains, shuffled sentences, facts and glossaries fail, each with its reason."""

from __future__ import annotations

import gzip
import json
import runpy
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest

from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import Encoder, EncoderSpec
from nextvec.errors import DataError
from nextvec.evaluation import coherence
from nextvec.evaluation.coherence import (
    CoherenceReport,
    check_coherence,
    kept_coherence,
    next_closer,
    shuffle_variance,
)
from nextvec.store.snapshot import Snapshot

DATA = Path(__file__).parents[2].parent / "shared" / "data"
PROSE = (
    "wikipedia",
    "textbooks",
    "narratives",
    "nonfiction_classics",
    "papers",
    "tech_docs",
    "recipes",
    "dialogues",
)
UNORDERED = runpy.run_path(str(Path(__file__).with_name("unordered.py")))["SETS"]
CHUNKS, CHUNKS_OF_ONE = 200, 20


VECTORS: dict[str, np.ndarray] = {}


@cache
def minilm() -> Encoder:
    return load_encoder("minilm")


def encoded(name: str, documents: list[list[str]]) -> Snapshot:
    """A snapshot of MiniLM's vectors, every text encoded once in this module."""
    texts = [text for document in documents for text in document]
    new = [text for text in dict.fromkeys(texts) if text not in VECTORS]
    if new:
        VECTORS.update(zip(new, minilm().encode(new), strict=True))
    vectors = np.stack([VECTORS[text] for text in texts]).astype(np.float16)
    offsets = np.concatenate([[0], np.cumsum([len(document) for document in documents])])
    ids = [f"{name}/{i}" for i in range(len(documents))]
    return Snapshot.from_arrays(name, vectors, offsets, ids, encoder=minilm().spec, texts=texts)


@cache
def prose(name: str) -> Snapshot:
    """The first sentences of the first documents of a corpus in ../shared/data."""
    from sentencex import segment

    path = DATA / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"needs {path.name} in ../shared/data")
    documents: list[list[str]] = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        while sum(map(len, documents)) < CHUNKS:
            paragraphs = json.loads(next(lines))["text"].split("\n\n")
            sentences = [s.strip() for p in paragraphs for s in segment("en", p) if s.strip()]
            documents.append(sentences[:CHUNKS_OF_ONE])
    return encoded(name, documents)


def reordered(snapshot: Snapshot, order: np.ndarray) -> Snapshot:
    ids = [document.doc_id for document in snapshot.documents]
    texts = snapshot.texts(order)
    return Snapshot.from_arrays(
        f"{snapshot.name} shuffled",
        snapshot.vectors[order],
        snapshot.offsets,
        ids,
        encoder=snapshot.encoder,
        texts=texts,
    )


def shuffled_within(snapshot: Snapshot, seed: int = 0) -> Snapshot:
    rng = np.random.default_rng(seed)
    spans = zip(snapshot.offsets[:-1], snapshot.offsets[1:], strict=True)
    return reordered(snapshot, np.concatenate([rng.permutation(np.arange(first, end)) for first, end in spans]))


def shuffled_across(snapshot: Snapshot, seed: int = 0) -> Snapshot:
    return reordered(snapshot, np.random.default_rng(seed).permutation(len(snapshot)))


def synthetic(lengths: list[int], *, rho: float = 0.9, dim: int = 16, seed: int = 0) -> Snapshot:
    """Documents that drift: x' = rho x + noise, without texts."""
    rng = np.random.default_rng(seed)
    rows: list[np.ndarray] = []
    for length in lengths:
        x = rng.standard_normal(dim)
        for _ in range(length):
            x = rho * x + np.sqrt(1 - rho**2) * rng.standard_normal(dim)
            rows.append(x / np.linalg.norm(x))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = [f"d{i}" for i in range(len(lengths))]
    spec = EncoderSpec(name="test", dim=dim)
    return Snapshot.from_arrays("drift", np.array(rows, np.float32), offsets, ids, encoder=spec)


def check(snapshot: Snapshot) -> CoherenceReport:
    report = check_coherence(snapshot)
    assert report.passed == (not report.reasons) == (report.verdict == "sequential")
    assert all(len(line) <= 80 for line in report.lines()), max(report.lines(), key=len)
    json.dumps(report.to_dict(), allow_nan=False)
    return report


@pytest.mark.parametrize("name", PROSE)
def test_ordered_prose_passes(name: str) -> None:
    report = check(prose(name))
    assert report.passed, report.reasons
    assert report.excess is not None
    assert report.excess.low > 0.0
    assert report.lines()[-1].startswith("sequential")


@pytest.mark.parametrize("name", PROSE)
@pytest.mark.parametrize("shuffle", [shuffled_within, shuffled_across])
def test_sentences_in_shuffled_order_fail(name: str, shuffle: Callable[[Snapshot], Snapshot]) -> None:
    report = check(shuffle(prose(name)))
    assert not report.passed
    assert report.reasons[0].startswith("neighbours are no closer than random chunks")


@pytest.mark.parametrize("name", list(UNORDERED))
def test_lists_and_chains_fail(name: str) -> None:
    report = check(encoded(name, UNORDERED[name]()))
    assert not report.passed
    assert report.lines()[-1].startswith("  ")


@pytest.mark.parametrize("name", [name for name in UNORDERED if name.startswith("chains")])
def test_chains_fail_although_neighbours_are_close(name: str) -> None:
    report = check(encoded(name, UNORDERED[name]()))
    assert report.excess is not None
    assert report.excess.low > 0.0
    assert any("occur more than once" in reason for reason in report.reasons)


def test_facts_of_one_subject_together_fail_as_templates() -> None:
    report = check(encoded("facts", UNORDERED["facts by subject"]()))
    assert report.excess is not None
    assert report.excess.low > 0.0
    assert ["look like list entries" in reason for reason in report.reasons] == [True]


def test_a_glossary_fails_in_either_form() -> None:
    for name in ("glossary", "glossary in sentences"):
        assert any("alphabetical" in reason for reason in check(encoded(name, UNORDERED[name]())).reasons)


def test_single_facts_as_documents_fail() -> None:
    report = check(synthetic([1] * 50))
    assert report.reasons[0] == "no document has three chunks, so there is no order to test"
    assert report.excess is None
    assert report.lags == ()
    assert report.too_short == 1.0


def test_documents_too_short_fail_however_ordered() -> None:
    report = check(synthetic([5] * 300 + [10] * 20))
    assert report.chunks_too_short == pytest.approx(1500 / 1700)
    assert [reason.startswith("documents are too short") for reason in report.reasons] == [True]


def test_without_texts_the_order_decides() -> None:
    report = check(synthetic([30] * 60))
    assert report.passed
    assert report.list_likeness is None
    assert any("not measured: no texts" in line for line in report.lines())
    assert not check(synthetic([30] * 60, rho=0.0)).passed


def test_figures_equal_the_slow_twin() -> None:
    snapshot = synthetic([4, 9, 2, 1, 13, 30])
    report = check_coherence(snapshot)
    x = snapshot.vectors.astype(np.float64)
    own = snapshot.doc_index
    pairs = [(i, j) for i in range(len(x)) for j in range(len(x)) if own[i] != own[j]]
    assert report.across == pytest.approx(np.mean([x[i] @ x[j] for i, j in pairs]), abs=1e-6)
    rng = np.random.default_rng(0)
    for point in report.lags:
        ordered, random = [], []
        for first, end in zip(snapshot.offsets[:-1], snapshot.offsets[1:], strict=True):
            document = x[first:end]
            if len(document) < 3:
                continue
            ordered += [document[i] @ document[i + point.lag] for i in range(len(document) - point.lag)]
            for _ in range(400):
                mixed = rng.permutation(document)
                random += [mixed[i] @ mixed[i + point.lag] for i in range(len(document) - point.lag)]
        assert point.ordered == pytest.approx(np.mean(ordered), abs=1e-6)
        assert point.shuffled == pytest.approx(np.mean(random), abs=0.02)
    assert report.excess is not None
    assert report.excess.estimate == pytest.approx(report.lags[0].ordered - report.lags[0].shuffled, abs=1e-9)


def test_next_closer_equals_the_slow_twin() -> None:
    rng = np.random.default_rng(0)
    for n in (3, 4, 11):
        x = rng.integers(-2, 3, (n, 2)).astype(float)
        cosines = x @ x.T
        expected = 0.0
        for i in range(n - 1):
            others = [j for j in range(n) if j not in (i, i + 1)]
            beaten = [(cosines[i, j] < cosines[i, i + 1]) + (cosines[i, j] == cosines[i, i + 1]) / 2 for j in others]
            expected += float(np.mean(beaten))
        assert next_closer(cosines) == pytest.approx(expected)


def test_variance_under_a_shuffle_equals_every_order() -> None:
    rng = np.random.default_rng(0)
    for n in (3, 4, 5, 6):
        cosines = np.corrcoef(rng.standard_normal((n, 4)))
        sums = [sum(cosines[a, b] for a, b in pairwise(order)) for order in permutations(range(n))]
        assert shuffle_variance(cosines) == pytest.approx(np.var(sums))


def test_shuffles_of_few_documents_pass_rarely() -> None:
    passed = [check_coherence(synthetic([12] * 6, rho=0.0, seed=seed), resamples=200).passed for seed in range(200)]
    assert sum(passed) <= 2


def test_large_corpora_are_sampled_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextvec.evaluation.coherence._DOCUMENTS", 20)
    monkeypatch.setattr("nextvec.evaluation.coherence._ROWS", 12)
    snapshot = synthetic([30] * 60)
    report = check(snapshot)
    assert report.measured == 20
    assert "60 documents, 20 measured" in report.lines()[1]
    assert report.passed
    assert report == check_coherence(snapshot)
    assert report != check_coherence(snapshot, seed=1)


def test_duplicates_are_counted_across_documents() -> None:
    snapshot = synthetic([10] * 10)
    vectors = np.concatenate([snapshot.vectors, snapshot.vectors[:25]])
    offsets = np.append(snapshot.offsets, 125)
    ids = [f"d{i}" for i in range(11)]
    report = check_coherence(Snapshot.from_arrays("d", vectors, offsets, ids, encoder=snapshot.encoder))
    assert report.duplicates == pytest.approx(50 / 125)


def test_one_document_has_nothing_across() -> None:
    report = check(synthetic([400]))
    assert report.across is None
    assert report.passed
    assert any("only 1 document" in line for line in report.lines())


def test_an_empty_snapshot_is_an_error() -> None:
    spec = EncoderSpec(name="test", dim=4)
    empty = Snapshot.from_arrays("nothing", np.zeros((0, 4), np.float32), np.array([0]), [], encoder=spec)
    with pytest.raises(DataError, match="holds no chunks"):
        check_coherence(empty)


def test_it_is_measured_once_for_each_content_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = synthetic([30] * 12)
    assert (report := kept_coherence(snapshot, tmp_path)) == check_coherence(snapshot)
    monkeypatch.setattr(coherence, "check_coherence", lambda given: pytest.fail("measured again"))
    assert kept_coherence(replace(snapshot, name="other"), tmp_path) == replace(report, label="other")


def test_what_is_damaged_is_measured_again(tmp_path: Path) -> None:
    snapshot = synthetic([30] * 12)
    report = kept_coherence(snapshot, tmp_path)
    (kept,) = (tmp_path / "coherence").iterdir()
    kept.write_text("{}")
    assert kept_coherence(snapshot, tmp_path) == report
    assert kept.read_text() != "{}"


def test_who_may_not_write_measures_it_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, value: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    snapshot = synthetic([30] * 12)
    monkeypatch.setattr(coherence, "write_json", refused)
    assert kept_coherence(snapshot, tmp_path) == check_coherence(snapshot)


def test_vectors_that_came_without_text_are_no_list() -> None:
    """Their texts are kept as empty ones."""
    report = check(replace(synthetic([30] * 60), read_texts=lambda rows: [""] * len(rows)))
    assert report.passed
    assert report.list_likeness is None
