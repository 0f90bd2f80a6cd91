"""Fixtures: small random networks of other people's kinds, saved as theirs are, and an inverter of ours.

A plugin of tests/conftest.py.
"""

from functools import cache

import pytest

import language_models

SENTENCES = [
    "The river rises in the hills and falls into the sea.",
    "In 1869 the canal was opened to ships of every nation, and the long way round the cape lost its trade.",
    "Why does the moon keep one face towards us?",
    "It does.",
]


@pytest.fixture(scope="session")
def language_model_folder(tmp_path_factory):
    """From a kind to the folder of a small language model, saved once."""
    return cache(lambda kind: language_models.save_language_model(kind, tmp_path_factory.mktemp(kind)))


@pytest.fixture(scope="session")
def t5_tokenizer():
    """Of T5's kind, with some eighty pieces."""
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import T5TokenizerFast

    trained = Tokenizer(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=80, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>")
    trained.train_from_iterator(SENTENCES * 3, trainer)
    vocabulary = [tuple(piece) for piece in json.loads(trained.to_str())["model"]["vocab"]]
    return T5TokenizerFast(vocab=vocabulary, extra_ids=0)


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory, t5_tokenizer):
    """Folder of a random T5, 24-D: the whole model with its decoder, as the hub stores GTR."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    folder = tmp_path_factory.mktemp("t5")
    t5_tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = T5Config(vocab_size=len(t5_tokenizer), d_model=24, d_kv=6, d_ff=48, num_layers=2, num_heads=4)
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def nllb_tokenizer():
    """Of NLLB's kind, with 150 pieces and three languages."""
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import NllbTokenizer

    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trained.train_from_iterator(SENTENCES * 3, trainers.BpeTrainer(vocab_size=150, special_tokens=special))
    model = json.loads(trained.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    languages = ["eng_Latn", "fra_Latn", "zho_Hans"]
    return NllbTokenizer(vocab=model["vocab"], merges=merges, extra_special_tokens=languages)


@pytest.fixture(scope="session")
def sonar_port(tmp_path_factory, nllb_tokenizer):
    """Folder of random SONAR, 16-D, as the Hugging Face ports are: `encoder/`, `decoder/`, and `both/` in one model."""
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    folder = tmp_path_factory.mktemp("sonar")
    torch.manual_seed(0)
    sizes = {"d_model": 16, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_position_embeddings": 64}
    layers = {f"{half}_{what}": 2 for half in ("encoder", "decoder") for what in ("layers", "attention_heads")}
    ids = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2}
    model = M2M100ForConditionalGeneration(M2M100Config(vocab_size=len(nllb_tokenizer), **sizes, **layers, **ids))
    for tensor in model.parameters():
        torch.nn.init.normal_(tensor, std=0.3)
    for name, part in (("encoder", model.model.encoder), ("decoder", model.model.decoder), ("both", model)):
        part.save_pretrained(folder / name)
        nllb_tokenizer.save_pretrained(folder / name)
    return folder


@pytest.fixture(scope="session")
def vec2text_port(tmp_path_factory, t5_tokenizer):
    """Tiny random checkpoints, 24-D, in the layout of the public ones (config.json, tokenizer, weights with the
    embedder's too): `.folder` holds inverter/ and corrector/, `.gtr` is the encoder that both were trained on."""
    from types import SimpleNamespace

    import torch
    from transformers import T5Config, T5EncoderModel, T5ForConditionalGeneration

    torch.manual_seed(0)
    sizes = {"vocab_size": len(t5_tokenizer), "d_model": 24, "d_kv": 6, "d_ff": 48, "num_layers": 2, "num_heads": 4}
    gtr = T5EncoderModel(T5Config(**sizes))
    folder = tmp_path_factory.mktemp("vec2text")
    gtr.save_pretrained(folder / "gtr")
    for part, names in (
        ("inverter", ["embedding_transform"]),
        ("corrector", [f"embedding_transform_{number}" for number in (1, 2, 3)]),
    ):
        t5 = T5ForConditionalGeneration(T5Config(**sizes))
        write_checkpoint(folder / part, t5, names, gtr, layernorm=part == "corrector")
        t5_tokenizer.save_pretrained(folder / part)
    t5_tokenizer.save_pretrained(folder / "gtr")
    return SimpleNamespace(folder=folder, gtr=folder / "gtr")


def write_checkpoint(folder, t5, projections, embedder, *, layernorm):
    """As the trainer of the public weights saved them: tied names once, the embedder beside the rest."""
    import json

    import torch
    from safetensors.torch import save_file

    width, pseudo_tokens = t5.config.d_model, 3
    tied = {"lm_head.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"}
    weights = {f"encoder_decoder.{k}": v for k, v in t5.state_dict().items() if k not in tied}
    weights |= {f"embedder.{k}": v for k, v in embedder.state_dict().items() if k not in tied}
    for name in projections:
        layers = {0: torch.nn.Linear(width, 20), 3: torch.nn.Linear(20, pseudo_tokens * width)}
        weights |= {f"{name}.{i}.{k}": v for i, layer in layers.items() for k, v in layer.state_dict().items()}
    if layernorm:
        weights |= {"layernorm.weight": torch.rand(width) + 0.5, "layernorm.bias": torch.rand(width)}
    folder.mkdir()
    save_file({k: v.contiguous() for k, v in weights.items()}, folder / "model.safetensors")
    config = {"num_repeat_tokens": pseudo_tokens, "embedder_model_name": "gtr_base", "model_name_or_path": "t5-base"}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.fixture(scope="session")
def tiny_inverter(tmp_path_factory):
    """Folder of an untrained inverter of hashed words (hashing:32), in a workspace."""
    import torch

    from nextvec.decoding.inverter.bundle import save_inverter
    from nextvec.decoding.inverter.network import InverterNetwork, NetworkConfig
    from nextvec.decoding.inverter.vocabulary import Vocabulary, load_tokenizer
    from nextvec.encoders import load_encoder
    from nextvec.encoders.transformer import minilm_folder

    texts = ["The river falls into the sea, and the ships follow it.", "A king forgets the old law in winter."]
    vocabulary = Vocabulary.of_texts(load_tokenizer(minilm_folder() / "tokenizer.json"), texts)
    torch.manual_seed(0)
    config = NetworkConfig(dim=32, vocabulary=len(vocabulary), width=16, layers=1, heads=2, longest=12)
    folder = tmp_path_factory.mktemp("workspace") / "models" / "inverter-rivers"
    origin = {"corpus": {"name": "rivers", "tag": None}, "training": {"lr": 1e-3}, "split": {}, "versions": {}}
    spec = load_encoder("hashing:32").spec
    save_inverter(folder, InverterNetwork(config), vocabulary, spec, origin=origin, metrics={"round_trip": 0.1})
    return folder


@pytest.fixture(scope="session")
def static_model(tmp_path_factory):
    """Folder of a static model, 16-D, as model2vec saves it."""
    import numpy as np

    library = pytest.importorskip("model2vec")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        SENTENCES, trainers.WordPieceTrainer(vocab_size=120, special_tokens=["[PAD]", "[UNK]"])
    )
    vectors = np.random.default_rng(0).standard_normal((tokenizer.get_vocab_size(), 16)).astype(np.float32)
    folder = tmp_path_factory.mktemp("static")
    library.StaticModel(vectors, tokenizer, normalize=True).save_pretrained(folder)
    return folder
