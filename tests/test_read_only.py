"""A workspace that may be read alone: it is read, what is found out about it is kept elsewhere, and nothing is lost."""

import os
import shutil

import pytest

from nextvec.errors import FullDiskError
from nextvec.records.names import EVALUATIONS, TEMPERATURES
from nextvec.workspace import Workspace


@pytest.fixture
def read_only(tales, tmp_path, monkeypatch):
    """A copy of the tests' workspace, as one that the system does not let anybody write. Nothing was measured in it."""
    place = Workspace(shutil.copytree(tales.root, tmp_path / "ws", ignore=shutil.ignore_patterns("cache")))
    for measured in [EVALUATIONS, TEMPERATURES]:
        (place.model("mix") / measured).unlink(missing_ok=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    allowed = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: not str(path).startswith(str(place.root)) and allowed(path, mode)
    )
    return place


def test_its_cache_is_elsewhere(read_only, tmp_path):
    cache = read_only.cache
    assert cache.is_relative_to(tmp_path / "mine" / "nextvec" / "read-only")
    assert cache == Workspace(read_only.root).cache != Workspace(tmp_path / "other").cache


def test_what_can_be_written_keeps_its_own(tmp_path):
    assert Workspace(tmp_path / "not-there-yet").cache == tmp_path / "not-there-yet" / "cache"
    (tmp_path / "cache").mkdir()
    assert Workspace(tmp_path).cache == tmp_path / "cache"


def test_texts_are_continued_there(read_only, nextvec):
    before = {path: path.stat().st_mtime_ns for path in read_only.root.rglob("*")}
    told = nextvec("complete", "Here the cats meet.", "--model", "mix", workspace=read_only.root).out
    assert told
    assert {path: path.stat().st_mtime_ns for path in read_only.root.rglob("*")} == before


def test_where_nothing_more_fits_texts_are_continued_all_the_same(tales, tmp_path, nextvec, monkeypatch):
    """All that is not found in the cache is found anew."""
    root = shutil.copytree(tales.root, tmp_path / "ws")
    for kept in ["familiarity", "splits", "counts"]:
        shutil.rmtree(root / "cache" / kept, ignore_errors=True)

    def refuse(path, *_):
        raise FullDiskError(path.name, path.parent, "")

    monkeypatch.setattr("nextvec.records.write_atomic", refuse)
    assert "round trip" in nextvec("complete", "Here the cats meet.", "--model", "mix", workspace=root).out
    assert not list(root.glob("cache/familiarity/*"))


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_what_does_not_fit_on_the_disk_is_told_all_the_same(read_only, nextvec, monkeypatch, caplog, command):
    def refuse(path, *_):
        raise FullDiskError(path.name, path.parent, "What was stored before is kept")

    monkeypatch.setattr("nextvec.comparing.contest_report.write_json", refuse)
    monkeypatch.setattr("nextvec.comparing.entrants.append_beside", refuse)
    monkeypatch.setattr("nextvec.comparing.contest.LATENCY_SECONDS", 0.0)
    done = nextvec(command, "mix", "--allow-leakage", workspace=read_only.root, expect=1)
    assert "cosine" in done.out
    (warned,) = caplog.messages
    assert warned.startswith("the disk is full: no space for temperatures.jsonl")
    assert done.err.splitlines()[-1].startswith("nextvec: the disk is full: no space for comparison.json")


@pytest.mark.parametrize("command", [["evaluate"], ["evaluate", "--json"], ["compare"], ["compare", "--json"]])
def test_what_cannot_be_recorded_is_told_all_the_same(read_only, nextvec, monkeypatch, caplog, command):
    def refuse(path, *_):
        raise PermissionError(13, "Permission denied", path.name)

    monkeypatch.setattr("nextvec.comparing.contest_report.write_json", refuse)
    monkeypatch.setattr("nextvec.comparing.entrants.append_beside", refuse)
    monkeypatch.setattr("nextvec.comparing.contest.LATENCY_SECONDS", 0.0)
    done = nextvec(*command, "mix", "--allow-leakage", workspace=read_only.root, expect=1)
    assert "cosine" in done.out
    assert caplog.messages == ["Permission denied: temperatures.jsonl: what was measured is not recorded"]
    assert done.err.splitlines()[-1].startswith("nextvec: Permission denied: comparison.json. Change its rights")
