"""From a corpus to an inverter that writes its chunks back."""

import pytest

from nextvec.decoding.inverter.bundle import load_inverter
from nextvec.decoding.inverter.vocabulary import tokenize
from nextvec.decoding.inverter.writer import inverter_decoder
from nextvec.encoders import load_encoder
from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.sequences.splits import split_snapshot
from nextvec.training.inverter.run import part_rows, resolve_plan, train_inverter


@pytest.fixture(scope="module")
def trained(snapshot, encoder, make_plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "inverter-rivers"
    plan = make_plan(epochs=40, lr=5e-3)
    metrics = train_inverter(snapshot, encoder, plan, folder)
    return folder, metrics


def test_it_learns_to_write_held_out_chunks_back(trained, snapshot, encoder):
    folder, _ = trained
    decoder = inverter_decoder(load_inverter(folder), encoder, snapshot.encoder)
    rows = part_rows(snapshot, split_snapshot(snapshot), "test")
    decoded = decoder.decode(snapshot.vectors[rows], steps=1)
    right = [one.text == text for one, text in zip(decoded, snapshot.texts(rows), strict=True)]
    assert sum(right) / len(right) > 0.5


def test_its_bundle_says_what_it_came_from(trained, snapshot):
    folder, metrics = trained
    inverter = load_inverter(folder)
    assert inverter.encoder.fingerprint == snapshot.encoder.fingerprint
    assert inverter.config["corpus"]["fingerprint"] == snapshot.fingerprint
    assert inverter.metrics["training_chunks"] == len(part_rows(snapshot, split_snapshot(snapshot), "train"))
    assert metrics["round_trip"] > 0.9
    card = (folder / "README.md").read_text()
    assert "inverter:inverter-rivers" in card
    assert snapshot.encoder.fingerprint in card


def test_no_held_out_word_is_in_the_vocabulary(trained, snapshot):
    """The vocabulary is of the training documents: nothing is learnt from others, not even their words."""
    vocabulary = load_inverter(trained[0]).vocabulary
    training = snapshot.texts(part_rows(snapshot, split_snapshot(snapshot), "train"))
    used = {i for ids in tokenize(vocabulary.tokenizer, training) for i in ids.tolist()}
    assert set(vocabulary.pieces.tolist()) == used


def test_a_finished_run_is_left_as_it_is(trained, snapshot, encoder, make_plan):
    folder, metrics = trained
    again = train_inverter(snapshot, encoder, make_plan(epochs=40, lr=5e-3), folder, resume=True)
    assert again == metrics


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widht": 8}, "Did you mean 'width'"),
        ({"width": 30, "heads": 4}, "no multiple"),
        ({"noise": -1}, "noise"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(UsageError, match=message):
        resolve_plan(options)


def test_texts_of_another_length_are_needed(snapshot, encoder, make_plan, tmp_path):
    with pytest.raises(DataError, match="longest"):
        train_inverter(snapshot, encoder, make_plan(longest=4), tmp_path / "inverter")


def test_another_encoder_is_refused(snapshot, make_plan, tmp_path):
    with pytest.raises(MismatchError, match="hashing"):
        train_inverter(snapshot, load_encoder("hashing:32"), make_plan(), tmp_path / "inverter")
