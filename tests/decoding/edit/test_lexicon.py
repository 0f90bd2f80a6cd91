"""Which words of a corpus a vector tells."""

import numpy as np
import pytest

from nextvec.decoding.edit.lexicon import Lexicon
from nextvec.encoders.hashing import HashingEncoder

ENCODER = HashingEncoder(64)
ANIMALS = ["cat", "dog", "owl", "bee", "ant", "elk", "eel", "rat"]


@pytest.fixture(scope="module")
def texts():
    chance = np.random.default_rng(0)
    return [f"The {chance.choice(ANIMALS)} sees the {chance.choice(ANIMALS)}, and Rome." for _ in range(200)] + ["Xy."]


@pytest.fixture(scope="module")
def lexicon(texts):
    return Lexicon.learn(texts, ENCODER.encode(texts).astype(np.float16))


def test_the_likeliest_words_of_a_vector_are_those_of_its_text(lexicon):
    for animal in ANIMALS:
        (told,) = lexicon.told(ENCODER.encode([f"The {animal} sees the {animal}, and Rome."]), 6)
        assert set(told) == {"The", "the", "sees", "and", "Rome", animal}


def test_no_more_are_told_than_there_are_and_none_that_few_texts_have(lexicon):
    (told,) = lexicon.told(ENCODER.encode(["Xy."]), 1000)
    assert sorted(told) == sorted(["The", "the", "sees", "and", "Rome", *ANIMALS])  # neither marks nor "Xy"


def test_it_is_kept_as_it_is(lexicon, tmp_path):
    path, vectors = tmp_path / "lexicon.npz", ENCODER.encode(["The cat.", "An owl in Rome."])
    lexicon.save(path)
    assert Lexicon.load(path).told(vectors, 13) == lexicon.told(vectors, 13)
    path.write_bytes(path.read_bytes()[:100])
    assert Lexicon.load(path) is None
    assert Lexicon.load(tmp_path / "absent.npz") is None


def test_a_corpus_without_a_word_of_several_texts_tells_none(tmp_path):
    lone = Lexicon.learn(["One two."], ENCODER.encode(["One two."]))
    lone.save(tmp_path / "lone.npz")
    for lexicon in (lone, Lexicon.load(tmp_path / "lone.npz")):
        assert lexicon.told(ENCODER.encode(["One."]), 5) == [[]]
