"""An inverter that learns on from another one: its weights, its tokens, what its record and card say."""

import pytest
from safetensors.torch import load_file

from nextvec.decoding.inverter.bundle import load_inverter
from nextvec.errors import UsageError
from nextvec.records import read_json
from nextvec.records.names import CARD, CONFIG, WEIGHTS
from nextvec.training.inverter.run import resolve_plan, train_inverter

FURTHER = {
    "start": "inverter:first", "epochs": 3, "tokens": 256, "corrections": 64, "frequent": 8, "sampled": 8,
    "validation_steps": 50,
}  # fmt: skip


class CutOff(Exception):
    """Nothing is tidied up."""


@pytest.fixture(scope="module")
def first(snapshot, encoder, make_plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "first"
    train_inverter(snapshot, encoder, make_plan(), folder)
    return folder


def learn_on(first, snapshot, encoder, folder, **options):
    plan = resolve_plan({**FURTHER, **options})
    return train_inverter(snapshot, encoder, plan, folder, begun=load_inverter(first))


@pytest.fixture(scope="module")
def second(first, snapshot, encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "second"
    learn_on(first, snapshot, encoder, folder)
    return folder


def test_it_is_better_than_what_it_began_with(first, second):
    before, after = (load_inverter(folder).metrics["validation_loss"] for folder in (first, second))
    assert after < before - 0.05


def test_without_a_step_of_any_size_it_is_what_it_began_with(first, snapshot, encoder, tmp_path):
    learn_on(first, snapshot, encoder, tmp_path / "same", epochs=0.1, lr=1e-30, final_lr=0)
    before, after = (load_file(folder / WEIGHTS) for folder in (first, tmp_path / "same"))
    assert before.keys() == after.keys()
    assert all(before[name].equal(after[name]) for name in before)


def test_its_record_says_what_it_began_with(first, second):
    before, after = read_json(first / CONFIG), read_json(second / CONFIG)
    assert after["start"]["inverter"] == "first"
    assert after["start"]["weights"] == before["weights"] == after["training"]["start_weights"]
    assert after["start"]["training"] == before["training"]
    assert after["network"] == before["network"]


def test_its_card_says_what_it_began_with_and_how_it_writes(second):
    card = (second / CARD).read_text()
    assert "It has learnt on from the inverter first. It writes in small letters" in card


def test_what_was_learnt_is_kept_of_a_vocabulary_of_its_own(capitals, encoder, make_plan, tmp_path):
    train_inverter(capitals, encoder, make_plan(byte_pairs=300, bag_of_words="false"), tmp_path / "first")
    learn_on(tmp_path / "first", capitals, encoder, tmp_path / "second")
    made = load_inverter(tmp_path / "second")
    assert made.config["training"]["byte_pairs"] == 300
    assert not made.config["training"]["bag_of_words"]
    assert made.vocabulary.fingerprint == load_inverter(tmp_path / "first").vocabulary.fingerprint
    assert "It writes capitals and accents" in (tmp_path / "second" / CARD).read_text()


def test_a_corpus_that_has_grown_teaches_it_more(first, grown, encoder, tmp_path):
    assert learn_on(first, grown, encoder, tmp_path / "second")["training_chunks"] > 300


@pytest.mark.parametrize("key", ["width", "longest", "byte_pairs", "bag_of_words", "pretrained_embedding"])
def test_what_the_inverter_decides_is_not_asked_for(key):
    with pytest.raises(UsageError, match=f"{key} = 8: the inverter of start decides it"):
        resolve_plan({"start": "inverter:first", key: 8})


@pytest.mark.parametrize("start", ["inverter:", "inverter:first?steps=3"])
def test_a_start_that_names_no_inverter_is_refused(start):
    with pytest.raises(UsageError, match="expected inverter:NAME"):
        resolve_plan({"start": start})


def test_it_is_resumed_when_what_it_began_with_has_another_name(first, snapshot, encoder, tmp_path):
    def cut(progress):
        raise CutOff

    plan = resolve_plan(FURTHER)
    with pytest.raises(CutOff):
        train_inverter(snapshot, encoder, plan, tmp_path / "second", begun=load_inverter(first), on_progress=cut)
    told = []
    train_inverter(
        snapshot, encoder, resolve_plan({**FURTHER, "start": "inverter:renamed"}), tmp_path / "second",
        begun=load_inverter(first), resume=True, on_change=told.append,
    )  # fmt: skip
    assert told == ["resumed with start = inverter:renamed, begun with inverter:first"]
    assert load_inverter(tmp_path / "second").metrics["steps"] > 0


def test_it_corrects_from_the_first_step_unless_told_otherwise():
    assert resolve_plan({"start": "inverter:first"}).recipe.correct_from == 0
    assert resolve_plan({"start": "inverter:first", "correct_from": 0.5}).recipe.correct_from == 0.5
