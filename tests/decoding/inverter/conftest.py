"""A tiny untrained inverter of hashed words, saved as a bundle."""

import pytest


@pytest.fixture(scope="session")
def encoder():
    from nextvec.encoders import load_encoder

    return load_encoder("hashing:32")


@pytest.fixture(scope="session")
def folder(encoder, tmp_path_factory):
    import torch

    from nextvec.decoding.inverter.bundle import save_inverter
    from nextvec.decoding.inverter.network import InverterNetwork, NetworkConfig
    from nextvec.decoding.inverter.vocabulary import Vocabulary, load_tokenizer
    from nextvec.encoders.transformer import minilm_folder

    texts = ["The river falls into the sea, and the ships follow it.", "A king forgets the old law in winter."]
    vocabulary = Vocabulary.of_texts(load_tokenizer(minilm_folder() / "tokenizer.json"), texts)
    torch.manual_seed(0)
    config = NetworkConfig(dim=32, vocabulary=len(vocabulary), width=16, layers=1, heads=2, longest=12)
    folder = tmp_path_factory.mktemp("workspace") / "models" / "inverter-rivers"
    origin = {"corpus": {"name": "rivers", "tag": None}, "training": {"lr": 1e-3}, "split": {}, "versions": {}}
    save_inverter(folder, InverterNetwork(config), vocabulary, encoder.spec, origin=origin, metrics={"round_trip": 0.1})
    return folder
