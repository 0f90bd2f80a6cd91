"""SONAR's encoder from its ports' layouts: keys, shapes and files by name, and the library's own vectors."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import require_same_encoder
from nextvec.encoders.licence import say_licence
from nextvec.encoders.sonar import SonarReading, load_sonar
from nextvec.errors import IntegrityError, MismatchError, NotFoundError, UsageError


@pytest.fixture
def copy(sonar_port, tmp_path):
    return shutil.copytree(sonar_port / "encoder", tmp_path / "copy")


def change(folder, edit):
    weights = load_file(folder / "model.safetensors")
    edit(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_vectors_are_means_over_the_tokens_padding_left_out(sonar_port, texts):
    """The slow twin: as the port's card says, in one padded batch."""
    from transformers import AutoTokenizer
    from transformers.models.m2m_100.modeling_m2m_100 import M2M100Encoder

    from nextvec.encoders.inference.pretrained import quiet_transformers

    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(sonar_port / "encoder")
        model = M2M100Encoder.from_pretrained(sonar_port / "encoder").eval()
    tokenizer.src_lang = "fra_Latn"
    batch = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=64)
    assert (batch["input_ids"][:, 0] == tokenizer.convert_tokens_to_ids("fra_Latn")).all()
    with torch.inference_mode():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    means = ((states * mask).sum(1) / mask.sum(1)).numpy()
    encoder = load_sonar(str(sonar_port), SonarReading(language="fra_Latn"), exact=True)
    np.testing.assert_allclose(encoder.encode(texts), means / np.linalg.norm(means, axis=1, keepdims=True), atol=1e-5)


def test_spec_keeps_the_norm_and_the_licence(sonar_port):
    spec = load_encoder(f"sonar:{sonar_port}").spec
    assert (spec.name, spec.dim, spec.max_length, spec.pooling) == ("sonar", 16, 64, "mean of eng_Latn")
    assert spec.mean_norm > 0
    assert spec.licence == "CC-BY-NC-4.0"


def test_another_language_is_another_encoder(sonar_port):
    english, french = (load_encoder(f"sonar:{sonar_port}?language={code}") for code in ("eng_Latn", "fra_Latn"))
    assert french.spec.name == "sonar?language=fra_Latn"
    assert english.spec.reference == f"sonar:{sonar_port}"
    with pytest.raises(MismatchError, match="pooling"):
        require_same_encoder(english.spec, french.spec, left_name="a", right_name="b")


@pytest.mark.parametrize("part", ["encoder", "both"])
def test_every_layout_is_the_same_encoder(sonar_port, part):
    whole, own = load_encoder(f"sonar:{sonar_port}").spec, load_encoder(f"sonar:{sonar_port / part}").spec
    require_same_encoder(whole, own, left_name="folder", right_name=part)


def test_names_with_the_half_before_them_and_saved_sines(copy, sonar_port):
    def rename(weights):
        for name in list(weights):
            weights[f"encoder.{name}"] = weights.pop(name)
        weights["shared.weight"] = weights.pop("encoder.embed_tokens.weight")
        weights["encoder.embed_positions.weights"] = torch.zeros(66, 16)

    change(copy, rename)
    own, port = load_encoder(f"sonar:{copy}").spec, load_encoder(f"sonar:{sonar_port}").spec
    require_same_encoder(own, port, left_name="renamed", right_name="port")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda w: w.pop("layers.1.fc2.bias"), r"encoder lack layers\.1\.fc2\.bias \(1 missing"),
        (lambda w: w.update({"layers.1.adapter.weight": torch.zeros(2)}), r"hold layers\.1\.adapter\.weight"),
        (lambda w: w.update({"layer_norm.weight": torch.zeros(3)}), r"layer_norm\.weight: \(3,\) in the file, \(16,\)"),
        (lambda w: w.pop("embed_tokens.weight"), r"lack embed_tokens\.weight"),
        (lambda w: [w.pop(n) for n in list(w) if "layers" in n], "no layer of SONAR's encoder"),
        (
            lambda w: w.update({"layer_norm.bias": torch.zeros(16, dtype=torch.int8)}),
            r"layer_norm\.bias is saved as int8",
        ),
    ],
)
def test_a_wrong_weight_is_named(copy, edit, words):
    change(copy, edit)
    with pytest.raises(IntegrityError, match=words):
        load_encoder(f"sonar:{copy}")


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("config.json", NotFoundError, r"there is no config\.json"),
        ("tokenizer.json", IntegrityError, r"there is no tokenizer\.json"),
        ("model.safetensors", IntegrityError, r"model\.safetensors is missing"),
    ],
)
def test_a_missing_file_is_named(copy, name, error, words):
    (copy / name).unlink()
    with pytest.raises(error, match=words):
        load_encoder(f"sonar:{copy}")


def test_files_of_something_else_are_named(copy, tiny_t5, t5_tokenizer):
    other = shutil.copytree(copy, copy.parent / "t5")
    shutil.copy(tiny_t5 / "config.json", other / "config.json")
    with pytest.raises(IntegrityError, match="model_type = 't5', SONAR's ports are 'm2m_100'"):
        load_encoder(f"sonar:{other}")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (copy / name).unlink()
    t5_tokenizer.save_pretrained(copy)
    with pytest.raises(IntegrityError, match=r"tokenizer\.json is of .*T5.*expected NLLB's"):
        load_encoder(f"sonar:{copy}")


def test_what_it_cannot_do_is_said(sonar_port):
    with pytest.raises(UsageError, match="expected sonar:FOLDER"):
        load_encoder("sonar")
    with pytest.raises(UsageError, match=r"unknown language of sonar 'eng_Lat'\. Did you mean 'eng_Latn'"):
        load_encoder(f"sonar:{sonar_port}?language=eng_Lat")
    with pytest.raises(UsageError, match="max_length = 65, but it reads 64"):
        load_encoder(f"sonar:{sonar_port}?max_length=65")


def test_the_licence_is_said_once(sonar_port, caplog):
    say_licence.cache_clear()
    for _ in range(2):
        load_encoder(f"sonar:{sonar_port}")
    assert [record.message for record in caplog.records if record.name == "nextvec.licence"] == [
        "sonar: its weights are under CC-BY-NC-4.0: not for commercial use; models trained on its vectors say so in "
        "their cards"
    ]
