import pytest

from nextvec.decoding.inverter.vocabulary import UNKNOWN, Vocabulary, load_tokenizer
from nextvec.encoders.transformer import minilm_folder
from nextvec.errors import DataError, IntegrityError

TEXTS = ["The river falls into the sea.", "The river, in winter!"]


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.of_texts(load_tokenizer(minilm_folder() / "tokenizer.json"), TEXTS)


def test_texts_come_back_in_small_letters(vocabulary):
    assert vocabulary.decode(vocabulary.encode(TEXTS)) == [text.lower() for text in TEXTS]


def test_the_most_frequent_come_first(vocabulary):
    first = [vocabulary.decode([[i]])[0] for i in (2, 3)]
    assert first == ["the", "river"]


def test_what_was_not_in_the_texts_is_unknown(vocabulary):
    ids = vocabulary.encode(["the ocean"])[0].tolist()
    assert ids == [2, UNKNOWN]
    assert vocabulary.decode([[0, 2, UNKNOWN, 3, 0]]) == ["the river"]


def test_long_texts_are_not_cut(vocabulary):
    assert len(vocabulary.encode(["the " * 1000])[0]) == 1000


def test_texts_without_a_token_are_refused(vocabulary):
    with pytest.raises(DataError, match="no token"):
        Vocabulary.of_texts(vocabulary.tokenizer, ["", " "])


def test_a_damaged_tokenizer_is_refused(tmp_path):
    with pytest.raises(IntegrityError, match="missing"):
        load_tokenizer(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(IntegrityError, match="not a tokenizer"):
        load_tokenizer(tmp_path / "tokenizer.json")
