"""Tiny models saved in the real formats, and the real MiniLM once for all tests."""

import gzip
import json
from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "shared" / "data" / "wikipedia.jsonl.gz"
TEXTS = [
    "The river rises in the hills and falls into the sea.",
    "Sea.",
    "In 1869 the canal was opened to ships of every nation, and the long way round the cape lost its trade.",
    "Why does the moon keep one face towards us?",
    "",
    "The river rises in the hills and falls into the sea.",
    "It does.",
]


@pytest.fixture
def texts() -> list[str]:
    return list(TEXTS)


@pytest.fixture(scope="session")
def wikipedia_texts() -> list[str]:
    """A few hundred real passages of every length."""
    if not DATA.exists():
        pytest.skip(f"real text is not here: {DATA}")
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        article = json.loads(file.readline())["text"]
    return [part.strip() for part in article.replace("\n", ". ").split(". ") if part.strip()][:200]


@pytest.fixture(scope="session")
def minilm():
    from nextvec.encoders import load_encoder

    return load_encoder("minilm")


@pytest.fixture(scope="session")
def exact_minilm():
    from nextvec.encoders.transformer import load_minilm

    return load_minilm("", exact=True)


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory) -> Path:
    """A random T5 (the whole model with its decoder, as the hub stores GTR) and a tokenizer trained on TEXTS."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import T5Config, T5ForConditionalGeneration, T5TokenizerFast

    folder = tmp_path_factory.mktemp("t5")
    trained = Tokenizer(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=80, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>")
    trained.train_from_iterator(TEXTS * 3, trainer)
    vocabulary = [tuple(piece) for piece in json.loads(trained.to_str())["model"]["vocab"]]
    tokenizer = T5TokenizerFast(vocab=vocabulary, extra_ids=0)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = T5Config(vocab_size=len(tokenizer), d_model=24, d_kv=6, d_ff=48, num_layers=2, num_heads=4)
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder
