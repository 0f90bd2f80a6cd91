from __future__ import annotations

import numpy as np

from nextvec.encoders.encoder import EncoderSpec
from nextvec.sequences.shingles import containment, shingle_keys, shingles
from nextvec.store.snapshot import Snapshot


def test_shingles_ignore_case_and_punctuation_and_cross_chunks() -> None:
    left = shingles(["One two, three four.", "Five six; seven eight nine."])
    assert left == shingles(["one TWO three four five six seven eight nine"])
    assert len(left) == 2
    assert shingles(["Too short."]) == {("too", "short")}
    assert shingles(["..."]) == frozenset()


def test_containment_is_of_the_smaller() -> None:
    assert containment(frozenset("abcd"), frozenset("ab")) == 1.0
    assert containment(frozenset("abcd"), frozenset("dx")) == 0.5
    assert containment(frozenset(), frozenset("a")) == 0.0


def test_keys_are_equal_where_shingles_are() -> None:
    texts = ["One two three four.", "five six seven eight nine", "Five six.", "five SIX", "...", "", "two", ""]
    texts += texts[:2]
    snapshot = Snapshot.from_arrays(
        "c", np.ones((10, 2), np.float32), range(0, 11, 2), list("abcde"), encoder=EncoderSpec(name="t", dim=2),
        texts=texts,
    )  # fmt: skip
    ((speaking, held),) = shingle_keys(snapshot, np.arange(5))
    assert speaking.tolist() == [0, 1, 3, 4]
    keys = {owner: set(held.keys[held.owners == owner].tolist()) for owner in range(5)}
    assert [len(keys[owner]) for owner in range(5)] == [2, 1, 0, 1, 2]
    assert keys[0] == keys[4]
    assert not keys[1] & keys[3]
