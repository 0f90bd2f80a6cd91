"""Inputs as the weights expect them, vectors at their own scale, the best cosine kept, other encoders refused."""

import numpy as np
import pytest
import torch

from nextvec.decoding import load_decoder
from nextvec.decoding.vec2text.writer import require_gtr, vec2text_decoder
from nextvec.encoders import load_encoder
from nextvec.errors import MismatchError, UsageError
from nextvec.retrieval.index import build_index
from nextvec.store.snapshot import Snapshot


@pytest.fixture(scope="module")
def decoder(models, gtr):
    return vec2text_decoder(models, gtr)


@pytest.fixture(scope="module")
def vectors(gtr, texts):
    return gtr.encode(texts)


@pytest.fixture(scope="module")
def snapshot(vectors, texts, gtr):
    return Snapshot.from_arrays("gtr", vectors, [0, 1, 3], ["a", "b"], encoder=gtr.spec, texts=texts)


def test_the_inverters_input_is_the_projected_vector(models):
    vector = torch.randn(2, 24)
    first, last = models.inverter.embedding_transform[0], models.inverter.embedding_transform[3]
    expected = last(torch.nn.functional.gelu(first(vector))).reshape(2, 3, 24)
    inputs, mask = models.inverter.inputs(vector)
    assert torch.allclose(inputs, expected, atol=1e-6)
    assert mask.tolist() == [[1, 1, 1]] * 2


def test_the_correctors_input_keeps_the_order_of_its_parts(models):
    corrector = models.corrector
    target, hypothesis = torch.randn(1, 24), torch.randn(1, 24)
    tokens, mask = torch.tensor([[7, 9, 1, 0]]), torch.tensor([[1, 1, 1, 0]])
    inputs, whole_mask = corrector.inputs(target, hypothesis, tokens, mask)
    eos = corrector.encoder_decoder.shared.weight[1]
    parts = [
        eos[None],
        corrector.embedding_transform_1(target).view(3, 24),
        eos[None],
        corrector.embedding_transform_3(hypothesis).view(3, 24),
        eos[None],
        corrector.embedding_transform_2(target - hypothesis).view(3, 24),
        eos[None],
        corrector.encoder_decoder.shared.weight[tokens[0]],
    ]
    assert torch.allclose(inputs[0], corrector.layernorm(torch.cat(parts)), atol=1e-6)
    assert whole_mask.tolist() == [[1] * 16 + [0]]


def test_unit_vectors_are_brought_to_the_encoders_norm(decoder, models, gtr, vectors, monkeypatch):
    seen = []
    original = models.inverter.inputs
    monkeypatch.setattr(models.inverter, "inputs", lambda target: seen.append(target) or original(target))
    decoder.decode(vectors)
    assert torch.allclose(seen[0].norm(dim=1), torch.full((3,), gtr.spec.mean_norm), atol=1e-3)


def test_the_round_trip_is_that_of_the_text(decoder, gtr, vectors):
    for steps in (0, 2):
        decoded = decoder.decode(vectors, steps=steps)
        again = gtr.encode([one.text for one in decoded])
        assert np.allclose([one.cosine for one in decoded], np.einsum("nd,nd->n", again, vectors), atol=1e-5)
        assert all(one.steps <= steps for one in decoded)


def test_more_steps_are_never_worse(decoder, vectors):
    cosines = np.array([[one.cosine for one in decoder.decode(vectors, steps=steps)] for steps in (0, 1, 3)])
    assert (np.diff(cosines, axis=0) >= -1e-6).all()


def test_a_beam_is_never_worse_than_the_first_text(models, gtr, vectors):
    single = [one.cosine for one in vec2text_decoder(models, gtr).decode(vectors)]
    beam = [one.cosine for one in vec2text_decoder(models, gtr, beam=2, candidates=3).decode(vectors, steps=1)]
    assert len(beam) == len(single) == 3


def test_it_is_found_by_name(vec2text_port, snapshot, gtr, vectors, ungated):
    decoder = load_decoder(f"vec2text:{vec2text_port.folder}", snapshot, build_index(snapshot), encoder=gtr)
    assert decoder.name.startswith("vec2text:")
    assert decoder.max_steps >= 5
    assert len(decoder.decode(vectors, steps=1)) == 3


def test_weights_that_give_too_little_back_are_refused_with_the_figure(vec2text_port, snapshot, gtr, monkeypatch):
    """A random encoder has like vectors for all texts, so that even random weights give something back."""
    monkeypatch.setattr("nextvec.decoding.gate.LEAST", 0.999)
    with pytest.raises(MismatchError, match=r"came back at a cosine of 0\.\d+ after 5 corrections, expected 1\.00"):
        load_decoder(f"vec2text:{vec2text_port.folder}", snapshot, build_index(snapshot), encoder=gtr)


def test_another_encoder_is_refused_by_name(vec2text_port, models):
    hashing = load_encoder("hashing:24")
    with pytest.raises(MismatchError, match=r"gtr-t5-base.*hashing 24-D"):
        vec2text_decoder(models, hashing)
    other = Snapshot.from_arrays("h", hashing.encode(["a b", "c"]), [0, 2], ["a"], encoder=hashing.spec, texts=["", ""])
    with pytest.raises(MismatchError, match=r"hashing 24-D"):
        load_decoder(f"vec2text:{vec2text_port.folder}", other, build_index(other))


def test_gtr_with_a_dense_layer_is_another_encoder(gtr):
    with pytest.raises(MismatchError, match="projection Dense"):
        require_gtr(gtr.spec.model_copy(update={"projection": "Dense 768 abc"}))
    with pytest.raises(MismatchError, match="no prompt"):
        require_gtr(gtr.spec.model_copy(update={"prompt": "query: "}))
    require_gtr(gtr.spec.model_copy(update={"name": "gtr-t5-base?max_length=64"}))
    with pytest.raises(MismatchError, match="mean norm"):
        require_gtr(gtr.spec.model_copy(update={"mean_norm": None}))


def test_what_it_cannot_do_is_said(decoder, vectors, snapshot):
    with pytest.raises(UsageError, match="51 correction steps"):
        decoder.decode(vectors, steps=51)
    with pytest.raises(MismatchError, match=r"\(vectors, 24\)"):
        decoder.decode(vectors[:, :20])
    with pytest.raises(UsageError, match="which weights"):
        load_decoder("vec2text", snapshot, build_index(snapshot))
