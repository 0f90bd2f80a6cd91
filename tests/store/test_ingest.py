from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Unusable
from nextvec.corpus.prose import visible
from nextvec.corpus.sources import open_source
from nextvec.encoders import load_encoder
from nextvec.errors import DataError, FullDiskError, MismatchError, RefusedTextsError, UsageError
from nextvec.store.ingest import ingest, report_path
from nextvec.store.lock import writing_alone
from nextvec.store.metadata import DEFAULT_SPLIT
from nextvec.store.vectors import Corpus, open_snapshot

ENCODER = load_encoder("hashing:16")


@dataclass
class FailingEncoder:
    """The hashing encoder, but texts that hold `word` become `value`."""

    word: str
    value: float
    spec = ENCODER.spec

    def encode(self, texts, on_progress=None):
        vectors = ENCODER.encode(texts, on_progress)
        vectors[[self.word in text for text in texts]] = self.value
        return vectors


@dataclass
class OwnEncoder:
    """The hashing encoder, whose answers `give` turns into something else."""

    give: Callable
    spec = ENCODER.spec

    def encode(self, texts, on_progress=None):
        return self.give(ENCODER.encode(texts, on_progress))


@pytest.fixture
def run(kit, workspace):
    def run(items, *, name="c", chunker=None, encoder=ENCODER, **options):
        return ingest(workspace, name, kit.source(items), chunker or kit.chunker(), encoder, **options)

    return run


def test_a_source_becomes_a_corpus(kit, workspace, run):
    report = run([kit.document("a"), kit.document("b", 4)])
    assert (report.stored, report.offered, report.chunks, report.complete) == (2, 2, 7, True)
    snapshot = open_snapshot(workspace, "c")
    np.testing.assert_array_equal(snapshot.vectors, ENCODER.encode(snapshot.texts(range(7))).astype(np.float16))
    assert snapshot.encoder == ENCODER.spec
    assert report.version == snapshot.version


@pytest.mark.parametrize("give", [np.ndarray.tolist, torch.from_numpy, lambda vectors: vectors.astype(np.longdouble)])
def test_an_encoder_of_ones_own_may_give_any_array(kit, workspace, run, give):
    run([kit.document("a")], encoder=OwnEncoder(give))
    run([kit.document("a")], name="usual")
    own, usual = (open_snapshot(workspace, name).vectors for name in ("c", "usual"))
    np.testing.assert_allclose(own, usual, atol=1e-3)


@pytest.mark.parametrize(
    ("give", "what"),
    [
        (lambda vectors: vectors[:, :8], r"float32 of shape \(\d+, 8\)"),
        (lambda vectors: vectors[1:], r"float32 of shape \(\d+, 16\)"),
        (lambda vectors: (127 * vectors).astype(np.int8), "int8 of shape"),
        (lambda vectors: ["a"] * len(vectors), "<U1 of shape"),
    ],
)
def test_what_an_encoder_of_ones_own_gives_wrongly_is_said(kit, run, give, what):
    with pytest.raises(
        DataError, match=rf"encoder 'hashing' gave {what} .*; expected floating-point numbers \(\d+, 16\)"
    ):
        run([kit.document("a")], encoder=OwnEncoder(give))


