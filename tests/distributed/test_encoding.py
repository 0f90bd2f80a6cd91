"""What a worker makes of a block, and how it tells; needs no cluster."""

from __future__ import annotations

import lance
import numpy as np
import pyarrow as pa
import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document, Unusable
from nextvec.distributed.encoding import BlockEncoder, encode_block
from nextvec.distributed.ingest import NUMBER
from nextvec.distributed.parcels import items_of, pack, parcel, rows_of, told_of
from nextvec.encoders import load_encoder
from nextvec.errors import DataError, MismatchError
from nextvec.store.dataset import write_fragments
from nextvec.store.ingest import ingest, open_or_create
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

ENCODER, CHUNKER = load_encoder("hashing:16"), build_chunker("sentence")


def document(identity: str, sentences: int) -> Document:
    text = " ".join(f"The sentence {number} of {identity} is here." for number in range(sentences))
    return Document(id=identity, title=identity, text=text, source="test", licence="CC0")


ITEMS = [
    document("a", 3),
    document("short", 1),
    Unusable(id="u", reason="redirect", kind="skipped"),
    document("known", 2),
    document("b", 2),
]


class Items:
    def documents(self):
        return iter(ITEMS)


@pytest.fixture
def corpus(tmp_path) -> Corpus:
    return open_or_create(Workspace(tmp_path / "made"), "c", CHUNKER.spec, ENCODER.spec)


def test_a_block_becomes_what_an_ingest_makes_of_it(tmp_path, corpus):
    """The slow twin: the ingest of one process, of all but what is known."""
    told, rows = encode_block(corpus, ENCODER, CHUNKER, ITEMS, {"known": document("known", 2).content_hash})
    assert told.offered == {"a", "short", "known", "b"}
    assert list(told.stored) == ["a", "b"]
    assert (told.seen.offered, told.seen.already, told.kept.stored, told.kept.chunks) == (4, 1, 2, 5)
    alone = Workspace(tmp_path / "alone")
    ingest(alone, "c", Items(), CHUNKER, ENCODER)
    whole = lance.dataset(alone.corpus("c")).to_table(filter="doc_id != 'known'")
    assert rows.drop_columns([NUMBER]).equals(whole.drop_columns([NUMBER]))


def test_rows_that_others_wrote_are_adopted_in_order(corpus):
    told, rows = encode_block(corpus, ENCODER, CHUNKER, ITEMS, {})
    fragments = write_fragments(rows, corpus.workspace.corpus("c"))
    assert Corpus.open(corpus.workspace, "c").info().documents == 0, "nobody sees them before they are adopted"
    version = corpus.adopt(fragments, told.stored, told.kept.cut)
    assert version == corpus.version == Corpus.open(corpus.workspace, "c").version
    snapshot = corpus.snapshot()
    assert snapshot.documents.ids == ["a", "known", "b"]
    np.testing.assert_array_equal(snapshot.vectors, ENCODER.encode(snapshot.texts(range(7))).astype(np.float16))
    assert corpus.next_number() == 3


def test_a_block_without_a_document_has_no_rows(corpus):
    told, rows = encode_block(corpus, ENCODER, CHUNKER, [ITEMS[1]], {})
    assert (dict(told.stored), rows) == ({}, None)


def answers_of(corpus: Corpus, sent: pa.Table, tools=lambda: (ENCODER, CHUNKER)) -> list[pa.Table]:
    return list(BlockEncoder(corpus.workspace, "c", tools)(sent))


def test_a_worker_answers_with_two_parcels(corpus):
    told, rest = answers_of(corpus, parcel(told={}, items=pack(ITEMS)))
    assert list(told_of(told).stored) == ["a", "known", "b"]
    assert items_of(rest) == ITEMS
    assert rows_of(rest)["doc_id"].to_pylist() == ["a"] * 3 + ["known"] * 2 + ["b"] * 2


def test_an_error_of_the_source_is_handed_on(corpus):
    told, _ = answers_of(corpus, parcel(told=DataError("line 3 is no JSON")))
    assert repr(told_of(told)) == "DataError('line 3 is no JSON')"


def test_another_encoder_than_that_of_the_corpus_is_refused(corpus):
    other = load_encoder("hashing:32")
    told, _ = answers_of(corpus, parcel(told={}, items=pack(ITEMS)), lambda: (other, CHUNKER))
    assert isinstance(told_of(told), MismatchError)
    assert "a worker uses" in str(told_of(told))
