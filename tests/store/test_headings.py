"""Headings are stored, tagged and read back beside the chunks, in no row of their own; older corpora have none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document
from nextvec.corpus.headings import NONE, Heading, Title, compose
from nextvec.encoders.hashing import HashingEncoder
from nextvec.errors import DataError, RefusedTextsError
from nextvec.store.encoded import EncodedDocument
from nextvec.store.headings import Headings, headings_content
from nextvec.store.ingest import ingest
from nextvec.store.sample import sample_snapshot
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import open_snapshot

PIECES = ["One came. Two came.", Title("A", 2), Title("B", 3), "Three came.", Title("C", 2), "Four came. Five came."]
UNDER = [NONE, NONE, 1, 2, 2]


def document(identity="a", pieces=PIECES):
    text, headings = compose(pieces)
    return Document(id=identity, title=identity, text=text, source="test", licence="CC0", headings=headings)


def encoded(kit, identity="a", pieces=PIECES, seed=0):
    made = document(identity, pieces)
    chunks = build_chunker("sentence").chunks(made)
    vectors = kit.vectors(len(made.headings), seed=seed + 1) if made.headings else None
    return EncodedDocument(
        document=made, chunks=chunks, vectors=kit.vectors(len(chunks), seed=seed), heading_vectors=vectors
    )


def plain(kit, identity="b"):
    return encoded(kit, identity, ["Six came. Seven came."], seed=5)


def test_headings_are_read_back_beside_the_chunks(kit, workspace):
    corpus = kit.corpus(workspace)
    given = encoded(kit)
    corpus.append([given, plain(kit)])
    corpus.append([encoded(kit, "c", seed=7)])
    snapshot = open_snapshot(workspace, "c")
    assert len(snapshot) == 12
    assert corpus.info().headings == 6
    assert snapshot.heading.tolist() == [*UNDER, NONE, NONE, *UNDER]
    assert snapshot.heading.dtype == np.int32
    assert not snapshot.heading.flags.writeable
    last, none, first = snapshot.headings([2, 1, 0])
    assert first.headings == last.headings == given.document.headings
    assert (first.vectors == given.heading_vectors.astype(np.float16)).all()
    assert (first.vectors != last.vectors).any()
    assert (len(none), none.vectors.shape, none.vectors.dtype) == (0, (0, kit.spec.dim), np.float16)


def test_every_version_has_its_own(kit, workspace):
    corpus = kit.corpus(workspace, dtype="float32")
    corpus.append([plain(kit)])
    corpus.tag("none")
    corpus.append([encoded(kit)])
    corpus.tag("some")
    before, after = open_snapshot(workspace, "c@none"), open_snapshot(workspace, "c@some")
    assert [corpus.info(tag).headings for tag in ("none", "some")] == [0, 3]
    assert before.heading.tolist() == [NONE] * 2
    assert [len(own) for own in before.headings([0])] == [0]
    assert [[one.text for one in own.headings] for own in after.headings([0, 1])] == [[], ["A", "B", "C"]]


def test_a_sample_has_the_headings_of_its_documents(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([plain(kit), encoded(kit)])
    sample = sample_snapshot(corpus, corpus.version, chunks=3)
    assert sample.heading.tolist() == [NONE, NONE, *UNDER[:3]]
    assert [len(own) for own in sample.headings([0, 1])] == [0, 3]


def test_without_headings_everything_is_as_it_was(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([plain(kit)])
    assert corpus.snapshot().fingerprint == "ecf5d489bebe0448"  # of the same corpus before there were headings


def test_headings_are_part_of_what_is_identified(kit, workspace):
    given = encoded(kit)
    other_text = replace(given.document, headings=(*given.document.headings[:2], Heading(text="D", level=2, start=34)))
    made = [
        given,
        replace(given, document=other_text),
        replace(given, heading_vectors=given.heading_vectors[::-1]),
        replace(given, chunks=[replace(chunk, heading=0) for chunk in given.chunks]),
        without_headings(given),
    ]
    found = []
    for number, one in enumerate(made):
        corpus = kit.corpus(workspace, f"c{number}")
        corpus.append([one])
        found.append(corpus.snapshot().fingerprint)
    assert len(set(found)) == len(made)


def without_headings(given):
    chunks = [replace(chunk, heading=NONE) for chunk in given.chunks]
    return replace(given, document=replace(given.document, headings=()), heading_vectors=None, chunks=chunks)


def test_an_older_corpus_goes_on_without(kit, workspace, before_headings):
    corpus = kit.corpus(workspace)
    corpus.append([encoded(kit)])
    before_headings.undo()
    corpus.append([encoded(kit, "b")])
    assert not corpus.keeps_headings
    assert corpus.info().headings is None
    snapshot = corpus.snapshot()
    assert snapshot.heading.tolist() == [NONE] * 10
    assert [len(own) for own in snapshot.headings([0, 1])] == [0, 0]
    assert len(sample_snapshot(corpus, corpus.version)) == 10
    silent = kit.corpus(workspace, "silent")
    silent.append([without_headings(encoded(kit)), without_headings(encoded(kit, "b"))])
    assert silent.snapshot().fingerprint == snapshot.fingerprint


def test_an_older_version_of_a_corpus_made_anew_has_none(kit, workspace, before_headings):
    corpus = kit.corpus(workspace)
    before_headings.undo()
    corpus.remake(replace(corpus.metadata, dtype="float32"))
    corpus.append([encoded(kit)])
    assert [corpus.info(version).headings for version in (1, 2, 3)] == [None, 0, 3]
    assert corpus.snapshot(1).heading.tolist() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda vectors: None, r"document 'a': vectors \(0, 8\) for 3 headings, expected \(headings, 8\)"),
        (lambda vectors: vectors[:2], r"document 'a': vectors \(2, 8\) for 3 headings"),
        (lambda vectors: vectors * [[1], [0], [1]], "document 'a': the vector of heading 1 is zero; nothing of"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(kit, workspace, change, message):
    given = encoded(kit)
    with pytest.raises(DataError, match=message):
        kit.corpus(workspace).append([replace(given, heading_vectors=change(given.heading_vectors))])


def test_a_number_that_no_heading_has_is_refused(kit, workspace):
    given = encoded(kit)
    given.chunks[4] = replace(given.chunks[4], heading=3)
    with pytest.raises(DataError, match="document 'a': chunk 4 stands under heading 3; expected one of 3 from"):
        kit.corpus(workspace).append([given])


class TestInMemory:
    def build(self, kit, **changes):
        headings = [Headings(encoded(kit).document.headings, kit.vectors(3, seed=3)), Headings.empty(8, np.float32)]
        settings = {"offsets": [0, 3, 5], "doc_ids": ["a", "b"], "encoder": kit.spec}
        told = {"headings": headings, "heading": np.array([NONE, 0, 2, NONE, NONE])} | changes
        return Snapshot.from_arrays("x", kit.vectors(5), **settings, **told)

    def test_it_knows_what_it_is_told(self, kit):
        snapshot = self.build(kit)
        assert snapshot.heading.tolist() == [NONE, 0, 2, NONE, NONE]
        assert [len(own) for own in snapshot.headings(np.array([1, 0]))] == [0, 3]
        silent = self.build(kit, headings=None, heading=None)
        assert silent.heading.tolist() == [NONE] * 5
        assert silent.fingerprint != snapshot.fingerprint

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"heading": np.array([0, 0, 3, -1, -1])},
                "chunk 2 stands under heading 3; expected one of 3 from 0, or -1",
            ),
            (
                {"heading": np.array([0, 0, 0, 0, -1])},
                "snapshot 'x': chunk 3 stands under heading 0",
            ),
            ({"heading": np.array([0, 0])}, r"snapshot 'x': numbers of headings \(2,\) int64 for 5 chunks"),
            ({"heading": np.zeros(5)}, r"numbers of headings \(5,\) float64"),
            ({"headings": []}, "headings of 0 documents for 2, expected those of each"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, kit, changes, message):
        with pytest.raises(DataError, match=message):
            self.build(kit, **changes)

    def test_a_document_that_there_is_not_is_refused(self, kit):
        with pytest.raises(DataError, match=r"x: document 1\.\.2 asked for, expected 0\.\.1"):
            self.build(kit).headings([1, 2])


def test_nothing_is_told_of_nothing():
    assert headings_content([Headings.empty(8, np.float32)], np.array([NONE])) == []


class TestIngest:
    def run(self, kit, workspace, pieces=PIECES, name="c", encoder=None):
        source = kit.source([document("a", pieces), document("b", ["Six came. Seven came."])])
        return ingest(workspace, name, source, build_chunker("sentence"), encoder or HashingEncoder(8), tolerate=1.0)

    def test_headings_are_encoded_and_counted(self, kit, workspace):
        report = self.run(kit, workspace)
        assert (report.stored, report.chunks, report.headings) == (2, 7, 3)
        assert report.to_dict()["headings"] == 3
        first, second = open_snapshot(workspace, "c").headings([0, 1])
        assert (first.vectors == HashingEncoder(8).encode(["A", "B", "C"]).astype(np.float16)).all()
        assert len(second) == 0

    def test_the_rows_are_those_of_the_text_without_headings(self, kit, workspace):
        self.run(kit, workspace)
        self.run(kit, workspace, [piece for piece in PIECES if isinstance(piece, str)], name="bare")
        with_headings, without = open_snapshot(workspace, "c"), open_snapshot(workspace, "bare")
        assert (with_headings.vectors == without.vectors).all()
        assert (with_headings.breaks == without.breaks).all()
        assert with_headings.texts(range(7)) == without.texts(range(7))
        assert with_headings.documents == without.documents

    def test_an_older_corpus_does_not_ask_for_their_vectors(self, kit, workspace, before_headings):
        report = self.run(kit, workspace, encoder=Refusing("B"))
        assert (report.stored, report.headings, report.failed) == (2, 0, [])

    def test_a_heading_that_is_refused_is_told(self, kit, workspace):
        report = self.run(kit, workspace, encoder=Refusing("B"))
        assert report.failed == [("a", "its heading 'B' is refused")]
        assert report.causes["a heading cannot be encoded"].times == 1
        assert report.stored == 1

    def test_a_heading_without_a_direction_is_told(self, kit, workspace):
        report = self.run(kit, workspace, encoder=Refusing("C", raises=False))
        assert report.failed == [("a", "a vector is zero: that of heading 2")]


@dataclass
class Refusing:
    """Encodes all but one text."""

    word: str
    raises: bool = True

    @property
    def spec(self):
        return HashingEncoder(8).spec

    def encode(self, texts, on_progress=None):
        vectors = HashingEncoder(8).encode(texts)
        wrong = [row for row, text in enumerate(texts) if text == self.word]
        vectors[wrong] = 0
        if wrong and self.raises:
            raise RefusedTextsError("one is refused", dict.fromkeys(wrong, "is refused"), vectors)
        return vectors
