"""Snapshots go to other processes: of a corpus by their version, in memory with all that they hold."""

import copy
import pickle
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest

from nextvec.corpus.headings import Heading
from nextvec.errors import MismatchError, NotFoundError
from nextvec.store.headings import Headings
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus, open_snapshot


@pytest.fixture
def headed(kit):
    """`headed(identity, lines)`: a document of one heading, which its second chunk begins to stand under."""

    def headed(identity, lines):
        encoded = kit.encoded(identity, lines)
        document = replace(encoded.document, headings=(Heading(text=f"On {identity}", level=1, start=0),))
        chunks = [replace(chunk, heading=0 if chunk.position else -1) for chunk in encoded.chunks]
        return replace(encoded, document=document, chunks=chunks, heading_vectors=kit.vectors(1, seed=lines))

    return headed


@pytest.fixture
def stored(kit, workspace, headed):
    corpus = kit.corpus(workspace)
    corpus.append([headed("a", 4), headed("b", 3)])
    return corpus


def pickled(snapshot: Snapshot) -> Snapshot:
    return pickle.loads(pickle.dumps(snapshot))


def require_equal(again: Snapshot, snapshot: Snapshot) -> None:
    for name in ("name", "tag", "version", "label", "fingerprint", "encoder", "chunker", "split", "cache"):
        assert getattr(again, name) == getattr(snapshot, name), name
    for name in ("vectors", "offsets", "breaks", "heading", "lengths"):
        np.testing.assert_array_equal(getattr(again, name), getattr(snapshot, name), name)
    for name in ("vectors", "breaks", "heading"):
        assert not getattr(again, name).flags.writeable, name
    assert again.documents == snapshot.documents
    assert again.texts(range(len(again))) == snapshot.texts(range(len(snapshot)))
    both = again.headings([1, 0]), snapshot.headings([1, 0])
    assert [one.headings for one in both[0]] == [one.headings for one in both[1]]
    for mine, other in zip(*both, strict=True):
        np.testing.assert_array_equal(mine.vectors, other.vectors)


@pytest.mark.parametrize("reference", ["c", "c@first", "c@v2"])
def test_that_of_a_corpus_is_opened_again(stored, workspace, headed, reference):
    stored.tag("first")
    snapshot = open_snapshot(workspace, reference)
    content = pickle.dumps(snapshot)
    stored.append([headed("later", 5)])
    require_equal(pickle.loads(content), snapshot)


@pytest.mark.parametrize("copied", [pickled, copy.copy, copy.deepcopy])
def test_that_in_memory_has_all_that_it_holds(kit, copied):
    given = {"texts": list("vwxyz"), "breaks": np.array([1, 0, 0, 1, 0]), "heading": np.array([0, 0, -1, -1, -1])}
    own = Headings((Heading(text="On a", level=1, start=0),), kit.vectors(1))
    nothing = Headings.empty(kit.spec.dim, np.dtype(np.float32))
    snapshot = Snapshot.from_arrays(
        "x", kit.vectors(5), [0, 2, 5], ["a", "b"], encoder=kit.spec, headings=[own, nothing], **given
    )
    require_equal(copied(snapshot), snapshot)
    untold = copied(Snapshot.from_arrays("x", kit.vectors(2), [0, 2], ["a"], encoder=kit.spec))
    with pytest.raises(NotFoundError, match="built without texts"):
        untold.texts([0])


def test_it_carries_no_vectors_though_they_were_mapped(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("long", 5_000)])
    snapshot = open_snapshot(workspace, "c")
    content = pickle.dumps(snapshot)
    assert (len(snapshot.vectors), len(snapshot.doc_index), snapshot.documents.ids) == (5_000, 5_000, ["long"])
    assert len(pickle.dumps(snapshot)) == len(content) < snapshot.stored.nbytes / 2


def test_what_was_replaced_stays_replaced(stored, workspace):
    snapshot = replace(open_snapshot(workspace, "c"), name="other", cache=None)
    again = pickled(snapshot)
    assert (again.name, again.cache, again.texts([0])) == ("other", None, snapshot.texts([0]))


def test_another_process_reads_it(stored, workspace):
    snapshot = open_snapshot(workspace, "c")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as others:
        assert others.submit(Snapshot.texts, snapshot, [6, 0]).result() == snapshot.texts([6, 0])


def test_a_version_that_is_gone_is_told_to_be(stored, workspace, headed):
    content = pickle.dumps(open_snapshot(workspace, "c"))
    stored.append([headed("later", 5)])
    stored.compact()
    with pytest.raises(NotFoundError, match="version 2 of corpus 'c' had no tag and was removed by a compaction"):
        pickle.loads(content)
    shutil.rmtree(workspace.corpus("c"))
    with pytest.raises(NotFoundError, match="no corpus 'c'"):
        pickle.loads(content)


def test_another_corpus_of_its_name_is_not_taken_for_it(kit, stored, workspace, headed):
    content = pickle.dumps(open_snapshot(workspace, "c"))
    shutil.rmtree(workspace.corpus("c"))
    kit.corpus(workspace).append([headed("a", 4), headed("b", 3)])
    assert Corpus.open(workspace, "c").version == 2
    with pytest.raises(MismatchError, match="c@v2 was made anew since a snapshot of it was pickled"):
        pickle.loads(content)
