"""Every name of a checkpoint finds its place, or the checkpoint is refused."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from nextvec.decoding.vec2text.checkpoint import load_vec2text
from nextvec.errors import IntegrityError, MismatchError, NotFoundError


@pytest.fixture
def copy(vec2text_port, tmp_path):
    return shutil.copytree(vec2text_port.folder, tmp_path / "copy")


def change(folder, edit):
    path = folder / "model.safetensors"
    weights = load_file(path)
    edit(weights)
    save_file(weights, path)


def test_sizes_are_read_off_the_weights(models):
    config = models.inverter.encoder_decoder.config
    assert (config.d_model, config.d_kv, config.d_ff, config.num_heads) == (24, 6, 48, 4)
    assert (config.num_layers, config.num_decoder_layers) == (2, 2)
    assert models.dim == 24


def test_every_weight_is_the_saved_one(models, vec2text_port):
    for network, part in ((models.inverter, "inverter"), (models.corrector, "corrector")):
        on_disk = load_file(vec2text_port.folder / part / "model.safetensors")
        own = network.state_dict()
        assert all(torch.equal(own[k], v) for k, v in on_disk.items() if not k.startswith("embedder."))
        assert any(k.startswith("embedder.") for k in on_disk)


def test_the_output_layer_is_the_shared_embedding(models):
    t5 = models.corrector.encoder_decoder
    for tied in (t5.lm_head, t5.encoder.embed_tokens, t5.decoder.embed_tokens):
        assert tied.weight is t5.shared.weight


def test_tied_names_may_stand_in_the_checkpoint(copy):
    def add(weights):
        weights["encoder_decoder.lm_head.weight"] = weights["encoder_decoder.shared.weight"].clone()

    change(copy / "inverter", add)
    load_vec2text(str(copy))


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("inverter", "embedding_transform.3.bias"),
        ("inverter", "encoder_decoder.decoder.block.1.layer.1.EncDecAttention.k.weight"),
        ("inverter", "encoder_decoder.shared.weight"),
        ("corrector", "layernorm.weight"),
        ("corrector", "embedding_transform_2.0.weight"),
    ],
)
def test_a_missing_weight_is_named(copy, part, name):
    change(copy / part, lambda weights: weights.pop(name))
    with pytest.raises(IntegrityError, match=name.replace(".", r"\.")):
        load_vec2text(str(copy))


def test_an_unexpected_weight_is_named(copy):
    change(copy / "inverter", lambda weights: weights.update({"adapter.weight": torch.zeros(2)}))
    with pytest.raises(IntegrityError, match=r"adapter\.weight"):
        load_vec2text(str(copy))


def test_inverter_and_corrector_exchanged_are_refused(copy):
    with pytest.raises(IntegrityError, match=r"lack embedding_transform\.0\.weight"):
        load_vec2text(f"{copy}/corrector,{copy}/inverter")


def test_two_folders_may_be_named(copy, models):
    assert load_vec2text(f"{copy}/inverter,{copy}/corrector").weights == models.weights


def test_half_precision_is_computed_with_in_float32(copy, models):
    def halve(weights):
        weights.update({name: tensor.bfloat16() for name, tensor in weights.items()})

    change(copy / "corrector", halve)
    halved = load_vec2text(str(copy)).corrector.state_dict()
    assert {tensor.dtype for tensor in halved.values()} == {torch.float32}
    assert all(torch.allclose(halved[k], v, atol=1e-2) for k, v in models.corrector.state_dict().items())


def test_less_than_half_precision_is_refused(copy):
    def quantise(weights):
        name = "encoder_decoder.decoder.block.0.layer.0.SelfAttention.k.weight"
        weights[name] = (weights[name] * 100).to(torch.int8)

    change(copy / "inverter", quantise)
    with pytest.raises(IntegrityError, match=r"SelfAttention\.k\.weight is saved as int8"):
        load_vec2text(str(copy))


def test_pseudo_tokens_must_agree_with_the_configuration(copy):
    (copy / "inverter" / "config.json").write_text(json.dumps({"num_repeat_tokens": 16}))
    with pytest.raises(IntegrityError, match=r"num_repeat_tokens = 16.*make 3"):
        load_vec2text(str(copy))


def test_two_networks_of_different_vectors_do_not_belong_together(copy):
    def widen(weights):
        weights["embedding_transform.0.weight"] = torch.zeros(20, 30)

    change(copy / "inverter", widen)
    with pytest.raises(MismatchError, match=r"30-D.*24-D"):
        load_vec2text(str(copy))


def test_damaged_weights(copy):
    (copy / "corrector" / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(IntegrityError, match="damaged"):
        load_vec2text(str(copy))


def test_a_folder_without_its_parts_says_what_to_expect(tmp_path):
    with pytest.raises(NotFoundError, match=r"inverter/config\.json.*two names on the hub"):
        load_vec2text(str(tmp_path))


def test_without_the_hub_it_says_what_to_do(monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(NotFoundError, match=r"there is no folder 'nextvec-tests/not-there'.*vec2text:FOLDER"):
        load_vec2text("nextvec-tests/not-there,nextvec-tests/not-there")
