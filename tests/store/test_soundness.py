"""What has changed on the disk since it was stored is found, document by document, and what cannot be read is told."""

from functools import partialmethod

import pytest

from nextvec.errors import IntegrityError
from nextvec.records import write_json
from nextvec.store.ingest import report_path
from nextvec.store.soundness import altered_documents
from nextvec.store.vectors import Corpus


@pytest.fixture
def corpus(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("a", 3), kit.encoded("b", 5, seed=1)])
    corpus.append([kit.encoded("c", 4, seed=2)])
    return Corpus.open(workspace, "c")


def files_of(corpus):
    return sorted(corpus.workspace.corpus("c").glob("data/*.lance"), key=lambda path: path.stat().st_mtime_ns)


@pytest.mark.parametrize("rows", [1, 3, 4, 100])
def test_what_was_stored_is_what_is_read(corpus, rows, monkeypatch):
    monkeypatch.setattr(Corpus, "batches", partialmethod(Corpus.batches, rows=rows))
    assert altered_documents(corpus) == altered_documents(corpus, 2) == []


def test_nothing_is_altered_where_nothing_is(kit, workspace):
    assert altered_documents(kit.corpus(workspace)) == []


@pytest.mark.usefixtures("before_breaks")
def test_a_corpus_from_before_breaks_and_headings(corpus):
    assert altered_documents(corpus) == []


def test_a_turned_bit_is_found_in_its_document(corpus):
    vector = corpus.snapshot().vectors[9].tobytes()
    path = files_of(corpus)[-1]
    content = bytearray(path.read_bytes())
    content[content.index(vector)] ^= 1
    path.write_bytes(content)
    assert altered_documents(Corpus.open(corpus.workspace, "c")) == ["c"]


@pytest.mark.parametrize("keep", [0, 40])
def test_a_file_that_is_cut_off_is_an_integrity_error(corpus, keep):
    path = files_of(corpus)[0]
    path.write_bytes(path.read_bytes()[:keep])
    again = Corpus.open(corpus.workspace, "c")
    for read in (again.snapshot, again.known_documents, lambda: altered_documents(again)):
        with pytest.raises(IntegrityError, match=r"c\.lance is damaged: .*Restore it from a copy, or remove it"):
            read()


@pytest.mark.parametrize("told_by", ["report", "tag"])
def test_a_newest_version_that_is_gone_is_not_taken_for_one_that_never_was(corpus, told_by):
    if told_by == "tag":
        corpus.tag("newest")
    else:
        write_json(report_path(corpus.workspace, "c"), {"version": corpus.version})
    assert altered_documents(Corpus.open(corpus.workspace, "c")) == []
    newest = min(corpus.workspace.corpus("c").glob("_versions/*.manifest"), key=lambda path: path.name)
    newest.unlink()
    with pytest.raises(IntegrityError, match=r"version 3 of corpus 'c' was written and is gone: the newest .* is 2"):
        altered_documents(Corpus.open(corpus.workspace, "c"))


def test_lances_own_source_is_not_told(corpus):
    for manifest in corpus.workspace.corpus("c").glob("_versions/*.manifest"):
        manifest.write_bytes(b"")
    with pytest.raises(IntegrityError, match=r"cannot be read as a corpus") as told:
        Corpus.open(corpus.workspace, "c")
    assert ".rs:" not in str(told.value)
