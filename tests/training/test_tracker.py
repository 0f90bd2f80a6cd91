"""Trackers in general: told in order, in the background, and never the end of a run."""

import threading

import pytest

from nextvec.errors import UsageError
from nextvec.training import tracker as tracker_module
from nextvec.training.recipe import CHANGES_NOTHING, TrainingConfig
from nextvec.training.run import resolve_plan, train_model
from nextvec.training.tracker import mirror_alias, open_tracking, scalars


def test_a_run_tells_its_trackers_everything_in_order(notes, corpus, make_plan, cache, tmp_path):
    train_model(corpus, make_plan(epochs=1), tmp_path / "run", cache=cache, track=["notes"])
    kinds = [what[0] for what in notes.heard]
    assert kinds[:3] == ["start", "start", "epoch"]
    assert notes.heard[0] == ("start", "gru")
    assert notes.heard[-5:] == [
        ("model", notes.heard[-5][1]), ("artefact", "README.md"), ("artefact", "metrics.json"),
        ("artefact", "config.json"), ("close", True),
    ]  # fmt: skip


def test_a_tracker_may_be_a_setting_and_so_may_a_baseline_be_tracked(notes, corpus, cache, tmp_path):
    plan = resolve_plan("gru", corpus.dim, {"epochs": 1, "width": 8, "tracker": "notes"})
    train_model(corpus, plan, tmp_path / "run", cache=cache)
    train_model(corpus, resolve_plan("ewma", corpus.dim, {}), tmp_path / "ewma", cache=cache, track=["notes"])
    assert notes.heard.count(("close", True)) == 2
    assert ("start", "ewma") in notes.heard
    assert "tracker" in CHANGES_NOTHING


@pytest.mark.parametrize("moment", ["start", "epoch", "artefact", "close"])
def test_one_that_fails_is_warned_of_once_and_the_run_goes_on(
    moment, notes, corpus, make_plan, cache, tmp_path, monkeypatch
):
    monkeypatch.setattr(notes, "fails_at", moment)
    said = []
    metrics = train_model(
        corpus, make_plan(epochs=1), tmp_path / "run", cache=cache, track=["notes"], on_change=said.append
    )
    assert metrics["epochs"] == 1
    expected = "notes no longer tracks: http://...@server is gone for good. The run goes on, and its own log is whole"
    assert said == [expected]
    assert notes.heard[-1][0] == moment


def test_one_that_hangs_holds_the_end_of_a_run_up_for_so_long(notes, tmp_path, monkeypatch):
    monkeypatch.setattr(tracker_module, "CLOSE_SECONDS", 0.05)
    released, said = threading.Event(), []
    monkeypatch.setattr(notes, "start", lambda self, settings: released.wait(30))
    with open_tracking(["notes"], tmp_path, said.append) as tracking:
        tracking.start({})
    released.set()
    assert said == ["notes has not taken everything within 0 s; the run ends without it"]


def test_a_run_that_is_stopped_says_so(notes, corpus, make_plan, cache, tmp_path):
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_model(corpus, make_plan(), tmp_path / "run", cache=cache, track=["notes"], on_progress=stop)
    assert notes.heard[-1] == ("close", False)


def test_aliases_are_told_to_those_who_know_the_model(notes, tmp_path):
    mirror_alias("production", tmp_path)
    assert notes.heard == [("alias", "production"), ("close", True)]


def test_who_knows_the_model_that_is_replaced_is_told_when_its_successor_has_the_alias(notes, tmp_path):
    mirror_alias("production", tmp_path / "new", replaced=tmp_path / "old")
    assert notes.heard == [("alias", "production"), ("close", True), ("unalias", "production"), ("close", True)]


def test_unknown_trackers_and_recorded_addresses_are_refused(corpus, make_plan, cache, tmp_path):
    with pytest.raises(UsageError, match=r"unknown tracker 'mlfow'\. Did you mean 'mlflow'"):
        train_model(corpus, make_plan(), tmp_path / "run", cache=cache, track=["mlfow"])
    with pytest.raises(UsageError, match="unknown tracker 'mlfow'"):
        make_plan(tracker="mlfow")
    with pytest.raises(UsageError, match="tracker = 'mlflow:http://me:secret@server'"):
        TrainingConfig.parse({"tracker": "mlflow:http://me:secret@server"}, owner="gru")
    assert not (tmp_path / "run").exists()


def test_numbers_are_found_at_any_depth():
    figures = {"loss": 0.5, "epoch": 3, "heads": {"rank": {"score": 1.5, "note": "x"}}}
    assert list(scalars("epoch", figures)) == [("epoch/loss", 0.5), ("epoch/heads/rank/score", 1.5)]
