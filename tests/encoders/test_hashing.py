import hashlib
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextvec.encoders import load_encoder
from nextvec.encoders.hashing import HashingEncoder
from nextvec.errors import UsageError


def test_vectors_are_unit_float32_and_in_order(texts):
    vectors = load_encoder("hashing:64").encode(texts)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(texts), 64)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.array_equal(vectors, np.concatenate([HashingEncoder(64).encode([text]) for text in texts]))


def test_shared_words_bring_texts_together():
    near, same, far = HashingEncoder().encode(["the cat sat on the mat", "on the mat sat the cat", "tax law reform"])
    assert near @ same > 0.99
    assert near @ far < 0.3


def test_text_without_words_becomes_the_fixed_unit_vector():
    assert np.allclose(HashingEncoder(4).encode(["...", " ?! "]), 0.5)


def test_no_texts_give_no_rows():
    assert HashingEncoder(16).encode([]).shape == (0, 16)


def test_vector_is_pinned():
    vector = HashingEncoder(4).encode(["one two"])[0]
    assert np.allclose(vector, [6**-0.5, 2 * 6**-0.5, 6**-0.5, 0.0], atol=1e-6)


def test_default_dimension():
    assert load_encoder("hashing").spec.dim == 256
    assert load_encoder("hashing").spec.reference == "hashing:256"


def test_dimensions_are_different_encoders():
    assert HashingEncoder(32).spec.fingerprint != HashingEncoder(64).spec.fingerprint


@pytest.mark.parametrize("argument", ["hashing:x", "hashing:0", "hashing:1", "hashing:-4"])
def test_bad_dimension_is_an_error(argument):
    with pytest.raises(UsageError, match="for example hashing:64"):
        load_encoder(argument)


def test_progress_reaches_all(texts):
    seen = []
    HashingEncoder(8).encode(texts, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(texts), len(texts))


def slow_vectors(texts, dim):
    return np.array([slow(text, dim) for text in texts], dtype=np.float32).reshape(-1, dim)


def slow(text, dim):
    """One feature after the other, as the encoder is defined."""
    total = np.zeros(dim)
    for word in re.findall(r"\w+", text.lower()):
        padded = f"<{word}>"
        trigrams = [padded[start : start + 3] for start in range(len(word))]
        for name, weight in ((f"word {word}", 1.0), *((trigram, 0.5) for trigram in trigrams)):
            number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
            total[number % 2**62 % dim] += weight if number >> 63 else -weight
    return total / np.linalg.norm(total) if total.any() else np.full(dim, dim**-0.5)


@pytest.mark.parametrize("kept", [0, 2, 1 << 17])
def test_vectors_are_those_of_one_feature_after_the_other(monkeypatch, kept):
    monkeypatch.setattr("nextvec.encoders.hashing._TOGETHER", 3)
    monkeypatch.setattr("nextvec.encoders.hashing._KEPT_WORDS", kept)
    texts = [
        "one two one",
        ".",
        "two",
        ".",
        "Straße zwei",
        "a_1\x1cB\tc",
        "Ä.Σ İ",
        "K \u212a \u017f",
        "\U00020000ab 一二",
        "a",
        ".",
    ]
    assert np.array_equal(HashingEncoder(24).encode(texts), np.array([slow(text, 24) for text in texts], np.float32))


@settings(deadline=None)
@given(st.lists(st.text(min_size=1).filter(lambda text: bool(text.strip())), max_size=5))
def test_any_text_is_read_as_by_the_slow_twin(texts):
    assert np.array_equal(
        HashingEncoder(5).encode(texts), np.array([slow(text, 5) for text in texts], np.float32).reshape(-1, 5)
    )
