"""kill -9 at any moment and the same command again: exactly the corpus of an undisturbed run."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nextvec.store.vectors import Corpus, open_snapshot
from nextvec.workspace import Workspace

VICTIM = Path(__file__).with_name("victim.py")
RANDOM_KILLS = 12


def start(folder: Path, moment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(VICTIM), str(folder), moment])


def content(folder: Path) -> tuple[list[dict[str, object]], bytes]:
    """Every stored column of every row in order, vectors as bytes."""
    import lance

    table = lance.dataset(Workspace(folder).corpus("c")).to_table()
    vectors = table["vector"].combine_chunks().flatten().to_numpy()
    return table.drop_columns(["vector"]).to_pylist(), vectors.tobytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert start(folder, "none").wait() == 0
    return folder


def assert_same_corpus(folder: Path, undisturbed: Path) -> None:
    left, right = open_snapshot(Workspace(folder), "c"), open_snapshot(Workspace(undisturbed), "c")
    assert left.fingerprint == right.fingerprint
    np.testing.assert_array_equal(left.vectors, right.vectors)
    assert content(folder) == content(undisturbed)


def assert_same_versions(folder: Path, undisturbed: Path) -> None:
    """Commits that are due by their chunks fall on the same documents, however often a run is killed."""
    left, right = (Corpus.open(Workspace(place), "c").version for place in (folder, undisturbed))
    assert left == right


def version(folder: Path) -> list[int]:
    return [Corpus.open(Workspace(folder), "c").version] if Corpus.exists(Workspace(folder), "c") else []


def wait_to_kill(folder: Path, process: subprocess.Popen[bytes], last: list[int] | None) -> None:
    """Until the process writes, or has committed something after version `last`."""
    lock = folder / "corpora" / "c.lock"
    while process.poll() is None and not (lock.exists() and lock.read_text() == f"{process.pid}\n"):
        time.sleep(0.002)
    while process.poll() is None and last is not None and version(folder) == last:
        time.sleep(0.002)


@pytest.mark.parametrize("moment", ["slow", "hasty"])
def test_killed_at_random_points(tmp_path, undisturbed, moment):
    """One run, killed again and again until it gets through.

    Every other kill is timed from when it begins to write, the rest from when something is committed.
    """
    rng = random.Random(0)
    versions = []
    for kill in range(RANDOM_KILLS):
        process = start(tmp_path, moment)
        wait_to_kill(tmp_path, process, versions[-1:] if kill % 2 else None)
        time.sleep(rng.uniform(0, 0.12))
        process.send_signal(signal.SIGKILL)
        process.wait()
        versions += version(tmp_path)
    assert versions == sorted(versions)
    assert versions[-1] > versions[0], "no kill fell between two commits"
    assert start(tmp_path, "none").wait() == 0
    assert_same_corpus(tmp_path, undisturbed)
    if moment == "slow":
        assert_same_versions(tmp_path, undisturbed)


@pytest.mark.parametrize("moment", ["before:1", "after:7", "before:19"])
def test_killed_around_a_commit(tmp_path, undisturbed, moment):
    assert start(tmp_path, moment).wait() == -signal.SIGKILL
    assert start(tmp_path, "none").wait() == 0
    assert_same_corpus(tmp_path, undisturbed)
    assert_same_versions(tmp_path, undisturbed)
