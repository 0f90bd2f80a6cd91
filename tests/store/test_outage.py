"""A bucket that stops answering: nothing in it is called damaged, and nothing that writes to it says that it did."""

from __future__ import annotations

import urllib.request

import numpy as np
import pytest

from nextvec.corpus.document import Chunk, Document
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import IntegrityError, StorageError
from nextvec.storage import Place, place_of
from nextvec.store.dataset import append_fragments, open_dataset, write_fragments
from nextvec.store.metadata import DEFAULT_SPLIT
from nextvec.store.vectors import Corpus, EncodedDocument
from nextvec.workspace import Workspace


def encoded(name: str) -> EncodedDocument:
    return EncodedDocument(
        document=Document(id=name, title=name, text="one", source="s", licence="unknown"),
        chunks=[Chunk(text="one", position=0, start=0, end=3)],
        vectors=np.eye(4, dtype=np.float32)[:1],
    )


def corpus_in(uri: str) -> Corpus:
    corpus = Corpus.create(
        Workspace(uri), "c", encoder=EncoderSpec(name="e", dim=4), chunker={"name": "none"}, split=dict(DEFAULT_SPLIT)
    )
    corpus.append([encoded("a")])
    return corpus


@pytest.fixture
def outage(object_store, machine, monkeypatch):
    """The URI of a workspace in a bucket with a server of its own, and what ends that server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setattr("nextvec.storage.RETRIES", {"max_retries": 0})
    urllib.request.urlopen(urllib.request.Request(f"{url}/outage", method="PUT")).close()
    return "s3://outage/ws", server.stop


def test_a_bucket_that_is_out_of_reach_is_not_damaged(outage):
    uri, end = outage
    corpus = corpus_in(uri)
    path = corpus.workspace.corpus("c")
    fragments = write_fragments(corpus.rows([encoded("b")], 1), path)
    end()
    for what in (
        lambda: open_dataset(path), corpus.known_documents, corpus.tags,
        lambda: append_fragments(corpus._dataset, fragments, {}),
    ):  # fmt: skip
        with pytest.raises(StorageError, match="Check the network") as told:
            what()
        assert "remove" not in str(told.value)


def test_a_file_that_is_gone_from_a_bucket_is_damage(bucket):
    corpus = corpus_in(bucket)
    place = place_of(corpus.workspace.corpus("c")).at("data")
    for key in place.below():
        Place(bucket, key).remove()
    again = Corpus.open(corpus.workspace, "c")
    with pytest.raises(IntegrityError, match=r"c\.lance is damaged: .*Try again; should it stay so: Restore it"):
        again.snapshot()