def test_a_finished_run_leaves_the_memory_map_ready(kit, workspace, run, monkeypatch):
    run([kit.document("a")])

    def rebuild(*_):
        raise AssertionError("built again")

    monkeypatch.setattr("nextvec.store.snapshot._build_cache", rebuild)
    assert len(open_snapshot(workspace, "c")) == 3


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(act)`: what others do when a run has just seen that there is no corpus."""

    def arrange(act):
        exists, seen = Corpus.exists, []

        def gap(place, name):
            found = exists(place, name)
            if not seen:
                seen.append(found)
                act()
            return found

        monkeypatch.setattr(Corpus, "exists", staticmethod(gap))

    return arrange


class TestAnotherIsFirstAtANewCorpus:
    def test_and_has_ended(self, kit, workspace, run, meanwhile) -> None:
        meanwhile(lambda: run([kit.document("a")]))
        report = run([kit.document("a"), kit.document("b")])
        assert (report.stored, report.already) == (1, 1)
        assert [record.doc_id for record in open_snapshot(workspace, "c").documents] == ["a", "b"]

    def test_and_writes(self, kit, workspace, run, meanwhile) -> None:
        with ExitStack() as held:

            def begin():
                run([kit.document("a")])
                held.enter_context(Corpus.open(workspace, "c").writing())

            meanwhile(begin)
            with pytest.raises(UsageError, match=r"corpus 'c' is being written by process .* Wait until it ends"):
                run([kit.document("b")])

    def test_and_is_making_it(self, kit, workspace, run, meanwhile) -> None:
        with ExitStack() as held:
            meanwhile(lambda: held.enter_context(writing_alone(workspace, "c")))
            with pytest.raises(UsageError, match=r"corpus 'c' is being written by process .* Wait until it ends"):
                run([kit.document("b")])

    def test_with_another_encoder(self, kit, run, meanwhile) -> None:
        meanwhile(lambda: run([kit.document("a")], encoder=load_encoder("hashing:32")))
        with pytest.raises(MismatchError, match=r"corpus 'c' uses encoder hashing 32-D.*hashing 16-D"):
            run([kit.document("b")])


def test_the_same_again_changes_nothing(kit, workspace, run):
    documents = [kit.document(f"d{number}") for number in range(10)]
    run(documents)
    before = open_snapshot(workspace, "c")
    report = run(documents)
    assert (report.stored, report.already, report.version) == (0, 10, before.version)
    assert open_snapshot(workspace, "c").fingerprint == before.fingerprint


def test_growth_stores_only_what_is_new(kit, workspace, run):
    documents = [kit.document(f"d{number}") for number in range(10)]
    run(documents, limit=6, block_documents=4)
    report = run(documents, block_documents=4)
    assert (report.stored, report.already) == (4, 6)
    assert [record.doc_id for record in open_snapshot(workspace, "c").documents] == [f"d{n}" for n in range(10)]


def test_a_changed_document_is_reported_and_the_stored_one_kept(kit, workspace, run):
    run([kit.document("a"), kit.document("b")])
    report = run([kit.document("a"), kit.document("b", text="another\ntext")])
    assert report.changed == ["b"]
    assert report.already == 1
    assert open_snapshot(workspace, "c").texts([3]) == ["b line 0"]


def test_an_id_met_twice_is_stored_once(kit, workspace, run):
    report = run([kit.document("a"), kit.document("a"), kit.document("a", text="x\ny")])
    assert (report.stored, report.already, report.changed) == (1, 1, ["a"])


def test_limit_counts_documents_not_what_is_skipped(kit, run):
    skipped = Unusable(id="r", reason="redirect", kind="skipped")
    items = [skipped, kit.document("a"), skipped, kit.document("b"), skipped, kit.document("c")]
    report = run(items, limit=2)
    assert (report.stored, report.skipped) == (2, {"redirect": 2})


def test_limit_reads_no_further_than_it_must(kit, run):
    def items():
        yield kit.document("a")
        raise AssertionError("read on after the limit")

    assert run(items(), limit=1).stored == 1


def test_reasons_are_counted_without_what_is_of_one_document(kit, run):
    items = [Unusable(id=f"s{words}", reason=f"too short: {words} words", kind="skipped") for words in range(4)]
    assert run([*items, kit.document("a")]).skipped == {"too short": 4}


def test_short_documents_are_skipped_by_name(kit, run):
    report = run([kit.document("a", 1), kit.document("b", 2)])
    assert (report.stored, report.skipped, report.offered) == (1, {"too short": 1}, 2)


def test_a_failure_is_recorded_and_the_rest_stored(kit, workspace, run):
    items = [kit.document("a"), Unusable(id="broken", reason="not UTF-8", kind="failed"), kit.document("b")]
    report = run(items)
    assert report.failed == [("broken", "not UTF-8")]
    assert (report.held, report.offered) == (2, 3)


@pytest.mark.parametrize(("value", "what"), [(np.nan, "is not finite"), (0.0, "is zero")])
def test_a_bad_vector_fails_its_document_alone(kit, workspace, run, value, what):
    report = run([kit.document("a"), kit.document("bad"), kit.document("c")], encoder=FailingEncoder("bad", value))
    assert report.stored == 2
    ((identity, reason),) = report.failed
    assert identity == "bad"
    assert what in reason


def test_a_chunker_that_fails_fails_its_document_alone(kit, run):
    class Chunker(kit.chunker):
        def chunks(self, document):
            if document.id == "bad":
                raise DataError("no sentence found")
            return super().chunks(document)

    report = run([kit.document("a"), kit.document("bad")], chunker=Chunker())
    assert report.failed == [("bad", "no sentence found")]


def test_mass_failure_stops_the_run_and_keeps_what_was_stored(kit, workspace, run):
    items = []
    for number in range(40):
        items.append(kit.document(f"d{number}"))
        items += [Unusable(id=f"x{number}", reason="truncated page", kind="failed")] * (number > 20)
    with pytest.raises(DataError, match=r"most often \(\d+\) because: truncated page\. Stopped: more than 5%"):
        run(items, block_documents=10)
    assert len(Corpus.open(workspace, "c").known_documents()) == 30
    saved = json.loads(report_path(workspace, "c").read_text())
    assert saved["complete"] is False
    assert saved["stored"] == 30


def test_what_may_fail_is_an_option(kit, workspace, run):
    items = [kit.document(f"d{number}") for number in range(16)]
    items += [Unusable(id=f"x{number}", reason="not UTF-8", kind="failed") for number in range(4)]
    advice = r"The 16 stored documents stay in corpus 'c'\. To store the others all the same: --tolerate 0\.2"
    with pytest.raises(DataError, match=rf"4 of 20 .* more than 5% failed\. {advice}"):
        run(items)
    report = run(items, tolerate=0.2)
    assert report.complete
    assert len(report.failed) == 4
    for share in (-0.1, 1.1, np.nan):
        with pytest.raises(UsageError, match="from 0 to 1"):
            run(items, tolerate=share)


@pytest.mark.parametrize(
    ("good", "bad", "tolerate", "stops"),
    [
        (10, 1, 0.05, False),
        (10, 1, 0, True),
        (9, 2, 0.05, True),
        (9, 2, 0.2, False),
        (1, 10, 0, True),
        (1, 10, 1, False),
    ],
)
def test_of_few_documents_what_may_fail_holds_at_the_end(kit, run, workspace, good, bad, tolerate, stops):
    """One may, unless none is to; what is whole is stored."""
    items = [Unusable(id=f"x{number}", reason="not UTF-8", kind="failed") for number in range(bad)]
    items += [kit.document(f"d{number}") for number in range(good)]
    with pytest.raises(DataError, match="Stopped: more than") if stops else nullcontext():
        run(items, tolerate=tolerate)
    assert len(Corpus.open(workspace, "c").known_documents()) == good


def test_the_first_reasons_are_said_with_counts_and_without_places(kit, run):
    def failed(reason, times, detail=""):
        return [
            Unusable(id=f"{reason}{n}", reason=reason, detail=f"{detail} {n}", place=f"a.jsonl:{n}", kind="failed")
            for n in range(times)
        ]

    items = [*failed("b", 3), *failed("a", 30, "column"), *failed("c", 2), *failed("d", 2), *failed("e", 1)]
    with pytest.raises(DataError) as caught:
        run([kit.document("x"), *items])
    assert str(caught.value).startswith(
        "38 of 39 documents failed, most often (30) because: a: column 0; (3) because: b:  0; (2) because: c:  0; "
        "(3) for other reasons. Stopped: more than 5% failed."
    )


def test_with_any_tolerance_a_run_that_stores_nothing_is_an_error(run):
    with pytest.raises(DataError, match=r"25 of 25 .* because: r\. Nothing was stored"):
        run([Unusable(id=str(number), reason="r", kind="failed") for number in range(25)], tolerate=1.0)


@dataclass
class RefusingEncoder:
    """The hashing encoder, but texts that hold `word` are refused."""

    word: str
    spec = ENCODER.spec

    def encode(self, texts, on_progress=None):
        vectors = ENCODER.encode(texts, on_progress)
        reasons = {row: "is refused: it is bad" for row, text in enumerate(texts) if self.word in text}
        vectors[list(reasons)] = np.nan
        if reasons:
            raise RefusedTextsError("some are bad", reasons, vectors)
        return vectors


def test_a_text_that_is_refused_fails_its_document_by_name_and_no_other(kit, workspace, run):
    documents = [kit.document("a"), kit.document("b", text="one\ntwo\nsome bad line\nbad"), kit.document("c")]
    report = run(documents, encoder=RefusingEncoder("bad"))
    assert report.failed == [("b", "its chunk 2 (13 characters) is refused: it is bad")]
    assert report.stored == 2
    run([documents[0], documents[2]], name="other")
    left, right = open_snapshot(workspace, "c"), open_snapshot(workspace, "other")
    np.testing.assert_array_equal(left.vectors, right.vectors)
    assert report.characters.left_out == {"a chunk cannot be encoded": 20}


def characters(documents):
    return sum(visible(document.text) + sum(document.left_out.values()) for document in documents)


def test_every_character_is_accounted_for(kit, run):
    """Stored, too short, failed, skipped, changed: what was read is kept or left out under a reason."""
    whole = replace(kit.document("a"), left_out={"table": 7})
    short, bad = replace(kit.document("s", 1), left_out={"table": 2}), kit.document("bad")
    skipped = Unusable(id="r", reason="redirect", kind="skipped", characters=11)
    broken = Unusable(id="x", reason="not JSON", kind="failed")
    report = run([whole, short, bad, skipped, broken], encoder=FailingEncoder("bad", 0.0), tolerate=1).characters
    assert report.read == characters([whole, short, bad]) + 11
    assert report.kept == visible(whole.text)
    assert report.left_out == {
        "table": 9,
        "too short": visible(short.text),
        "a vector is zero": visible(bad.text),
        "redirect": 11,
    }
    changed = kit.document("a", text="another\ntext")
    again = run([changed, kit.document("new")]).characters
    assert again.to_dict() == {
        "read": characters([changed, kit.document("new")]),
        "kept": visible(kit.document("new").text),
        "left_out": {"changed since it was stored": visible(changed.text)},
    }


def test_documents_stored_already_are_not_counted_again(kit, run):
    run([kit.document("a")])
    assert run([kit.document("a")]).characters.read == 0


def test_a_few_early_failures_are_no_mass_failure(kit, run):
    broken = Unusable(id="x", reason="r", kind="failed")
    report = run([broken, *(kit.document(f"d{number}") for number in range(30))], block_documents=5)
    assert report.complete


NOT_CHUNKS = {
    "gave a NoneType; expected a list of nextvec.corpus.document.Chunk": lambda chunks: None,
    "gave a list with a str": lambda chunks: [chunk.text for chunk in chunks],
    "chunk 0 of document 'a' has position 2": lambda chunks: chunks[::-1],
    "expected position 1": lambda chunks: [replace(chunk, position=0) for chunk in chunks],
    "passages of the text in the order of their beginnings": lambda chunks: [
        replace(chunk, end=chunk.end + 1000) for chunk in chunks
    ],
}


@pytest.mark.parametrize("words", NOT_CHUNKS)
def test_a_chunker_of_ones_own_that_gives_no_chunks_in_order_stops_the_ingest(kit, run, words):
    chunker = kit.chunker()
    own = SimpleNamespace(spec=chunker.spec, chunks=lambda document: NOT_CHUNKS[words](chunker.chunks(document)))
    with pytest.raises(UsageError, match=words):
        run([kit.document("a", 3)], chunker=own)


def test_a_run_in_which_everything_fails_is_an_error_however_small(run):
    with pytest.raises(DataError, match=r"2 of 2 documents failed, most often \(2\) because: r\."):
        run([Unusable(id=identity, reason="r", kind="failed") for identity in "xy"])


def test_a_corpus_that_stays_empty_is_an_error_that_says_why(kit, run):
    with pytest.raises(DataError, match=r"3 documents were skipped: 2 too short, 1 empty\. Nothing was stored"):
        run([kit.document("a", 1), kit.document("b", 1), Unusable(id="c", reason="empty", kind="skipped")])
    table = Unusable(id="t.csv", reason="no column of text", detail="Name it: t.csv?text=Body", kind="skipped")
    with pytest.raises(DataError, match=r"Nothing was stored\. t\.csv: no column of text: Name it: t\.csv\?text=Body"):
        run([table])
    with pytest.raises(DataError, match="the source has no document"):
        run([])
    assert run([kit.document("d")]).stored == 1
    assert run([kit.document("a", 1)]).skipped == {"too short": 1}


@pytest.mark.parametrize("split", [None, {"salt": "other", "test": 100, "validation": 200}])
def test_a_run_that_stored_nothing_pins_nothing(kit, workspace, run, split):
    with pytest.raises(DataError, match="Nothing was stored"):
        run([Unusable(id="x", reason="r", kind="failed")], split={"salt": "s", "test": 1, "validation": 2})
    chunker = kit.chunker(spec={"name": "other"})
    report = run([kit.document("a")], encoder=load_encoder("hashing:32"), chunker=chunker, split=split, dtype="float32")
    snapshot = open_snapshot(workspace, "c")
    assert (snapshot.dim, snapshot.chunker, snapshot.vectors.dtype) == (32, {"name": "other"}, np.float32)
    assert snapshot.split == dict(split or DEFAULT_SPLIT)
    assert report.version == snapshot.version


def test_an_empty_corpus_with_a_tag_keeps_what_it_was_made_with(kit, workspace, run):
    kit.corpus(workspace).tag("nothing")
    with pytest.raises(MismatchError, match="uses encoder test 8-D"):
        run([kit.document("a")])


def test_the_report_lies_beside_the_corpus(kit, workspace, run):
    report = run([kit.document("a")])
    assert json.loads(report_path(workspace, "c").read_text()) == report.to_dict()
    assert report_path(workspace, "c") == workspace.corpora / "c.report.json"


def test_another_encoder_is_an_error_that_names_both(kit, run):
    run([kit.document("a")])
    with pytest.raises(MismatchError, match=r"corpus 'c' uses encoder hashing 16-D.*hashing 32-D"):
        run([kit.document("b")], encoder=load_encoder("hashing:32"))


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"dtype": "float32"}, "dtype float16"),
        ({"split": {"salt": "other", "test": 100, "validation": 200}}, "split"),
    ],
)
def test_what_was_fixed_at_creation_stays(kit, run, options, what):
    run([kit.document("a")])
    with pytest.raises(MismatchError, match=f"corpus 'c' was made with {what}"):
        run([kit.document("b")], **options)


def test_another_chunker_is_an_error_that_names_both(kit, run):
    run([kit.document("a")])
    with pytest.raises(MismatchError, match=r"made with chunker .*'lines'.*'other'"):
        run([kit.document("b")], chunker=kit.chunker(spec={"name": "other"}))


def test_the_split_is_chosen_at_creation(kit, workspace, run):
    run([kit.document("a")], split={"salt": "mine", "test": 200, "validation": 400})
    assert open_snapshot(workspace, "c").split == {"salt": "mine", "test": 200, "validation": 400}


def test_blocks_are_cut_by_number_and_by_length(kit, workspace, run, monkeypatch):
    monkeypatch.setattr("nextvec.store.ingest.BLOCK_CHARACTERS", 100)
    long = kit.document("long", text="x" * 60 + "\n" + "y" * 60)
    report = run([long, *(kit.document(f"d{number}", 2) for number in range(3))], block_documents=2, commit_chunks=1)
    assert report.version == 1 + 3


def test_progress_reaches_every_document(kit, run):
    seen = []
    documents = [kit.document(f"d{number}") for number in range(10)]
    run(documents, block_documents=4, progress=lambda report, encoded: seen.append(report.held + encoded))
    assert seen[-1] == 10
    assert seen == sorted(seen)


def test_an_interrupt_keeps_whole_blocks(kit, workspace, run):
    def items():
        yield from (kit.document(f"d{number}") for number in range(10))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(items(), block_documents=4)
    assert len(Corpus.open(workspace, "c").known_documents()) == 8
    assert run([kit.document(f"d{number}") for number in range(12)], block_documents=4).stored == 4


def test_a_commit_holds_the_blocks_that_bring_enough_chunks(kit, run):
    documents = [kit.document(f"d{number}", 3) for number in range(10)]
    assert run(documents, block_documents=1, commit_chunks=12).version == 1 + 3


def test_a_commit_is_due_after_some_time_however_little_waits(kit, run):
    documents = [kit.document(f"d{number}", 3) for number in range(10)]
    assert run(documents, block_documents=2, commit_seconds=0).version == 1 + 5


def test_how_often_is_committed_is_not_to_be_seen_in_the_corpus(kit, workspace, run):
    documents = [kit.document(f"d{number}", number) for number in range(2, 12)]
    run(documents, name="often", block_documents=1, commit_chunks=0)
    run(documents, name="once")
    often, once = open_snapshot(workspace, "often"), open_snapshot(workspace, "once")
    assert (often.version, once.version) == (11, 2)
    assert often.fingerprint == once.fingerprint


def test_what_waits_is_stored_when_a_run_is_interrupted(kit, workspace, run):
    def items():
        yield from (kit.document(f"d{number}") for number in range(5))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(items(), block_documents=2, commit_chunks=1_000)
    assert list(Corpus.open(workspace, "c").known_documents()) == ["d0", "d1", "d2", "d3"]


def test_what_waits_is_stored_and_told_when_too_many_fail(kit, workspace, run):
    failed = [Unusable(id=f"x{number}", reason="r", kind="failed") for number in range(30)]
    with pytest.raises(DataError, match="The 4 stored documents stay in corpus 'c'"):
        run([*(kit.document(f"d{number}") for number in range(4)), *failed], block_documents=4, commit_chunks=1_000)
    assert len(Corpus.open(workspace, "c").known_documents()) == 4


def test_a_document_that_waits_already_is_not_taken_twice(kit, run):
    report = run([kit.document("a"), kit.document("a")], block_documents=1, commit_chunks=1_000)
    assert (report.stored, report.already) == (1, 1)


@pytest.mark.parametrize("mode", ["create", "append"])
def test_a_full_disk_says_what_is_stored_and_the_same_command_goes_on(kit, workspace, run, monkeypatch, mode):
    import lance

    documents = [kit.document(f"d{number}") for number in range(6)]
    if mode == "append":
        run(documents, limit=2)
    stored = "version 2 with 2 documents" if mode == "append" else "What was stored before is kept"

    def write(*_, **__):
        raise OSError("LanceError(IO): No space left on device (os error 28), /rust/structural.rs:190:9")

    with monkeypatch.context() as patch:
        patch.setattr(lance, "write_dataset", write)
        patch.setattr(lance.fragment, "write_fragments", write)
        with pytest.raises(FullDiskError, match=rf"the disk is full: .*'c' .*{stored}.*Free some space") as caught:
            run(documents)
    assert "rust" not in str(caught.value)
    assert run(documents).held == 6


def test_an_error_of_the_run_is_said_even_when_the_report_has_no_space(kit, workspace, run, monkeypatch):
    def full(path, value):
        raise FullDiskError("the report", path, "")

    monkeypatch.setattr("nextvec.store.ingest.write_json", full)
    with pytest.raises(DataError, match="Nothing was stored"):
        run([Unusable(id="x", reason="r", kind="failed")])
    with pytest.raises(FullDiskError, match="the report"):
        run([kit.document("a")])


def test_what_is_stored_of_a_text_is_pinned(workspace, tmp_path):
    """The fingerprint is of texts, spans, vectors, breaks and headings: as it was with a commit every 64 documents."""
    german = "# Höhe\n\nDer Fluß fließt. Er mündet 東京湾 — dort.\n\n\tZwei\nkurze Zeilen."
    text = f"{german}\n\n## Fauna\n\nFish swim. Birds fly. ?!"
    for number in range(70):
        (tmp_path / f"{number:02}.md").write_text(f"{text} Number {number} is here.\n\n" * (number % 4 + 1))
    chunker = build_chunker("sentence", {})
    report = ingest(workspace, "c", open_source(str(tmp_path)), chunker, ENCODER, block_documents=9, commit_chunks=50)
    assert (report.stored, open_snapshot(workspace, "c").fingerprint) == (70, "ec40b11de12fc6a9")
