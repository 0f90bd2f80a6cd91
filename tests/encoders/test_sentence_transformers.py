import numpy as np
import pytest

from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import require_same_encoder
from nextvec.encoders.sentence_transformers import load_sentence_transformer
from nextvec.encoders.transformer import load_gtr
from nextvec.errors import MismatchError, MissingDependencyError, NotFoundError, UsageError

library = pytest.importorskip("sentence_transformers")


@pytest.fixture(scope="module")
def save(tiny_t5, tmp_path_factory):
    """Saves a model made of the tiny T5 and the modules of the given names; returns its folder."""
    import torch
    from sentence_transformers.sentence_transformer import modules

    def make(*names, pooling="mean", seed=0):
        torch.manual_seed(seed)
        transformer = modules.Transformer(str(tiny_t5), max_seq_length=128)
        extra = {
            "dense": lambda: modules.Dense(24, 16, activation_function=torch.nn.Identity()),
            "normalize": modules.Normalize,
        }
        parts = [transformer, modules.Pooling(24, pooling_mode=pooling), *(extra[name]() for name in names)]
        folder = tmp_path_factory.mktemp("st")
        library.SentenceTransformer(modules=parts).save(str(folder))
        return folder

    return make


@pytest.fixture(scope="module")
def dense(save):
    return save("dense", "normalize")


def load(folder):
    return load_encoder(f"sentence-transformers:{folder}")


def test_vectors_are_the_library_s_own(dense, texts):
    encoder = load_sentence_transformer(str(dense), exact=True)
    expected = library.SentenceTransformer(str(dense)).encode(texts, normalize_embeddings=True)
    assert encoder.precision == "float32"
    assert np.abs(encoder.encode(texts) - expected).max() < 1e-5
    assert np.einsum("nd,nd->n", load(dense).encode(texts), expected).min() > 0.999


def test_dense_layer_makes_another_encoder_than_plain_gtr(dense, tiny_t5):
    plain, projected = load_gtr(str(tiny_t5)).spec, load(dense).spec
    assert projected.projection.startswith("Dense 24->16 Identity ")
    assert projected.weights_hash == plain.weights_hash
    with pytest.raises(MismatchError, match=r"gtr-t5-base 24-D.*differ in .*projection"):
        require_same_encoder(plain, projected, left_name="corpus a", right_name="corpus b")


def test_without_dense_layer_it_is_plain_gtr_under_another_name(save, tiny_t5):
    require_same_encoder(load(save()).spec, load_gtr(str(tiny_t5)).spec, left_name="library", right_name="ours")


def test_every_part_counts(save, dense):
    folders = [dense, save(), save(pooling="cls"), save("dense", "normalize", seed=1)]
    assert len({load(folder).spec.fingerprint for folder in folders}) == 4


def test_vectors_are_normalised_and_their_norm_is_kept(save, texts):
    encoder = load(save())
    assert np.allclose(np.linalg.norm(encoder.encode(texts), axis=1), 1, atol=1e-5)
    assert encoder.spec.mean_norm > 1.5


def test_a_prompt_takes_the_place_of_the_model_s_own(save, texts):
    folder = save()
    model = library.SentenceTransformer(str(folder), prompts={"query": "why? "}, default_prompt_name="query")
    model.save(str(folder))
    own, none, other, named = (
        load_encoder(f"sentence-transformers:{folder}{query}")
        for query in ("", "?prompt=", "?prompt=so: ", "?prompt_name=query")
    )
    assert [one.spec.prompt for one in (own, none, other, named)] == ["why? ", "", "so: ", "why? "]
    np.testing.assert_allclose(other.encode(texts), none.encode([f"so: {text}" for text in texts]), atol=1e-3)
    assert named.spec.fingerprint == own.spec.fingerprint
    with pytest.raises(UsageError, match=r"unknown prompt of .*'qeury'\. Did you mean 'query'"):
        load_encoder(f"sentence-transformers:{folder}?prompt_name=qeury")
    with pytest.raises(UsageError, match="both given"):
        load_encoder(f"sentence-transformers:{folder}?prompt_name=query&prompt=a")


def test_it_reads_as_many_tokens_as_it_is_told(save):
    assert load_encoder(f"sentence-transformers:{save()}?max_length=16").spec.max_length == 16
    with pytest.raises(UsageError, match="max_length = 300, but it reads 128 tokens"):
        load_encoder(f"sentence-transformers:{save()}?max_length=300")


def test_folder_does_not_matter(dense, tmp_path):
    import shutil

    copy = shutil.copytree(dense, tmp_path / "copy")
    require_same_encoder(load(dense).spec, load(copy).spec, left_name="a", right_name="b")


def test_no_texts_and_progress(dense, texts):
    encoder, seen = load(dense), []
    assert encoder.encode([]).shape == (0, 16)
    encoder.encode(texts, lambda done, total: seen.append((done, total)))
    assert seen == [(7, 7)]


def test_loading_is_silent(dense, capfd):
    load(dense)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_name_is_needed():
    with pytest.raises(UsageError, match="expected sentence-transformers:NAME_OR_FOLDER"):
        load_encoder("sentence-transformers:")


def test_library_is_needed(monkeypatch):
    monkeypatch.setattr("nextvec.errors.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'nextvec\[hf\]'"):
        load_encoder("sentence-transformers:any")


def test_model_that_is_not_there(monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(NotFoundError, match=r"cannot load 'nextvec-tests/not-there'.*Check the name"):
        load_encoder("sentence-transformers:nextvec-tests/not-there")


def test_tokens_are_counted_with_the_prompt_and_the_special_ones(dense):
    encoder = load_sentence_transformer(str(dense), exact=True)
    plain = encoder.count_tokens(["Sea.", "", "Sea. " * 300])
    assert plain[1] == 1
    assert plain[2] > encoder.spec.max_length == 128
    encoder._model.prompts, encoder._model.default_prompt_name = {"query": "Sea. "}, "query"
    assert (encoder.count_tokens(["Sea."]) > plain[0]).all()
