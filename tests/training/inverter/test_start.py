"""Training that begins at a language model: like any other, but for its layers, its tokens and what it is told."""

import numpy as np
import pytest

from nextvec.decoding.inverter.bundle import load_inverter
from nextvec.decoding.inverter.writer import inverter_decoder
from nextvec.errors import MismatchError, UsageError
from nextvec.records import read_json
from nextvec.records.names import CARD, CONFIG, WEIGHTS
from nextvec.sequences.splits import split_snapshot
from nextvec.training.inverter.run import part_rows, resolve_plan, train_inverter

OPTIONS = {
    "pseudo_tokens": 2, "longest": 24, "tokens": 256, "corrections": 32, "frequent": 8, "sampled": 8,
    "validation_steps": 20, "checkpoint_steps": 3, "lr": 5e-3,
}  # fmt: skip


class CutOff(Exception):
    """Nothing is tidied up."""


@pytest.fixture(scope="module")
def folder(language_model_folder):
    return language_model_folder("gpt2")


@pytest.fixture(scope="module")
def trained(snapshot, encoder, folder, tmp_path_factory):
    made = tmp_path_factory.mktemp("models") / "inverter-rivers"
    train_inverter(snapshot, encoder, resolve_plan({**OPTIONS, "start": str(folder), "epochs": 12}), made)
    return made


def test_it_learns_to_write_held_out_chunks(trained, snapshot, encoder):
    decoder = inverter_decoder(load_inverter(trained), encoder, snapshot.encoder)
    rows = part_rows(snapshot, split_snapshot(snapshot), "test")
    decoded = decoder.decode(snapshot.vectors[rows].astype(np.float32), steps=1)
    assert np.mean([one.cosine for one in decoded]) > 0.6


def test_its_record_and_card_say_where_it_began(trained, folder):
    config = read_json(trained / CONFIG)
    assert config["training"]["start"] == str(folder)
    assert len(config["training"]["start_weights"]) == 16
    assert config["network"]["width"] == 16
    card = (trained / CARD).read_text()
    assert "those of the language model" in card
    assert "| language_model | gpt2 |" in card


def test_a_run_that_was_cut_off_ends_with_the_same_weights(trained, snapshot, encoder, folder, tmp_path):
    plan = resolve_plan({**OPTIONS, "start": str(folder), "epochs": 12})

    def cut(progress):
        if progress.done > 0.7:
            raise CutOff

    with pytest.raises(CutOff):
        train_inverter(snapshot, encoder, plan, tmp_path / "inverter", on_progress=cut)
    train_inverter(snapshot, encoder, plan, tmp_path / "inverter", resume=True)
    assert (tmp_path / "inverter" / WEIGHTS).read_bytes() == (trained / WEIGHTS).read_bytes()


def test_it_is_not_resumed_with_other_weights(snapshot, encoder, folder, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    start = tmp_path / "start"
    shutil.copytree(folder, start)
    plan = resolve_plan({**OPTIONS, "start": str(start), "epochs": 1})

    def cut(progress):
        raise CutOff

    with pytest.raises(CutOff):
        train_inverter(snapshot, encoder, plan, tmp_path / "inverter", on_progress=cut)
    weights = load_file(start / "model.safetensors")
    save_file({name: 2 * tensor for name, tensor in weights.items()}, start / "model.safetensors", {"format": "pt"})
    with pytest.raises(MismatchError, match="start_weights"):
        train_inverter(snapshot, encoder, plan, tmp_path / "inverter", resume=True)


@pytest.mark.parametrize("key", ["width", "layers", "heads", "byte_pairs"])
def test_what_the_language_model_decides_is_not_asked_for(key):
    with pytest.raises(UsageError, match=f"{key} = 8: the language model of start decides it"):
        resolve_plan({"start": "somewhere", key: 8})


def test_its_rate_is_gentle_unless_another_is_given():
    assert resolve_plan({"start": "somewhere"}).recipe.lr == 3e-4
    assert resolve_plan({"start": "somewhere", "lr": 1e-3}).recipe.lr == 1e-3
    assert resolve_plan({}).recipe.lr == 2e-3
