"""No text is encoded twice, in memory or in an ingest that cuts by vectors."""

import numpy as np
import pytest

from nextvec.corpus.document import Document
from nextvec.encoders.hashing import HashingEncoder
from nextvec.errors import RefusedTextsError
from nextvec.store.fitting import fitted_chunker
from nextvec.store.ingest import ingest
from nextvec.store.remembered import Remembered
from nextvec.store.vectors import open_snapshot
from nextvec.workspace import Workspace


class Counted(HashingEncoder):
    """Counts how often each text is encoded; refuses some."""

    refuse: frozenset[str] = frozenset()

    def __init__(self, dim):
        self.seen = []
        super().__init__(dim)
        self.seen = []

    def encode(self, texts, on_progress=None):
        self.seen += texts
        vectors = super().encode(texts, on_progress)
        bad = {row: "is refused" for row, text in enumerate(texts) if text in self.refuse}
        if bad:
            vectors[list(bad)] = np.nan
            raise RefusedTextsError("no", bad, vectors)
        return vectors


def test_what_was_learnt_is_not_encoded_again_until_it_is_forgotten():
    encoder = Counted(16)
    memory = Remembered(encoder)
    memory.learn(["a", "b", "a"])
    np.testing.assert_array_equal(memory.encode(["b", "c", "a"]), HashingEncoder(16).encode(["b", "c", "a"]))
    assert encoder.seen == ["a", "b", "c"]
    memory.forget()
    memory.encode(["a"])
    assert encoder.seen == ["a", "b", "c", "a"]


def test_what_is_refused_is_told_to_who_asks_for_it():
    encoder = Counted(16)
    encoder.refuse = frozenset({"b"})
    memory = Remembered(encoder)
    memory.learn(["a", "b"])
    assert memory.encode(["a"]).shape == (1, 16)
    with pytest.raises(RefusedTextsError) as refusal:
        memory.encode(["a", "b"])
    assert refusal.value.reasons == {1: "is refused"}
    assert np.isnan(refusal.value.vectors).any(axis=1).tolist() == [False, True]


class Source:
    def documents(self):
        for number in range(3):
            text = "Cat N sat. Cat N sat down. Trains left N. Then trains N were late.\n\nNobody N came."
            text = text.replace(" N", f" {number}")
            yield Document(id=f"d{number}", title="", text=text, source="s", licence="l")


def test_an_ingest_encodes_sentences_once_and_chunks_of_several_besides(tmp_path):
    place, encoder = Workspace(tmp_path), Counted(32)
    chunker = fitted_chunker(place, "c", "semantic", {"percentile": 40, "window": 1}, encoder)
    ingest(place, "c", Source(), chunker, encoder)
    snapshot = open_snapshot(place, "c")
    texts = snapshot.texts(range(len(snapshot)))
    assert any(text.count(".") > 1 for text in texts)
    assert any(text.count(".") == 1 for text in texts)
    assert len(encoder.seen) == len(set(encoder.seen))
    np.testing.assert_allclose(snapshot.vectors, HashingEncoder(32).encode(texts), atol=1e-3)


def test_a_document_with_a_sentence_that_is_refused_fails_alone(tmp_path):
    place, encoder = Workspace(tmp_path), Counted(32)
    encoder.refuse = frozenset({"Nobody 1 came."})
    chunker = fitted_chunker(place, "c", "semantic", {}, encoder)
    report = ingest(place, "c", Source(), chunker, encoder, tolerate=1.0)
    assert (report.stored, [name for name, _ in report.failed]) == (2, ["d1"])
