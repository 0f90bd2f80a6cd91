"""Parts are decided by the document's id alone, and nothing near-duplicate of a held-out document is trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import DataError, UsageError
from nextvec.sequences import splits
from nextvec.sequences.shingles import containment, shingles
from nextvec.sequences.splits import (
    SplitSpec,
    document_means,
    near_duplicates,
    split_documents,
    split_snapshot,
)
from nextvec.store.snapshot import Snapshot

DIM = 8
SPEC = SplitSpec(salt="s")
WORDS = [f"word{i}" for i in range(4_000)]


def ids(count: int) -> list[str]:
    return [f"article/{i}" for i in range(count)]


def prose(seed: int, sentences: int = 6) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 12)) for _ in range(sentences)]


def snapshot_of(
    texts: list[list[str]], doc_ids: list[str], seeds: list[int], *, with_texts: bool = True, test: int = 300
) -> Snapshot:
    """One document a text; documents of equal seeds have equal vectors."""
    vectors = [np.random.default_rng(seed).standard_normal((len(t), DIM)) for seed, t in zip(seeds, texts, strict=True)]
    rows = np.concatenate([v / np.linalg.norm(v, axis=1, keepdims=True) for v in vectors]).astype(np.float32)
    offsets = np.concatenate([[0], np.cumsum([len(t) for t in texts])])
    return Snapshot.from_arrays(
        "c",
        rows,
        offsets,
        doc_ids,
        encoder=EncoderSpec(name="test", dim=DIM),
        split={"salt": "s", "test": test, "validation": 2 * test},
        texts=[text for t in texts for text in t] if with_texts else None,
    )


def with_duplicate(*, with_texts: bool = True, same_text: bool = True, same_vectors: bool = True) -> Snapshot:
    """Sixty documents; the first training one repeats the first test one in vectors, in text, or both."""
    spec = SplitSpec(salt="s", test=300, validation=600)
    doc_ids = ids(60)
    parts = split_documents(spec, doc_ids, owner="c")
    train, test = int(parts["train"][0]), int(parts["test"][0])
    texts, seeds = [prose(i) for i in range(60)], list(range(60))
    if same_text:
        texts[train] = texts[test]
    if same_vectors:
        seeds[train] = seeds[test]
    return snapshot_of(texts, doc_ids, seeds, with_texts=with_texts)


def test_bucket_is_blake2b_of_salt_and_id() -> None:
    digest = hashlib.blake2b(b"sarticle/7", digest_size=8).digest()
    assert SPEC.bucket("article/7") == int.from_bytes(digest, "big") % 1000


def test_parts_follow_the_bounds() -> None:
    for name in ids(3_000):
        bucket = SPEC.bucket(name)
        assert SPEC.assign(name) == ("test" if bucket < 100 else "validation" if bucket < 200 else "train")


def test_shares_are_near_the_bounds() -> None:
    parts = split_documents(SPEC, ids(20_000), owner="c")
    assert len(parts["test"]) == pytest.approx(2_000, rel=0.08)
    assert len(parts["validation"]) == pytest.approx(2_000, rel=0.08)
    assert sum(map(len, parts.values())) == 20_000


def test_adding_documents_moves_none() -> None:
    grown = ids(2_000)
    for part, indexes in split_documents(SPEC, grown[:500], owner="c").items():
        old = {grown[i] for i in indexes}
        new = {grown[i] for i in split_documents(SPEC, grown, owner="c")[part]}
        assert old <= new
        assert {name for name in new if int(name.split("/")[1]) < 500} == old


def test_order_of_documents_does_not_matter() -> None:
    names = ids(300)
    forward = split_documents(SPEC, names, owner="c")["test"]
    backward = split_documents(SPEC, names[::-1], owner="c")["test"]
    assert {names[i] for i in forward} == {names[::-1][i] for i in backward}


@pytest.mark.parametrize(("test", "validation"), [(200, 200), (300, 200), (0, 200), (100, 1000), (-5, 100)])
def test_bounds_that_leave_a_part_empty_are_refused(test: int, validation: int) -> None:
    with pytest.raises(UsageError, match=r"split of c: .*(test|validation)"):
        SplitSpec.parse({"salt": "s", "test": test, "validation": validation}, owner="split of c")


def test_fingerprint_is_of_the_spec_alone() -> None:
    texts, seeds = [prose(i) for i in range(80)], list(range(80))
    small = split_snapshot(snapshot_of(texts[:50], ids(50), seeds[:50]))
    large = split_snapshot(snapshot_of(texts, ids(80), seeds))
    assert small.fingerprint == large.fingerprint == large.spec.fingerprint
    assert SplitSpec(salt="other").fingerprint != SPEC.fingerprint != SplitSpec(salt="s", test=99).fingerprint


def test_too_few_documents_say_which_bounds_to_choose() -> None:
    with pytest.raises(DataError, match=r"every part needs 2\. Create the corpus anew with test = (\d+)") as caught:
        split_documents(SplitSpec(salt="s", test=1, validation=2), ids(40), owner="tiny")
    width = int(str(caught.value).split("anew with test = ")[1].split(",")[0])
    parts = split_documents(SplitSpec(salt="s", test=width, validation=2 * width), ids(40), owner="tiny")
    assert min(map(len, parts.values())) >= 2


def test_hopelessly_few_documents_say_so() -> None:
    with pytest.raises(DataError, match="No bounds help"):
        split_documents(SPEC, ids(5), owner="tiny")


def test_split_of_a_snapshot_without_duplicates() -> None:
    snapshot = with_duplicate(same_text=False, same_vectors=False)
    split = split_snapshot(snapshot)
    assert split.left_out == ()
    together = np.sort(np.concatenate([split.train, split.validation, split.test]))
    assert together.tolist() == list(range(60))
    assert split.parts["test"] is split.test


@pytest.mark.parametrize("with_texts", [True, False])
def test_near_duplicate_leaves_training_and_is_listed(with_texts: bool) -> None:
    snapshot = with_duplicate(with_texts=with_texts)
    split = split_snapshot(snapshot)
    (left_out,) = split.left_out
    assert left_out.document not in split.train
    assert left_out.held_out in split.test
    assert left_out.doc_id == snapshot.documents[left_out.document].doc_id
    assert left_out.held_out_id == snapshot.documents[left_out.held_out].doc_id
    assert left_out.cosine == pytest.approx(1.0)
    assert left_out.shared == 1.0
    assert len(split.train) + len(split.validation) + len(split.test) == 59


def test_documents_that_are_all_alike_say_so() -> None:
    """Not that other bounds help, which they do not."""
    snapshot = snapshot_of([prose(1)] * 60, ids(60), [1] * 60, with_texts=True)
    with pytest.raises(DataError, match=r"(\d+) of \1 training documents are near-duplicates .* No bounds help"):
        split_snapshot(snapshot)


def test_near_duplicates_are_looked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = replace(with_duplicate(), cache=tmp_path)
    first = split_snapshot(snapshot)
    (kept,) = (tmp_path / "splits").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(splits, "near_duplicates", lambda *given: pytest.fail("looked for again"))
        assert split_snapshot(snapshot).left_out == first.left_out
    kept.write_text("damaged")
    assert split_snapshot(snapshot).left_out == first.left_out
    other = replace(snapshot, split={**snapshot.split, "salt": "other"})
    split_snapshot(other)
    assert len(list((tmp_path / "splits").iterdir())) == 2


@pytest.mark.parametrize(("same_text", "same_vectors"), [(True, False), (False, True)])
def test_text_and_vectors_must_both_agree(same_text: bool, same_vectors: bool) -> None:
    assert split_snapshot(with_duplicate(same_text=same_text, same_vectors=same_vectors)).left_out == ()


def test_document_means_equal_the_slow_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextvec.sequences.splits._BLOCK_ROWS", 7)
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum([3, 1, 12, 20, 7, 0, 5])])
    vectors = rng.standard_normal((offsets[-1], 5)).astype(np.float16)
    means = document_means(vectors, offsets)
    for i in range(7):
        mean = vectors[offsets[i] : offsets[i + 1]].astype(np.float64).sum(0)
        expected = mean / np.linalg.norm(mean) if mean.any() else mean
        np.testing.assert_allclose(means[i], expected, atol=1e-6)


def test_no_two_of_six_thousand_random_documents_are_near_duplicates() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((60_000, 64)).astype(np.float32)
    snapshot = Snapshot.from_arrays(
        "c", vectors, np.arange(0, 60_001, 10), ids(6_000), encoder=EncoderSpec(name="test", dim=64)
    )
    assert near_duplicates(snapshot, np.arange(4_800), np.arange(4_800, 6_000)) == ()


def test_a_training_document_that_holds_a_held_out_one_is_left_out() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(70, 8)).astype(np.float32)
    vectors[30:40] = vectors[60:70]  # document 0 holds document 1, a passage of its own mean
    texts = [f"chunk {row if row < 60 else row - 30} of the words that only this one has" for row in range(70)]
    snapshot = Snapshot.from_arrays(
        "c", vectors, [0, 60, 70], ["a", "b"], encoder=EncoderSpec(name="hashing", dim=8), texts=texts
    )
    means = document_means(snapshot.vectors, snapshot.offsets)
    assert means[0] @ means[1] < 0.98
    (left_out,) = near_duplicates(snapshot, np.array([0]), np.array([1]))
    assert (left_out.document, left_out.held_out) == (0, 1)
    assert left_out.shared > 0.9


@pytest.mark.parametrize("share_of_all", [0, 10**9])
def test_near_duplicates_equal_the_slow_twin(monkeypatch: pytest.MonkeyPatch, share_of_all: int) -> None:
    """Through shared shingles and vectors, and by multiplying all pairs: what comparing each with each finds."""
    monkeypatch.setattr("nextvec.sequences.splits.GATHERING", share_of_all)
    rng = np.random.default_rng(1)
    stock = [prose(seed, 1)[0] for seed in range(12)]
    texts = [[stock[i] for i in rng.integers(0, 12, 4)] + ["", "..."] for _ in range(60)]
    texts += [["..."] * 6] * 20 + [["Thank you"] + [""] * 5] * 20
    snapshot = snapshot_of(texts, ids(100), rng.integers(0, 9, 100).tolist())
    left, right = np.arange(0, 100, 2), np.arange(1, 100, 2)
    found = {(each.document, each.shared) for each in near_duplicates(snapshot, left, right)}
    assert found == slow_near_duplicates(snapshot, left, right)
    assert len(found) > 10


def slow_near_duplicates(snapshot: Snapshot, left: np.ndarray, right: np.ndarray) -> set[tuple[int, float]]:
    """Documents of left, and how much each shares with the one of right, of equal mean, that it shares most with."""
    means = document_means(snapshot.vectors, snapshot.offsets)
    best: dict[int, float] = {}
    for i in left.tolist():
        for j in right.tolist():
            said, held = ([*shingle_sets(snapshot, document)] for document in (i, j))
            shared = containment(*((said[0], held[0]) if said[0] and held[0] else (said[1], held[1])))
            if means[i] @ means[j] > 0.98 and shared >= 0.2:
                best[i] = max(shared, best.get(i, 0.0))
    return set(best.items())


def shingle_sets(snapshot: Snapshot, document: int) -> tuple[frozenset[Hashable], frozenset[Hashable]]:
    rows = range(snapshot.offsets[document], snapshot.offsets[document + 1])
    return shingles(snapshot.texts(rows)), frozenset(snapshot.vectors[row].astype(np.float16).tobytes() for row in rows)
