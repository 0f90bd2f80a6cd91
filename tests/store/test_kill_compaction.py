"""kill -9 within a compaction: the corpus and its tags stay readable, and the same command again gets through."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus, open_snapshot
from nextvec.workspace import Workspace

VICTIM = Path(__file__).with_name("compaction_victim.py")
DOCUMENTS = 40
TAGS = {"first": 4, "middle": 21}
RANDOM_KILLS = 6
REFERENCES = ("c", *(f"c@{tag}" for tag in TAGS))


@pytest.fixture
def grown(kit, workspace) -> Corpus:
    """A commit a document, and two tags."""
    corpus = kit.corpus(workspace)
    for number in range(DOCUMENTS):
        corpus.append([kit.encoded(f"d{number}", 3, seed=number)])
        for tag in [tag for tag, version in TAGS.items() if version == corpus.version]:
            corpus.tag(tag)
    return corpus


def start(workspace: Workspace, moment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(VICTIM), str(workspace.root), moment])


def contents(workspace: Workspace) -> dict[str, tuple[Snapshot, list[str]]]:
    """Read without the cache of vectors, which would hide that they are gone."""
    for kept in workspace.cache.glob("vectors-*"):
        kept.unlink()
    snapshots = {reference: open_snapshot(workspace, reference) for reference in REFERENCES}
    return {reference: (each, each.texts(range(len(each)))) for reference, each in snapshots.items()}


def assert_same(workspace: Workspace, before: dict[str, tuple[Snapshot, list[str]]]) -> None:
    for reference, (snapshot, texts) in contents(workspace).items():
        assert snapshot.fingerprint == before[reference][0].fingerprint
        np.testing.assert_array_equal(snapshot.vectors, before[reference][0].vectors)
        assert texts == before[reference][1]
    assert Corpus.open(workspace, "c").tags() == TAGS


def assert_gets_through(kit, workspace: Workspace, before: dict[str, tuple[Snapshot, list[str]]]) -> None:
    done = Corpus.open(workspace, "c").compact()
    assert (done.fragments_after, done.tags) == (1, tuple(TAGS))
    assert_same(workspace, before)
    assert Corpus.open(workspace, "c").compact().versions_removed == 0
    Corpus.open(workspace, "c").append([kit.encoded("new")])
    assert len(open_snapshot(workspace, "c").documents) == DOCUMENTS + 1


@pytest.mark.parametrize("moment", ["merged", "committed", "removing", "removed"])
def test_killed_at_a_moment(kit, grown, workspace, moment):
    before = contents(workspace)
    assert start(workspace, moment).wait() == -signal.SIGKILL
    assert_same(workspace, before)
    assert_gets_through(kit, workspace, before)


def test_killed_at_random_points(kit, grown, workspace):
    """Again and again the same corpus; kills are timed from when the lock is taken."""
    rng, before = random.Random(0), contents(workspace)
    lock = workspace.corpora / "c.lock"
    for _ in range(RANDOM_KILLS):
        process = start(workspace, "slow")
        while process.poll() is None and lock.read_text() != f"{process.pid}\n":
            time.sleep(0.0005)
        time.sleep(rng.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert_same(workspace, before)
    assert_gets_through(kit, workspace, before)
