"""Paragraphs are stored as the chunkers know them; older corpora tell them by the spans of their chunks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Chunk
from nextvec.errors import DataError
from nextvec.store.breaks import Breaks, breaks_by_spans, check_breaks
from nextvec.store.encoded import EncodedDocument, digest
from nextvec.store.sample import sample_snapshot
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import open_snapshot
from nextvec.structure import BEGINS, CONTINUES, UNKNOWN

TEXT = "One came.  Two came.\nThree came.\n\nFour came. * * * Five came."
EXACT = [BEGINS, CONTINUES, CONTINUES, BEGINS, CONTINUES]
BY_SPANS = [BEGINS, BEGINS, CONTINUES, BEGINS, CONTINUES]
"""Two spaces look like a break."""


def encoded(kit, identity="a", text=TEXT):
    document = kit.document(identity, text=text)
    chunks = build_chunker("sentence").chunks(document)
    return EncodedDocument(document=document, chunks=chunks, vectors=kit.vectors(len(chunks)))


def test_what_chunkers_know_is_stored(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([encoded(kit), encoded(kit, "b", "Six came. Seven came.")])
    assert corpus.info().breaks == Breaks(begins=3, unknown=0)
    breaks = open_snapshot(workspace, "c").breaks
    assert breaks.tolist() == [*EXACT, BEGINS, CONTINUES]
    assert breaks.dtype == np.int8
    assert not breaks.flags.writeable
    assert sample_snapshot(corpus, corpus.version, chunks=4).breaks.tolist() == [*EXACT[:4], BEGINS, CONTINUES]


def test_a_chunker_that_says_nothing_leaves_it_unknown(kit, workspace):
    kit.corpus(workspace).append([kit.encoded("a", 3)])
    assert open_snapshot(workspace, "c").breaks.tolist() == [UNKNOWN] * 3


def test_an_older_corpus_tells_it_by_its_spans(kit, workspace, before_breaks):
    corpus = kit.corpus(workspace)
    corpus.append([encoded(kit), encoded(kit, "b", "Six came. Seven came.")])
    assert not corpus.keeps_breaks
    assert corpus.info().breaks == Breaks(begins=4, unknown=0)
    assert open_snapshot(workspace, "c").breaks.tolist() == [*BY_SPANS, BEGINS, CONTINUES]
    assert sample_snapshot(corpus, corpus.version, chunks=2).breaks.tolist() == [*BY_SPANS[:2], BEGINS, CONTINUES]


def test_an_older_corpus_goes_on_as_it_began(kit, workspace, before_breaks, monkeypatch):
    corpus = kit.corpus(workspace)
    corpus.append([encoded(kit)])
    before = corpus.snapshot()
    monkeypatch.undo()
    corpus.append([encoded(kit, "b")])
    assert corpus.snapshot().breaks.tolist() == [*BY_SPANS, *BY_SPANS]
    assert corpus.snapshot(before.version).fingerprint == before.fingerprint


def test_chunks_without_a_span_are_unknown(kit, workspace, before_breaks):
    vectors_alone = [Chunk(text="", position=n, start=0, end=0) for n in range(3)]
    kit.corpus(workspace).append([replace(kit.encoded("a", 3), chunks=vectors_alone)])
    assert open_snapshot(workspace, "c").breaks.tolist() == [UNKNOWN] * 3


def test_a_chunk_that_overlaps_the_one_before_goes_on_with_it():
    spans = [(0, 9), (5, 20), (21, 30), (32, 40)]
    chunks = [Chunk(text="x", position=n, start=start, end=end) for n, (start, end) in enumerate(spans)]
    assert breaks_by_spans(chunks).tolist() == [BEGINS, CONTINUES, CONTINUES, BEGINS]


def test_breaks_that_follow_from_the_spans_leave_the_digest_as_it_was(kit):
    old = "996df371076d82c3"  # of the same document before there were breaks
    document = kit.encoded("a", 3, seed=1)
    follow = breaks_by_spans(document.chunks)
    assert digest(document.chunks, document.vectors, follow) == old
    others = {digest(document.chunks, document.vectors, breaks) for breaks in (follow * 0, follow * 0 - 1)}
    assert len(others | {old}) == 3


def test_a_code_that_there_is_not_is_refused_by_document_and_chunk(kit, workspace):
    bad = encoded(kit)
    bad.chunks[2] = replace(bad.chunks[2], begins=2)
    with pytest.raises(DataError, match="document 'a': the break of chunk 2 is 2; expected 1 where the chunk begins"):
        kit.corpus(workspace).append([bad])


@pytest.mark.parametrize(
    "breaks", [np.zeros(2, np.int8), np.zeros(3), np.zeros((3, 1), np.int8), np.array([False] * 3)]
)
def test_breaks_that_do_not_fit_are_refused(breaks):
    with pytest.raises(DataError, match=r"x: breaks .* for 3 chunks, expected one integer each"):
        check_breaks(breaks, 3, "x")


def test_a_snapshot_in_memory_knows_what_it_is_told(kit):
    settings = {"offsets": [0, 2, 5], "doc_ids": ["a", "b"], "encoder": kit.spec}
    silent = Snapshot.from_arrays("x", kit.vectors(5), **settings)
    assert silent.breaks.tolist() == [UNKNOWN] * 5
    assert silent.fingerprint == "48707ba16d3ad2f2"  # of the same arrays before there were breaks
    given = np.array([1, 0, 1, -1, 1])
    told = Snapshot.from_arrays("x", kit.vectors(5), breaks=given, **settings)
    assert told.breaks.tolist() == given.tolist()
    assert told.breaks.dtype == np.int8
    assert given.flags.writeable
    assert told.fingerprint != silent.fingerprint
    with pytest.raises(DataError, match="snapshot 'x': the break of chunk 4 is 3"):
        Snapshot.from_arrays("x", kit.vectors(5), breaks=np.array([1, 0, 1, -1, 3]), **settings)
