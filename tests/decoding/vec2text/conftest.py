"""Tiny random checkpoints in the layout of the public ones: config.json, tokenizer, weights with the embedder's too."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

PSEUDO_TOKENS, WIDTH = 3, 24
TEXTS = [
    "The river rises in the hills and falls into the sea.",
    "In 1869 the canal was opened to ships of every nation.",
    "Why does the moon keep one face towards us?",
]


@dataclass(frozen=True)
class Saved:
    """`folder` holds inverter/ and corrector/; `gtr` the encoder that both were trained on."""

    folder: Path
    gtr: Path


@pytest.fixture(scope="session")
def saved(tmp_path_factory, t5_tokenizer) -> Saved:
    import torch
    from transformers import T5Config, T5EncoderModel, T5ForConditionalGeneration

    torch.manual_seed(0)
    sizes = {"vocab_size": len(t5_tokenizer), "d_model": WIDTH, "d_kv": 6, "d_ff": 48, "num_layers": 2, "num_heads": 4}
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
    return Saved(folder, folder / "gtr")


def write_checkpoint(folder, t5, projections, embedder, *, layernorm):
    """As the trainer of the public weights saved them: tied names once, the embedder beside the rest."""
    import torch
    from safetensors.torch import save_file

    tied = {"lm_head.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"}
    weights = {f"encoder_decoder.{k}": v for k, v in t5.state_dict().items() if k not in tied}
    weights |= {f"embedder.{k}": v for k, v in embedder.state_dict().items() if k not in tied}
    for name in projections:
        layers = {0: torch.nn.Linear(WIDTH, 20), 3: torch.nn.Linear(20, PSEUDO_TOKENS * WIDTH)}
        weights |= {f"{name}.{i}.{k}": v for i, layer in layers.items() for k, v in layer.state_dict().items()}
    if layernorm:
        weights |= {"layernorm.weight": torch.rand(WIDTH) + 0.5, "layernorm.bias": torch.rand(WIDTH)}
    folder.mkdir()
    save_file({k: v.contiguous() for k, v in weights.items()}, folder / "model.safetensors")
    config = {"num_repeat_tokens": PSEUDO_TOKENS, "embedder_model_name": "gtr_base", "model_name_or_path": "t5-base"}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.fixture(scope="session")
def gtr(saved):
    from nextvec.encoders.transformer import load_gtr

    return load_gtr(str(saved.gtr), exact=True)


@pytest.fixture(scope="session")
def models(saved):
    from nextvec.decoding.vec2text.checkpoint import load_vec2text

    return load_vec2text(str(saved.folder))


@pytest.fixture(scope="session")
def texts():
    return list(TEXTS)


@pytest.fixture
def ungated(monkeypatch):
    """Random weights may decode: no text survives their round trip."""
    monkeypatch.setattr("nextvec.decoding.gate.LEAST", -1.0)
