"""Ingest on two nodes makes the corpus that one process makes, whatever is killed meanwhile."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nextvec.store.ingest import ingest, report_path
from nextvec.store.vectors import Corpus, open_snapshot
from nextvec.workspace import Workspace

PAUSE = 0.1
BEFORE_THE_KILL = 12
"""Blocks of some forty: several commits, and more to come."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Workspace:
    """The corpus `c` of an ingest in this process."""
    spec = importlib.util.spec_from_file_location("ingest_driver", Path(__file__).with_name("ingest_driver.py"))
    driver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)
    place = Workspace(tmp_path_factory.mktemp("alone"))
    ingest(
        place, "c", driver.Mixed(), driver.Lines(), driver.BatchSensitive(0),
        block_documents=driver.BLOCK, commit_chunks=driver.COMMIT_CHUNKS,
    )  # fmt: skip
    Corpus.open(place, "c").tag("first")
    return place


def assert_same_corpus(place: Workspace, alone: Workspace) -> None:
    import lance

    Corpus.open(place, "c").tag("first")
    assert open_snapshot(place, "c@first").fingerprint == open_snapshot(alone, "c@first").fingerprint
    told = [Corpus.open(one, "c").info("first").to_dict() | {"stored_bytes": 0} for one in (place, alone)]
    assert told[0] == told[1]
    assert lance.dataset(place.corpus("c")).to_table().equals(lance.dataset(alone.corpus("c")).to_table())


def report_of(place: Workspace) -> dict[str, object]:
    return json.loads(report_path(place, "c").read_text()) | {"seconds": 0}


def wait_for_blocks(process, count: int) -> None:
    for _ in range(count):
        assert process.stdout.readline(), process.stderr.read()


def test_a_lost_node_changes_nothing(two_nodes, tmp_path, alone):
    process = two_nodes.driver("ingest_driver.py", tmp_path, PAUSE)
    wait_for_blocks(process, BEFORE_THE_KILL)
    two_nodes.lose_a_node()
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert_same_corpus(Workspace(tmp_path), alone)
    assert report_of(Workspace(tmp_path)) == report_of(alone)


def test_a_killed_driver_goes_on_where_it_was(two_nodes, tmp_path, alone):
    process = two_nodes.driver("ingest_driver.py", tmp_path, PAUSE)
    wait_for_blocks(process, BEFORE_THE_KILL)
    process.kill()
    process.communicate()
    stored = Corpus.open(Workspace(tmp_path), "c").version
    assert 1 < stored < Corpus.open(alone, "c").version
    process = two_nodes.driver("ingest_driver.py", tmp_path, 0)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert_same_corpus(Workspace(tmp_path), alone)
    report = report_of(Workspace(tmp_path))
    assert (report["already"] > 4, report["complete"]) == (True, True)


def test_the_command_says_its_result_and_nothing_else(two_nodes, tmp_path, write_prose):
    write_prose(tmp_path / "prose", documents=6)
    command = [sys.executable, "-m", "nextvec", "corpus", "ingest", "prose", "--corpus", "c", "--encoder", "hashing:16"]
    command += ["--ray", two_nodes.address, "--workers", "3", "--workspace", "here", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stored"] == 6
    assert "Warning" not in done.stderr, "three workers where there is room for two, and one block for them"
    assert len(open_snapshot(Workspace(tmp_path / "here"), "c").documents) == 6
