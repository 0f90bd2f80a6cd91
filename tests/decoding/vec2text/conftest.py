"""Tiny random weights of vec2text, loaded, and their encoder."""

import pytest

TEXTS = [
    "The river rises in the hills and falls into the sea.",
    "In 1869 the canal was opened to ships of every nation.",
    "Why does the moon keep one face towards us?",
]


@pytest.fixture(scope="session")
def gtr(vec2text_port):
    from nextvec.encoders.transformer import load_gtr

    return load_gtr(str(vec2text_port.gtr), exact=True)


@pytest.fixture(scope="session")
def models(vec2text_port):
    from nextvec.decoding.vec2text.checkpoint import load_vec2text

    return load_vec2text(str(vec2text_port.folder))


@pytest.fixture(scope="session")
def texts():
    return list(TEXTS)


@pytest.fixture
def ungated(monkeypatch):
    """Random weights may decode: no text survives their round trip."""
    monkeypatch.setattr("nextvec.decoding.gate.LEAST", -1.0)
