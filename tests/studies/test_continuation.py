"""Text in, stored continuations out."""

import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document
from nextvec.encoders import load_encoder
from nextvec.errors import MismatchError, UsageError
from nextvec.models.bundle import CONFIG
from nextvec.records import read_json, write_json
from nextvec.store.encoded import EncodedDocument
from nextvec.store.vectors import Corpus
from nextvec.studies.continuation import continue_text
from nextvec.workspace import Workspace

ANIMALS = ["cats", "dogs", "owls", "bees", "ants", "elks", "eels", "rats"]


def story(number):
    animal = ANIMALS[number % len(ANIMALS)]
    lines = [f"Here the {animal} of tale {number} meet.", f"Then the {animal} eat.", f"Later the {animal} sleep."]
    return " ".join(lines * 3)


@pytest.fixture(scope="module")
def tales(tmp_path_factory, train):
    place = Workspace(tmp_path_factory.mktemp("tales"))
    encoder, chunker = load_encoder("hashing:32"), build_chunker("sentence")
    split = {"salt": "s", "test": 200, "validation": 400}
    corpus = Corpus.create(place, "tales", encoder=encoder.spec, chunker=chunker.spec, split=split)
    documents = []
    for number in range(60):
        document = Document(id=f"t{number}", title="", text=story(number), source="test", licence="CC0")
        chunks = chunker.chunks(document)
        documents.append(
            EncodedDocument(document=document, chunks=chunks, vectors=encoder.encode([c.text for c in chunks]))
        )
    corpus.append(documents)
    train(place, "ridge", "tales", "ridge")
    return place


def test_the_nearest_stored_chunks_follow_the_text(tales):
    found = continue_text(tales, "ridge", "Here the cats of tale 8 meet. Then the cats eat.", 3)
    assert len(found) == 3
    assert all(chunk.text.startswith("Later the ") for chunk in found)
    similarities = [chunk.similarity for chunk in found]
    assert similarities == sorted(similarities, reverse=True)


def test_the_texts_own_sentences_are_no_continuation(tales):
    found = continue_text(tales, "ridge", "Then the owls eat. Later the owls sleep.", 5)
    assert not {"Then the owls eat.", "Later the owls sleep."} & {chunk.text for chunk in found}


def test_nothing_cannot_be_continued(tales):
    with pytest.raises(UsageError, match=r"has no sentence to continue; give a few sentences"):
        continue_text(tales, "ridge", "   ", 3)


def test_another_encoder_is_refused(tales):
    path = tales.model("ridge") / CONFIG
    config = read_json(path)
    write_json(path, {**config, "encoder": {**config["encoder"], "weights_hash": "another"}})
    try:
        with pytest.raises(MismatchError, match=r"the encoder at hand uses .* ridge uses"):
            continue_text(tales, "ridge", "Then the owls eat.", 3)
    finally:
        write_json(path, config)
