"""A study that is followed, on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from nextvec.cli import study_watch
from nextvec.cli.study_watch import follow, summary
from nextvec.records.study import Run, Trial
from nextvec.records.study_status import Pace, RunStatus, StudyStatus

RUN = Run(architecture="gru", corpus="c@a", variant="", seed=0, fingerprint="f", model="gru-c-a")
OTHER = Run(architecture="amn", corpus="c@a", variant="", seed=0, fingerprint="g", model="amn-c-a")
HALF = Pace(epoch=1, epochs=4, step=20, steps=80, seconds_left=42.0)


def status(*runs, running=True, **search):
    return StudyStatus(name="tiny", running=running, runs=list(runs), report=None, **search)


SEARCHING = status(
    planned=3,
    pace=HALF,
    trials=[
        Trial(trial=0, state="done", options={"lr": 0.012345}, validation=0.31, epochs=4),
        Trial(trial=1, state="running", options={"lr": 0.1}),
    ],
)
TRAINING = status(
    RunStatus(run=RUN, state="running", validation_cosine=0.5, pace=HALF), RunStatus(run=OTHER, state="waiting")
)
COMPARING = status(RunStatus(run=RUN, state="done", validation_cosine=0.52))
OVER = status(
    RunStatus(run=RUN, state="done", validation_cosine=0.52, cosine={"estimate": 0.51, "low": 0.5, "high": 0.52}),
    RunStatus(run=OTHER, state="failed", note="lost"),
    running=False,
)


def test_a_line_says_where_a_study_stands():
    assert summary(SEARCHING) == ("tiny: 1 of 3 trials, trial 2 epoch 2 of 4, about 42 s left, best validation 0.3100")
    assert summary(TRAINING) == (
        "tiny: 0 of 2 runs done, gru-c-a epoch 2 of 4, about 42 s left, best validation 0.5000"
    )
    assert summary(COMPARING) == "tiny: 1 of 1 runs done, comparing gru-c-a, best validation 0.5200"
    assert summary(OVER) == "tiny: 1 of 2 runs done, 1 failed, best validation 0.5200, not running"


def test_away_from_a_terminal_a_line_comes_every_few_seconds_and_one_in_the_end(capsys, monkeypatch):
    clock = iter([0.0 + 100, 101, 104, 106, 107])
    monkeypatch.setattr(study_watch.time, "monotonic", lambda: next(clock))
    states = [SEARCHING, TRAINING, TRAINING, TRAINING, OVER]
    assert follow(states) is OVER
    assert capsys.readouterr().out.splitlines() == [summary(SEARCHING), summary(TRAINING), summary(OVER)]


def test_on_a_terminal_it_is_a_table(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(study_watch, "Console", lambda: Console(file=out, force_terminal=True, width=80))
    assert follow([SEARCHING, TRAINING, OVER]) is OVER
    shown = out.getvalue()
    for part in ("lr=0.0123", "2 of 4", "about 42 s", "gru-c-a", "failed", "0.5100"):
        assert part in shown


def test_a_study_that_is_none_is_a_line(nextvec, tmp_path):
    assert "there is no study 'none'" in nextvec("study", "watch", "none", workspace=tmp_path, expect=1).err


def test_it_is_followed_as_long_as_it_runs(tmp_path, monkeypatch):
    from nextvec.studies import status as status_module

    states = iter([TRAINING, TRAINING, OVER])
    monkeypatch.setattr(status_module, "study_status", lambda workspace, name: next(states))
    monkeypatch.setattr(status_module.time, "sleep", lambda seconds: None)
    assert list(status_module.watch_study(tmp_path, "tiny", 1.0)) == [TRAINING, TRAINING, OVER]
    with pytest.raises(StopIteration):
        next(states)
