import numpy as np
import pytest

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


@pytest.mark.parametrize("kept", [0, 2, 1 << 16])
def test_vectors_are_those_of_one_text_after_the_other(monkeypatch, kept):
    """The slow twin: features summed text by text, word by word."""
    from nextvec.encoders.hashing import _word_features

    def slow(text):
        total = np.zeros(24)
        for word in text.lower().strip(".").split():
            for hashed, weight in zip(*_word_features(word), strict=True):
                total[hashed % 24] += weight
        return total / np.linalg.norm(total) if total.any() else np.full(24, 24**-0.5)

    monkeypatch.setattr("nextvec.encoders.hashing._TOGETHER", 3)
    monkeypatch.setattr("nextvec.encoders.hashing._KEPT_WORDS", kept)
    texts = ["one two one", ".", "two", ".", "Straße zwei drei", "one", "a", "."]
    assert np.array_equal(HashingEncoder(24).encode(texts), np.array([slow(text) for text in texts], dtype=np.float32))
