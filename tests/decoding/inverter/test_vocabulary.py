import pytest

from nextvec.decoding.inverter.vocabulary import UNKNOWN, Vocabulary, learn_tokenizer, load_tokenizer
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


LINES = ("The River walks into the Sea.", "Überall naïve Flüsse: 河流流向大海! 🐟", "walking, talking, WALKING") * 3


@pytest.fixture(scope="module")
def learnt():
    return Vocabulary.of_texts(learn_tokenizer(LINES, 300), LINES)


def test_texts_come_back_as_they_were(learnt):
    assert learnt.decode(learnt.encode(LINES)) == list(LINES)


def test_it_is_the_same_for_the_same_texts(learnt):
    again = Vocabulary.of_texts(learn_tokenizer(iter(LINES), 300), LINES)
    assert again.fingerprint == learnt.fingerprint


def test_it_has_no_more_than_it_was_asked_for(learnt):
    assert learnt.tokenizer.get_vocab_size() <= 300


def test_half_a_character_is_left_out():
    learnt = Vocabulary.of_texts(learn_tokenizer(["🐟"], 256), ["🐟"])
    parts = learnt.encode(["🐟"])[0]
    assert len(parts) > 1
    assert learnt.decode([parts[:-1]]) == [""]


@pytest.mark.parametrize(("token", "spelt"), [("Ġthe", ["the"]), ("ing", ["##ing"]), ("Ġ", ["[UNK]"])])
def test_words_and_their_ends_are_spelt_in_word_pieces(token, spelt):
    lines = ["the singing, the reading, the seeing, the going  the jumping"]
    learnt = Vocabulary.of_texts(learn_tokenizer(lines, 266), lines)
    pieces = load_tokenizer(minilm_folder() / "tokenizer.json")
    place = [learnt.tokenizer.id_to_token(int(piece)) for piece in learnt.pieces].index(token)
    assert [pieces.id_to_token(one) for one in learnt.spelt_by(pieces)[place]] == spelt
