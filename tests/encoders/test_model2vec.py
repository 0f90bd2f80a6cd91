"""Static models in the layout of the library that makes them."""

import shutil

import numpy as np
import pytest

from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import require_same_encoder
from nextvec.encoders.lengths import cut_texts
from nextvec.errors import IntegrityError, MissingDependencyError, NotFoundError, RefusedTextsError, UsageError

library = pytest.importorskip("model2vec")


@pytest.fixture(scope="module")
def encoder(static_model):
    return load_encoder(f"model2vec:{static_model}")


def test_vectors_are_the_library_s_own(encoder, static_model, texts):
    expected = library.StaticModel.from_pretrained(static_model).encode(texts[:4])
    np.testing.assert_allclose(encoder.encode(texts[:4]), expected, atol=1e-6)
    spec = encoder.spec
    assert (spec.name, spec.dim, spec.max_length) == (static_model.name, 16, 512)


def test_folder_does_not_matter_and_weights_do(encoder, static_model, tmp_path):
    from safetensors.numpy import load_file, save_file

    copy = shutil.copytree(static_model, tmp_path / "copy")
    require_same_encoder(encoder.spec, load_encoder(f"model2vec:{copy}").spec, left_name="a", right_name="b")
    weights = load_file(copy / "model.safetensors")
    save_file({"embeddings": -weights["embeddings"]}, copy / "model.safetensors")
    assert load_encoder(f"model2vec:{copy}").spec.fingerprint != encoder.spec.fingerprint


def test_a_text_of_which_it_knows_no_token_is_refused_by_name(encoder):
    with pytest.raises(RefusedTextsError, match=r"text 1 .*holds no token that it knows") as refusal:
        encoder.encode(["The river rises.", "§§"])
    assert np.isfinite(refusal.value.vectors[0]).all()


def test_a_text_is_cut_by_its_tokens_or_its_characters(encoder, static_model):
    read = load_encoder(f"{encoder.spec.reference}?max_length=4")
    characters = 4 * library.StaticModel.from_pretrained(static_model).median_token_length
    assert cut_texts(read, ["It does", "the river rises in the hills", "x" * (characters + 1)]).tolist() == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors", "config.json"])
def test_a_missing_file_is_named(static_model, tmp_path, name):
    copy = shutil.copytree(static_model, tmp_path / "copy")
    (copy / name).unlink()
    with pytest.raises(IntegrityError, match="is no complete static model"):
        load_encoder(f"model2vec:{copy}")


def test_what_is_needed_is_said(monkeypatch):
    import huggingface_hub.constants

    with pytest.raises(UsageError, match="expected model2vec:FOLDER"):
        load_encoder("model2vec")
    with pytest.raises(NotFoundError, match=r"'/not/there' is no folder, and no name on the Hugging Face hub"):
        load_encoder("model2vec:/not/there")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(NotFoundError, match=r"there is no folder 'nextvec-tests/not-there'.*model2vec:FOLDER"):
        load_encoder("model2vec:nextvec-tests/not-there")
    monkeypatch.setattr("nextvec.encoders.model2vec.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'nextvec\[model2vec\]'"):
        load_encoder("model2vec:any")
