from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nextvec.encoders.lengths import Cut
from nextvec.errors import NotFoundError, UsageError
from nextvec.store.dataset import changed_ns, holding, made_ns
from nextvec.store.lock import exclusive
from nextvec.store.vectors import Corpus, open_snapshot, read_newest
from nextvec.workspace import Workspace

READER = """
import sys
from pathlib import Path
from nextvec.store.vectors import open_snapshot
from nextvec.workspace import Workspace

folder, fingerprint, ready, stop = sys.argv[1:]
while True:
    snapshot = open_snapshot(Workspace(Path(folder)), "c@first")
    assert snapshot.fingerprint == fingerprint
    assert len(snapshot.texts(range(len(snapshot)))) == len(snapshot.vectors)
    Path(ready).touch()
    if Path(stop).exists():
        break
"""


@pytest.fixture
def grown(kit, workspace) -> Corpus:
    """Ten documents in ten commits, versions 2 to 11; the fourth version has a tag."""
    corpus = kit.corpus(workspace)
    for number in range(10):
        corpus.append([replace(kit.encoded(f"d{number}", 3, seed=number), cut=Cut(1, 3))])
        if corpus.version == 4:
            corpus.tag("first")
    return corpus


def test_rows_order_and_counts_stay(grown, workspace):
    before, info = open_snapshot(workspace, "c"), grown.info()
    done = grown.compact()
    after = open_snapshot(workspace, "c")
    assert (done.fragments_before, done.fragments_after, done.version) == (10, 1, 12)
    assert after.fingerprint == before.fingerprint
    np.testing.assert_array_equal(after.vectors, before.vectors)
    assert after.texts(range(30)) == [f"d{row // 3} line {row % 3}" for row in range(30)]
    assert (grown.info().cut, grown.info().headings) == (info.cut, info.headings) == (Cut(10, 30), 0)


def test_versions_without_a_tag_go_and_tags_stay(grown, workspace):
    tagged = open_snapshot(workspace, "c@first")
    done = grown.compact()
    assert (done.versions_removed, done.tags) == (10, ("first",))
    again = open_snapshot(workspace, "c@first")
    assert (again.version, again.fingerprint) == (4, tagged.fingerprint)
    assert tagged.texts([0, 8]) == again.texts([0, 8]) == ["d0 line 0", "d2 line 2"]
    with pytest.raises(NotFoundError, match=r"version 3 of corpus 'c' had no tag and was removed.*first.*newest.*12"):
        open_snapshot(workspace, "c@v3")


def test_versions_that_are_needed_stay(grown, workspace):
    done = grown.compact(needed=lambda: [3, 4, 7, 99])
    assert (done.versions_removed, done.tags, done.kept) == (8, ("first",), (3, 7))
    assert [len(open_snapshot(workspace, f"c@v{version}")) for version in (3, 4, 7)] == [6, 9, 18]
    assert list(grown.tags()) == ["first"]
    assert grown.compact(needed=lambda: [7]).kept == (7,)
    with pytest.raises(NotFoundError, match="removed by a compaction"):
        open_snapshot(workspace, "c@v3")


def test_what_a_killed_compaction_held_is_let_go_by_the_next(grown, workspace):
    held = holding(workspace.corpus("c"), [3])
    held.__enter__()
    assert grown.tags() == {"first": 4}
    assert grown.compact().versions_removed == 9
    assert grown.compact().versions_removed == 1


def test_whoever_reads_what_is_removed_is_told(grown, workspace):
    reading = open_snapshot(workspace, "c@v8")
    grown.compact()
    with pytest.raises(NotFoundError, match="removed by a compaction while it was read"):
        reading.stored[np.array([0, 20])]


def test_versions_stay_on_demand(grown, workspace):
    done = grown.compact(keep_versions=True)
    assert (done.fragments_after, done.versions_removed) == (1, 0)
    assert len(open_snapshot(workspace, "c@v3")) == 6


def test_a_second_one_has_nothing_to_do(grown):
    grown.compact()
    done = grown.compact()
    assert (done.version, done.fragments_before, done.fragments_after, done.versions_removed) == (12, 1, 1, 0)
    assert done.to_dict()["bytes_freed"] == 0


def test_a_corpus_grows_on_as_if_it_had_not_been(kit, grown, workspace):
    grown.compact()
    grown.append([kit.encoded("new")])
    assert [record.doc_id for record in open_snapshot(workspace, "c").documents][-2:] == ["d9", "new"]
    assert Corpus.open(workspace, "c").info().cut == Cut(10, 30)


def test_tags_are_found_whatever_the_folder_is_called(kit, tmp_path):
    place = Workspace(tmp_path / "a b%20ü")
    corpus = kit.corpus(place)
    for name in "abc":
        corpus.append([kit.encoded(name)])
        if name != "c":
            corpus.tag(name)
    assert corpus.compact().tags == ("a", "b")
    assert [len(open_snapshot(place, f"c@{tag}")) for tag in "ab"] == [3, 6]


def test_a_writer_keeps_it_out(grown, workspace):
    with Corpus.open(workspace, "c").writing(), pytest.raises(UsageError, match="is being written by process"):
        grown.compact()


def test_no_tag_is_given_meanwhile(grown, workspace):
    with (
        exclusive(workspace.corpora / "c.generations", what="w"),
        pytest.raises(UsageError, match="generations of 'c'"),
    ):
        grown.tag("late")


def test_a_version_that_is_gone_gets_no_tag(grown, workspace):
    stale = Corpus.open(workspace, "c")
    grown.compact()
    with pytest.raises(NotFoundError, match="version 11 of corpus 'c' had no tag and was removed"):
        stale.tag("late")
    assert grown.tags() == {"first": 4}


def test_a_tag_is_read_all_the_time_by_another_process(kit, grown, workspace, tmp_path: Path):
    """The reader opens the tag and reads it all, again and again, while the corpus grows and is compacted."""
    ready, stop = tmp_path / "ready", tmp_path / "stop"
    fingerprint = open_snapshot(workspace, "c@first").fingerprint
    reader = subprocess.Popen([sys.executable, "-c", READER, str(workspace.root), fingerprint, str(ready), str(stop)])
    while not ready.exists() and reader.poll() is None:
        time.sleep(0.01)
    for round_ in range(5):
        for number in range(4):
            grown.append([kit.encoded(f"r{round_}-{number}")])
        assert grown.compact().fragments_after == 1
    stop.touch()
    assert reader.wait() == 0


def test_what_is_needed_is_asked_for_when_the_rows_are_stored_again(grown, workspace):
    asked = []
    grown.compact(needed=lambda: asked.append(Corpus.open(workspace, "c").version) or asked)
    assert asked == [12]


def test_a_version_that_a_compaction_removes_while_it_is_read_is_read_anew(grown, workspace):
    opened = [Corpus.open(workspace, "c")]
    grown.compact()
    with pytest.raises(NotFoundError, match=r"version 11 .* was removed by a compaction while it was read"):
        opened[0].info()
    assert read_newest(lambda: (opened.pop() if opened else Corpus.open(workspace, "c")).info()).version == 12


def test_a_corpus_that_is_removed_after_it_was_opened_is_not_found(grown, workspace):
    shutil.rmtree(workspace.corpus("c"))
    for read in (grown.info, lambda: changed_ns(workspace.corpus("c")), lambda: made_ns(workspace.corpus("c"))):
        with pytest.raises(NotFoundError, match=r"c\.lance is gone: it was removed, renamed or made anew"):
            read()
