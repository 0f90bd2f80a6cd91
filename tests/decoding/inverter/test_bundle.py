"""A bundle is the inverter that was saved, or it is refused."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from nextvec.decoding.inverter.bundle import load_inverter, record_metrics
from nextvec.decoding.inverter.generation import generate
from nextvec.errors import IntegrityError, NotFoundError, UsageError
from nextvec.fingerprint import fingerprint_bytes
from nextvec.models.bundle import is_predictor, load_bundle


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / folder.name)


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_it_writes_the_same_after_loading(folder):
    target = torch.nn.functional.normalize(torch.randn(3, 32), dim=1)
    one, other = load_inverter(folder), load_inverter(folder)
    assert generate(one.network, target) == generate(other.network, target)
    assert one.weights == other.weights
    assert one.identity == "inverter-rivers"


def test_it_carries_what_it_reads(folder, encoder):
    inverter = load_inverter(folder)
    assert inverter.encoder == encoder.spec
    assert inverter.metrics == {"round_trip": 0.1}


def test_changed_weights_are_refused(copy):
    weights = load_file(copy / "model.safetensors")
    weights["bias"] += 1
    save_file(weights, copy / "model.safetensors")
    with pytest.raises(IntegrityError, match="weights are not those"):
        load_inverter(copy)


def test_code_that_computes_something_else_is_refused(copy):
    """The weights fit and their hash is right: only the probe can tell."""
    weights = load_file(copy / "model.safetensors")
    weights["blocks.0.mix.weight"] *= 1.01
    save_file(weights, copy / "model.safetensors")
    change_config(copy, weights=fingerprint_bytes([(copy / "model.safetensors").read_bytes()]))
    with pytest.raises(IntegrityError, match="probe is off"):
        load_inverter(copy)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "probe.safetensors"])
def test_a_missing_part_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(IntegrityError, match=name):
        load_inverter(copy)


def test_a_folder_without_an_inverter(tmp_path):
    with pytest.raises(NotFoundError, match="train-inverter"):
        load_inverter(tmp_path)


def test_another_kind_of_model_is_refused_both_ways(copy):
    assert not is_predictor(copy)
    with pytest.raises(UsageError, match="decodes vectors"):
        load_bundle(copy)
    change_config(copy, kind="network")
    assert is_predictor(copy)
    with pytest.raises(UsageError, match="not an inverter"):
        load_inverter(copy)


def test_recorded_metrics_reach_the_card(copy):
    record_metrics(copy, {"round_trip": 0.25, "steps": 1000})
    assert load_inverter(copy).metrics["round_trip"] == 0.25
    card = (copy / "README.md").read_text()
    assert "| round_trip | 0.2500 |" in card
    assert "| steps | 1,000 |" in card


def test_a_licence_of_the_encoder_s_weights_is_the_inverter_s(folder):
    from nextvec.decoding.inverter.card import card
    from nextvec.records import read_json

    config = read_json(folder / "config.json")
    assert "license:" not in card("i", config, {})
    config["encoder"]["licence"] = "CC-BY-NC-4.0"
    assert "license: cc-by-nc-4.0" in card("i", config, {}).split("---\n")[1].splitlines()
