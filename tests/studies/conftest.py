"""A workspace with two generations of one corpus, a corpus `twin` of the same documents, a corpus `elsewhere` of
others, one of another encoder, and small models trained on them."""

import numpy as np
import pytest

from nextvec.corpus.document import Chunk, Document
from nextvec.encoders.encoder import EncoderSpec
from nextvec.store.encoded import EncodedDocument
from nextvec.store.vectors import Corpus, open_snapshot
from nextvec.training.run import resolve_plan, train_model
from nextvec.workspace import Workspace

LENGTHS = np.random.default_rng(3).integers(1, 30, size=90).tolist()
SMALL, LARGE = 60, 90
ELSEWHERE = [12] * 30
ENCODER = EncoderSpec(name="process", dim=12, weights_hash="p")
SPLIT = {"salt": "s", "test": 200, "validation": 400}
GRU = {"width": 16, "layers": 1, "epochs": 3, "batch": 64, "lr": 1e-2}


def encoded(number, vectors):
    texts = [f"Sentence {i} of document {number}." for i in range(len(vectors))]
    document = Document(id=f"doc-{number}", title=f"T{number}", text=" ".join(texts), source="test", licence="CC0")
    chunks = [Chunk(text=t, position=i, start=0, end=len(t), begins=int(i % 4 == 0)) for i, t in enumerate(texts)]
    return EncodedDocument(document=document, chunks=chunks, vectors=vectors)


@pytest.fixture(scope="session")
def documents(make_process):
    """Those of `c`, and after the first `LARGE` those of `elsewhere`: the same process, documents of their own."""
    whole = make_process([*LENGTHS, *ELSEWHERE])
    numbers = range(LARGE + len(ELSEWHERE))
    return [encoded(i, whole.vectors[whole.offsets[i] : whole.offsets[i + 1]]) for i in numbers]


@pytest.fixture(scope="session")
def make_corpus(documents):
    def make(place, name, *, encoder=ENCODER, split=SPLIT, first=0, last=SMALL):
        corpus = Corpus.create(place, name, encoder=encoder, chunker={"name": "lines"}, split=split, dtype="float32")
        corpus.append(documents[first:last])
        corpus.tag("small")
        return corpus

    return make


@pytest.fixture(scope="session")
def train():
    def train(place, identity, reference, architecture="gru", **options):
        snapshot = open_snapshot(place, reference)
        plan = resolve_plan(architecture, snapshot.dim, options)
        return train_model(snapshot, plan, place.model(identity), cache=place.cache)

    return train


@pytest.fixture(scope="session")
def place(tmp_path_factory, documents, make_corpus, train):
    place = Workspace(tmp_path_factory.mktemp("workspace"))
    corpus = make_corpus(place, "c")
    corpus.append(documents[SMALL:LARGE])
    corpus.tag("large")
    make_corpus(place, "twin", first=1)
    make_corpus(place, "elsewhere", split={**SPLIT, "salt": "other"}, first=LARGE, last=LARGE + len(ELSEWHERE))
    make_corpus(place, "foreign", encoder=EncoderSpec(name="other", dim=12, weights_hash="q"))
    train(place, "plain", "c@small", **GRU, anchor="none")
    train(place, "anchored", "c@large", **GRU)
    train(place, "windowed", "c@small", "amn", hidden=16, attention=8, epochs=1, context=4)
    train(place, "baseline", "c@small", "ewma-mix")
    train(place, "of-twin", "twin@small", **GRU, anchor="none")
    train(place, "of-foreign", "foreign@small", **GRU, anchor="none")
    return place
