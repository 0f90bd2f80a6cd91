"""From a corpus to an inverter that writes its chunks back."""

from dataclasses import replace

import numpy as np
import pytest

from nextvec.cli.train_inverter import _state
from nextvec.decoding.inverter.bundle import load_inverter
from nextvec.decoding.inverter.vocabulary import tokenize
from nextvec.decoding.inverter.writer import InverterWriter, inverter_decoder
from nextvec.encoders import load_encoder
from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.records import read_lines
from nextvec.records.names import CARD, RUN_LOG
from nextvec.sequences.splits import split_snapshot
from nextvec.training.inverter.loop import _Run
from nextvec.training.inverter.recipe import InverterRecipe
from nextvec.training.inverter.run import part_rows, prepare, resolve_plan, train_inverter


def test_a_corpus_that_was_not_cut_from_texts_is_refused_as_such(snapshot, encoder, make_plan, tmp_path, monkeypatch):
    texts, read = [" "] * len(snapshot), []
    bare = replace(
        snapshot, chunker={"name": "npz", "context": 5}, read_texts=lambda rows: [texts[row] for row in rows]
    )
    monkeypatch.setattr("nextvec.training.inverter.run.select_chunks", lambda *_: read.append(1))
    told = r"rivers was not cut from texts \('npz'\), so there are none to learn to write\. .* corpus ingest"
    with pytest.raises(UsageError, match=told):
        train_inverter(bare, encoder, make_plan(), tmp_path / "inverter")
    assert not read
    assert not (tmp_path / "inverter").exists()


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


def test_the_recorded_figures_are_those_of_the_saved_weights(snapshot, encoder, make_plan, tmp_path, monkeypatch):
    """Validation gets worse in the end, so the best weights are not the last ones."""
    monkeypatch.setattr(InverterRecipe, "rate", lambda recipe, done: 5e-3 if done < 0.5 else 0.5)
    plan, folder = make_plan(epochs=12, validation_steps=20), tmp_path / "inverter"
    metrics = train_inverter(snapshot, encoder, plan, folder)
    validations = [event for event in read_lines(folder / RUN_LOG) if event["event"] == "validation"]
    best = max(validations, key=lambda event: event["round_trip"] + (event["corrected"] or event["round_trip"]))
    assert best is not validations[-1]
    assert best["round_trip"] != validations[-1]["round_trip"]
    recorded = (metrics["validation_loss"], metrics["round_trip"], metrics["best_step"])
    assert recorded == (best["validation_loss"], best["round_trip"], best["step"])
    material = prepare(snapshot, split_snapshot(snapshot), encoder, plan)
    run = _Run(load_inverter(folder).network, material, plan.recipe, tmp_path / "again", None)
    run.network.eval()
    assert run._round_trip() == pytest.approx(metrics["round_trip"], abs=1e-6)


def test_a_vocabulary_of_byte_pairs_keeps_capitals_and_accents(capitals, encoder, make_plan, tmp_path):
    plan = make_plan(byte_pairs=320, epochs=40, lr=5e-3)
    metrics = train_inverter(capitals, encoder, plan, tmp_path / "inverter")
    rows = part_rows(capitals, split_snapshot(capitals), "test")
    writer = InverterWriter(load_inverter(tmp_path / "inverter"), candidates=1)
    written = writer.begin(capitals.vectors[rows].astype(np.float32))
    for word in ("King", "Öresund"):
        given = [word in text for text in capitals.texts(rows)]
        assert np.mean([word in text for (text,) in written] == np.array(given)) > 0.8
    assert metrics["round_trip"] > 0.8
    assert "It writes capitals" in (tmp_path / "inverter" / CARD).read_text()


def test_before_the_first_validation_the_round_trip_is_not_known(snapshot, encoder, make_plan, tmp_path):
    told = []
    plan = make_plan(validation_steps=20)
    train_inverter(snapshot, encoder, plan, tmp_path / "inverter", on_progress=told.append)
    assert told[0].round_trip is None
    assert told[-1].round_trip is not None
    assert "cos ? " in _state(told[0])


def test_a_run_goes_on_with_other_settings_that_change_nothing_and_says_so(trained, snapshot, encoder, make_plan):
    said = []
    plan = make_plan(epochs=40, lr=5e-3, device="cpu", checkpoint_steps=3)
    again = train_inverter(snapshot, encoder, plan, trained[0], resume=True, on_change=said.append)
    assert again == trained[1]
    assert said == [
        "resumed with device = cpu, begun with auto", "resumed with checkpoint_steps = 3, begun with 500"
    ]  # fmt: skip


def test_several_processes_are_refused(snapshot, encoder, make_plan, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="2 processes were launched, and training an inverter works in one"):
        train_inverter(snapshot, encoder, make_plan(), tmp_path / "inverter")


def test_a_finished_run_is_left_as_it_is(trained, snapshot, encoder, make_plan):
    folder, metrics = trained
    again = train_inverter(snapshot, encoder, make_plan(epochs=40, lr=5e-3), folder, resume=True)
    assert again == metrics


def test_its_trackers_are_told_everything_in_order(notes, snapshot, encoder, make_plan, tmp_path):
    folder = tmp_path / "inverter"
    train_inverter(snapshot, encoder, make_plan(epochs=1), folder, track=["notes"])
    assert notes.heard[0] == ("start", "inverter")
    assert notes.heard[1:-5] == [(event["event"], event["step"]) for event in read_lines(folder / RUN_LOG)]
    assert [what[0] for what in notes.heard[-5:]] == ["model", "artefact", "artefact", "artefact", "close"]


def test_an_unknown_tracker_leaves_no_folder_behind(snapshot, encoder, make_plan, tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'mlflow'"):
        train_inverter(snapshot, encoder, make_plan(), tmp_path / "inverter", track=["mlfow"])
    assert not (tmp_path / "inverter").exists()


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
