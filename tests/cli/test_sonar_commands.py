"""From text to a corpus of SONAR's vectors and back, in another language."""

from __future__ import annotations

import json

import pytest

from nextvec.encoders.licence import say_licence


@pytest.fixture(scope="module")
def place(nextvec, write_prose, sonar_port, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sonar-commands")
    text = write_prose(folder / "text", documents=6, sentences=6)
    encoder = f"sonar:{sonar_port}?language=fra_Latn"
    chosen = ["--encoder", encoder, "--set", "language=fra_Latn"]
    nextvec("corpus", "ingest", text, "--corpus", "tales", *chosen, workspace=folder / "ws")
    nextvec("encode", "The of was in.", "--encoder", encoder, "--out", folder / "in.npy")
    return folder


def test_the_corpus_says_under_which_licence_its_vectors_are(nextvec, place):
    told = nextvec("corpus", "info", "tales", workspace=place / "ws").out
    assert "licence     CC-BY-NC-4.0 (of the encoder's weights)" in told
    assert "encoder     sonar?language=fra_Latn 16-D" in told
    assert "chunker     sentence language=fra_Latn" in told


def test_the_card_of_the_corpus_says_it_too(nextvec, place, tmp_path, caplog):
    line = ["corpus", "export", "tales", tmp_path / "out", "--format", "hf", "--licence", "mit"]
    nextvec(*line, workspace=place / "ws")
    card = (tmp_path / "out" / "README.md").read_text()
    assert 'license: "cc-by-nc-4.0"' in card
    assert "Vectors of sonar, CC-BY-NC-4.0: what is made of them is not for commercial use. mit" in card
    assert "says cc-by-nc-4.0, and not mit" in caplog.text


def test_it_is_decoded_into_the_language_asked_for(nextvec, place, sonar_port, monkeypatch):
    monkeypatch.setattr("nextvec.decoding.gate.LEAST", -1.0)
    line = ["decode", place / "in.npy", "tales", "--decoder", f"sonar:{sonar_port}?longest=6", "--json"]
    told = nextvec(*line, "--set", "language=eng_Latn", workspace=place / "ws")
    (written,) = json.loads(told.out)
    assert -1 <= written["cosine"] <= 1
    assert (
        "unknown language of sonar 'english'"
        in nextvec(*line, "--set", "language=english", workspace=place / "ws", expect=2).err
    )


def test_the_terms_are_told_on_standard_error(nextvec, place, sonar_port, tmp_path, caplog):
    say_licence.cache_clear()
    nextvec("encode", "A text.", "--encoder", f"sonar:{sonar_port}", "--out", tmp_path / "out.npy")
    assert "sonar: its weights are under CC-BY-NC-4.0: not for commercial use" in caplog.text
