"""A trigram model is a distribution, prefers what it was taught, and survives its file."""

from itertools import product

import numpy as np
import pytest

from nextvec.decoding.edit.fluency import KNOWN, Fluency, words
from nextvec.errors import DataError

TEXTS = ["The cat sat on the mat.", "The cat ate the mouse.", "The dog sat on the cat.", "A dog ate the mat."] * 2
TEXTS = [*TEXTS, "The owl slept.", "An eel swam."]


@pytest.fixture(scope="module")
def fluency():
    return Fluency.learn(TEXTS)


def test_words_keep_their_capitals_and_marks_stand_alone():
    assert words("It's  a dog, (Rex).") == ["It's", "a", "dog", ",", "(", "Rex", ")", "."]


def test_after_any_two_words_the_probabilities_of_all_are_one(fluency):
    size = len(fluency._single)
    for before in product(range(size), repeat=2):
        triples = np.array([(*before, last) for last in range(size)])
        assert fluency._chances(triples).sum() == pytest.approx(1)


def test_single_words_count_by_what_they_follow(fluency):
    number = {word: place for place, word in enumerate(fluency._vocabulary, KNOWN)}
    single = fluency._single
    assert single[number["on"]] < single[number["sat"]]  # met as often, after one word and after two
    assert single.sum() == pytest.approx(1)


def test_what_was_met_once_is_left_out(fluency):
    assert "owl" not in fluency._vocabulary
    assert len(Fluency.learn([*TEXTS, "The mouse ate the dog."])._triples.keys) == len(fluency._triples.keys)


def test_words_are_spelt_as_they_are_met_most_often():
    fluency = Fluency.learn(["In Rome the cat sat.", "The cat left Rome.", "A cat saw Rome.", "He saw the CAT."] * 2)
    assert "".join(fluency.spelt(piece) for piece in ("the", " CAT", " of", " rome", ".")) == "the cat of Rome."


def test_a_text_in_disorder_is_stranger_and_more_perplexing(fluency):
    text, disorder = "The dog ate the mouse.", "mouse the the. ate dog The"
    plain, strange = fluency.strangeness([words(text), words(disorder)])
    assert plain < 0 < strange
    assert 1 < fluency.perplexity([text]) < fluency.perplexity([disorder])


def test_texts_are_measured_alike_alone_and_in_company(fluency):
    said = [words(text) for text in ("The dog sat.", "A cat ate the mat.", "")]
    alone = np.concatenate([fluency.strangeness([each]) for each in said])
    assert fluency.strangeness(said) == pytest.approx(alone)
    assert fluency.strangeness([]).shape == (0,)


def test_a_rare_word_perplexes_more_than_it_is_strange(fluency):
    rare, common = "The zebra sat on the mat.", "The cat sat on the mat."
    strange = np.subtract(*fluency.strangeness([words(rare), words(common)]))
    assert strange < np.log(fluency.perplexity([rare]) / fluency.perplexity([common]))


def test_it_survives_its_file_and_a_damaged_one_is_none(fluency, tmp_path):
    fluency.save(path := tmp_path / "kept" / "fluency.npz")
    assert Fluency.load(path).perplexity(TEXTS) == fluency.perplexity(TEXTS)
    path.write_bytes(path.read_bytes()[:-900])
    assert Fluency.load(path) is None
    assert Fluency.load(tmp_path / "absent.npz") is None


def test_nothing_to_learn_from_or_measure_is_an_error(fluency):
    with pytest.raises(DataError, match="2 texts with no word that is met twice"):
        Fluency.learn(["One two.", "Three four"])
    with pytest.raises(DataError, match="expected one text or more"):
        fluency.perplexity([])
