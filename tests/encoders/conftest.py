"""Texts, and the real MiniLM once for all tests."""

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
    "Yes!",
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
