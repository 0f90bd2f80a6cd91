"""One vector in, a text in the language asked for out; the best of the beam, and only vectors of SONAR."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from nextvec.decoding import load_decoder
from nextvec.encoders import load_encoder
from nextvec.errors import IntegrityError, MismatchError, NotFoundError, UsageError
from nextvec.retrieval.index import build_index
from nextvec.store.snapshot import Snapshot

TEXTS = ["The river rises in the hills and falls into the sea.", "It does.", "Why does the moon keep one face?"]


@pytest.fixture(scope="module")
def encoder(sonar_port):
    return load_encoder(f"sonar:{sonar_port}")


@pytest.fixture(scope="module")
def vectors(encoder):
    return encoder.encode(TEXTS)


@pytest.fixture(scope="module")
def snapshot(encoder, vectors):
    return Snapshot.from_arrays("s", vectors, [0, 1, 3], ["a", "b"], encoder=encoder.spec, texts=TEXTS)


@pytest.fixture
def _ungated(monkeypatch):
    """Random weights may decode: no text survives their round trip."""
    monkeypatch.setattr("nextvec.decoding.gate.LEAST", -1.0)


@pytest.fixture
def attach(snapshot, encoder, _ungated):
    def attach(reference):
        return load_decoder(reference, snapshot, build_index(snapshot), encoder=encoder)

    return attach


def test_the_text_is_what_the_whole_model_generates_from_one_state(attach, sonar_port, encoder, vectors):
    """The slow twin: the whole model of transformers, a vector at a time, at the encoder's norm."""
    from transformers import AutoTokenizer, M2M100ForConditionalGeneration
    from transformers.modeling_outputs import BaseModelOutput

    from nextvec.encoders.inference.pretrained import quiet_transformers

    with quiet_transformers():
        model = M2M100ForConditionalGeneration.from_pretrained(sonar_port / "both").eval()
        tokenizer = AutoTokenizer.from_pretrained(sonar_port / "both")
    expected = []
    for vector in vectors:
        state = torch.from_numpy(vector)[None, None] * encoder.spec.mean_norm
        ids = model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=state),
            forced_bos_token_id=tokenizer.convert_tokens_to_ids("eng_Latn"),
            num_beams=1,
            do_sample=False,
            max_new_tokens=12,
        )
        expected += tokenizer.batch_decode(ids, skip_special_tokens=True)
    for place in (sonar_port, sonar_port / "both", sonar_port / "decoder"):
        decoded = attach(f"sonar:{place}?beam=1&longest=12").decode(vectors)
        assert [one.text for one in decoded] == expected


def test_the_best_of_the_beam_is_given_with_its_round_trip(attach, sonar_port, encoder, vectors):
    decoder = attach(f"sonar:{sonar_port}?beam=4&longest=12")
    best, written = decoder.decode(vectors), decoder._writer.begin(vectors)
    assert [len(texts) for texts in written] == [4, 4, 4]
    for one, texts, vector in zip(best, written, vectors, strict=True):
        assert one.cosine == pytest.approx(max(encoder.encode([t])[0] @ vector for t in texts if t.strip()), abs=1e-3)
    again = [encoder.encode([one.text])[0] if one.text.strip() else np.zeros(16) for one in best]
    np.testing.assert_allclose([one.cosine for one in best], np.einsum("nd,nd->n", again, vectors), atol=1e-3)


def test_the_language_is_forced_and_read_in_itself(attach, sonar_port, vectors):
    french = attach(f"sonar:{sonar_port}?language=fra_Latn&beam=1&longest=6")
    assert ":fra_Latn:" in french.name
    assert french._writer._language == french._writer._tokenizer.convert_tokens_to_ids("fra_Latn")
    assert french._encoder.spec.name == "sonar?language=fra_Latn"
    assert len(french.decode(vectors)) == 3
    with pytest.raises(UsageError, match="unknown language of sonar 'deu_Latn'"):
        attach(f"sonar:{sonar_port}?language=deu_Latn")


def test_it_corrects_nothing(attach, sonar_port, vectors):
    decoder = attach(f"sonar:{sonar_port}?beam=1&longest=6")
    assert decoder.max_steps == 0
    with pytest.raises(UsageError, match="1 correction steps asked of sonar; expected 0 to 0"):
        decoder.decode(vectors, steps=1)


def test_weights_that_give_too_little_back_are_refused_with_the_figure(sonar_port, snapshot, encoder, monkeypatch):
    monkeypatch.setattr("nextvec.decoding.gate.LEAST", 0.999)
    with pytest.raises(MismatchError, match=r"3 texts came back at a cosine of -?0\.\d+ after 0 corrections"):
        load_decoder(f"sonar:{sonar_port}", snapshot, build_index(snapshot), encoder=encoder)


def test_vectors_of_another_encoder_are_refused_by_name(sonar_port):
    hashing = load_encoder("hashing:16")
    other = Snapshot.from_arrays("h", hashing.encode(["a b", "c"]), [0, 2], ["a"], encoder=hashing.spec, texts=["", ""])
    with pytest.raises(MismatchError, match=r"these are of hashing 16-D"):
        load_decoder(f"sonar:{sonar_port}", other, build_index(other))


def test_what_is_missing_or_odd_is_named(attach, sonar_port, tmp_path):
    with pytest.raises(UsageError, match="which weights"):
        attach("sonar")
    with pytest.raises(UsageError, match="Did you mean 'language'"):
        attach(f"sonar:{sonar_port}?langage=fra_Latn")
    with pytest.raises(NotFoundError, match=r"there is no config\.json"):
        attach(f"sonar:{tmp_path}")
    with pytest.raises(IntegrityError, match=r"decoder lack layers\.0\.encoder_attn"):
        attach(f"sonar:{sonar_port / 'encoder'}")
    both = shutil.copytree(sonar_port / "both", tmp_path / "both")
    weights = load_file(both / "model.safetensors")
    weights["lm_head.weight"] = weights["model.shared.weight"] + 1
    save_file(weights, both / "model.safetensors")
    with pytest.raises(IntegrityError, match=r"lm_head\.weight is not the token embedding"):
        attach(f"sonar:{both}")
