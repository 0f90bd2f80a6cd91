"""A tiny untrained inverter of hashed words, and its encoder."""

import pytest


@pytest.fixture(scope="session")
def encoder():
    from nextvec.encoders import load_encoder

    return load_encoder("hashing:32")


@pytest.fixture(scope="session")
def folder(tiny_inverter):
    return tiny_inverter
