"""Sentences of a few words each, so that a tiny inverter learns to write them back from their hashed words."""

import random

import numpy as np
import pytest

from nextvec.encoders import load_encoder
from nextvec.store.snapshot import Snapshot
from nextvec.training.inverter.run import resolve_plan

SUBJECTS = ("the river", "a ship", "the old king", "one bird", "the small town")
VERBS = ("follows", "forgets", "crosses", "remembers")
OBJECTS = ("the sea", "a bridge", "the long winter", "two roads", "an empty field", "the law")
SMALL = {"width": 32, "layers": 1, "heads": 2, "pseudo_tokens": 2, "longest": 16}
QUICK = {"epochs": 3, "tokens": 256, "corrections": 64, "frequent": 8, "sampled": 8, "validation_steps": 50}


def sentences(count, seed):
    chance = random.Random(seed)
    return [f"{chance.choice(SUBJECTS)} {chance.choice(VERBS)} {chance.choice(OBJECTS)}." for _ in range(count)]


@pytest.fixture(scope="session")
def encoder():
    return load_encoder("hashing:64")


def snapshot_of(encoder, texts):
    """Eight sentences a document."""
    return Snapshot.from_arrays(
        "rivers",
        encoder.encode(texts),
        np.arange(0, len(texts) + 1, 8),
        [f"doc-{i}" for i in range(len(texts) // 8)],
        encoder=encoder.spec,
        split={"salt": "s", "test": 200, "validation": 400},
        texts=texts,
    )


@pytest.fixture(scope="session")
def snapshot(encoder):
    return snapshot_of(encoder, sentences(480, seed=1))


@pytest.fixture(scope="session")
def grown(encoder):
    """The snapshot, and more documents behind it."""
    return snapshot_of(encoder, sentences(640, seed=1))


@pytest.fixture(scope="session")
def capitals(encoder):
    """With capitals and letters that word pieces fold."""
    texts = [text.replace("king", "King").replace("sea", "Öresund") for text in sentences(480, seed=2)]
    return snapshot_of(encoder, texts)


@pytest.fixture(scope="session")
def make_plan():
    def make(**options):
        return resolve_plan({**SMALL, **QUICK, **options})

    return make
